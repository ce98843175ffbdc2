"""Starting, claiming, finishing, cancelling, retrying and sweeping runs.

The Run table is the queue. A Celery message only wakes a worker up and carries a
run's id; losing it costs nothing, since the sweeper wakes the run again.
"""

import logging
import socket
import os
from functools import partial
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from feedback_app.accounts.models import User
from feedback_app.celery import app
from feedback_app.runs.kinds import QUEUES, handler_of
from feedback_app.runs.models import LogLine, Run, State
from feedback_app.runs.progress import Cancelled, Progress, Superseded
from generation.errors import RemediableError

logger = logging.getLogger(__name__)


def start(
    kind: str,
    *,
    title: str,
    spec: dict[str, Any],
    total: int | None = None,
    priority: int = 0,
    created_by: User | None = None,
) -> Run:
    """Queue a run; its worker is woken when the transaction commits."""
    run = Run.objects.create(
        kind=kind,
        queue=QUEUES[kind],
        title=title,
        spec=spec,
        total=total,
        priority=priority,
        created_by=created_by,
    )
    transaction.on_commit(partial(wake, run), robust=True)
    return run


def wake(run: Run) -> None:
    app.send_task("runs.execute", kwargs={"run_id": str(run.pk)}, queue=run.queue)


def claim(run_id: UUID | str) -> Run | None:
    """Take a queued run for this worker, or None where somebody else was first."""
    claimed = Run.objects.filter(pk=run_id, state=State.QUEUED).update(
        state=State.RUNNING,
        attempt=F("attempt") + 1,
        worker=f"{socket.gethostname()}:{os.getpid()}",
        started_at=timezone.now(),
        heartbeat_at=timezone.now(),
        error="",
        remedy="",
    )
    return Run.objects.get(pk=run_id) if claimed else None


def execute(run_id: UUID | str) -> Run | None:
    """Claim the run and do it here, whatever becomes of it; None if not claimed."""
    run = claim(run_id)
    if run is None:
        return None
    try:
        with Progress(run) as progress:
            result = handler_of(run.kind)(progress)
        _finish(run, State.SUCCEEDED, result=result)
    except Superseded:
        logger.warning("run %s was taken up by another worker", run.pk)
    except Cancelled:
        _finish(run, State.CANCELLED)
    except RemediableError as error:
        _finish(run, State.FAILED, error=str(error), remedy=error.remedy)
    except Exception as error:
        logger.exception("run %s failed", run.pk)
        _finish(
            run,
            State.FAILED,
            error=f"{type(error).__name__}: {error}",
            remedy="This is unexpected: the worker's log has the details. Retry when it is fixed.",
        )
    run.refresh_from_db()
    return run


def _finish(run: Run, state: State, **values: object) -> None:
    """Close this attempt; does nothing where the attempt is over already."""
    closed = Run.objects.filter(pk=run.pk, attempt=run.attempt, state=State.RUNNING).update(
        state=state, finished_at=timezone.now(), **values
    )
    if closed:
        LogLine.objects.create(run=run, attempt=run.attempt, text=f"{state.label}")


def cancel(run: Run) -> None:
    """Cancel a queued run at once; ask a running one to stop at its next report."""
    queued = Run.objects.filter(pk=run.pk, state=State.QUEUED)
    if not queued.update(state=State.CANCELLED, finished_at=timezone.now()):
        Run.objects.filter(pk=run.pk, state=State.RUNNING).update(cancel_requested=True)


@transaction.atomic
def retry(run: Run) -> bool:
    """Queue a failed or cancelled run again; False where it is neither."""
    requeued = Run.objects.filter(pk=run.pk, state__in=[State.FAILED, State.CANCELLED]).update(
        state=State.QUEUED, finished_at=None, cancel_requested=False, error="", remedy=""
    )
    if requeued:
        transaction.on_commit(partial(wake, run), robust=True)
    return bool(requeued)


def sweep() -> int:
    """Take up runs whose worker fell silent and wake all that wait; how many were woken."""
    for run in Run.objects.silent():
        taken = Run.objects.filter(
            pk=run.pk, attempt=run.attempt, state=State.RUNNING, heartbeat_at=run.heartbeat_at
        ).update(state=State.QUEUED)
        if taken:
            LogLine.objects.create(
                run=run, attempt=run.attempt, text="The worker fell silent; queued again"
            )
    waiting = list(Run.objects.claimable())
    for run in waiting:
        wake(run)
    return len(waiting)
