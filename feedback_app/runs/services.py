"""Starting, claiming, finishing, cancelling, retrying and sweeping runs.

The Run table is the queue. A Celery message only wakes a worker up and carries a
run's id; losing it costs nothing, since the sweeper wakes the run again.
"""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import close_old_connections, connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.text import Truncator

from feedback_app.accounts.models import User
from feedback_app.caching import redis_breaker
from feedback_app.celery import app
from feedback_app.logs import within_run
from feedback_app.runs import workers
from feedback_app.runs.kinds import QUEUES, handler_of, kind_of
from feedback_app.runs.models import UNSUCCESSFUL, LogLine, Run, RunQuerySet, State
from feedback_app.runs.progress import (
    Cancelled,
    GivingWay,
    Progress,
    Superseded,
    WorkerStopping,
    storable,
)
from feedback_app.runs.telling import tell_of
from feedback_app.runs.trouble import (
    DATABASE_GONE,
    MAX_SETBACKS,
    REDIS_GONE,
    Trouble,
    pause_s,
    trouble_of,
)
from generation.errors import RemediableError, has_spoiled_device

MAX_CRASHES = 5
INSIST_TIMES = 40
"""Waiting for a database that is gone: some ten minutes."""
WAKE_AT_MOST = 16
"""Runs of one queue that a sweep wakes: each awake worker takes all that wait."""
WAKE_EXPIRES_S = 60

logger = logging.getLogger(__name__)


@transaction.atomic
def start(
    kind: str,
    *,
    title: str,
    spec: dict[str, Any],
    total: int | None = None,
    priority: int = 0,
    after: Iterable[Run] = (),
    created_by: User | None = None,
) -> Run:
    """Queue a run; its worker is woken when the transaction commits.

    It is claimed once all runs of ``after`` have succeeded, and fails where one of them does.
    """
    run = Run.objects.create(
        kind=kind,
        queue=kind_of(kind).queue,
        title=Truncator(title).chars(200),
        spec=spec,
        total=total,
        priority=priority,
        gpu_gb=gpu_gb_of(kind),
        created_by=created_by,
    )
    put_after(run, after)
    _wake_on_commit(run)
    return run


def gpu_gb_of(kind: str) -> int:
    """Returns how many GB of GPU memory a run of this kind needs, as is set now."""
    return int(settings.RUN_GPU_GB.get(kind, 0))


@transaction.atomic
def put_after(run: Run, others: Iterable[Run]) -> None:
    """Let a queued run wait for others too.

    They are locked: one that ends just now either sees that it is waited for, or has ended
    before we look at how.
    """
    before = Run.objects.filter(pk__in=[other.pk for other in others]).order_by("pk")
    if locked := list(before.select_for_update(of=("self",), no_key=True)):
        run.after.add(*locked)
        _fail_held_up()


@transaction.atomic
def stand_in(new: Sequence[Run], *, instead_of: Sequence[Run]) -> None:
    """Let what comes after old runs come after the new ones in their place, and wait again."""
    for successor in Run.objects.filter(after__in=instead_of).distinct():
        successor.after.remove(*instead_of)
        put_after(successor, new)
    _free(Run.objects.filter(failed_with__in=instead_of))


def wake(run: Run, *, passed_on: int = 0) -> None:
    """Send a message that need not arrive: a busy worker lets it expire, the sweeper repeats it.

    While Redis does not answer none is sent, so that nobody waits for it.
    """
    if not redis_breaker.allows():
        return
    began = time.monotonic()
    try:
        app.send_task(
            "runs.execute",
            kwargs={"run_id": str(run.pk), "passed_on": passed_on},
            queue=run.queue,
            expires=WAKE_EXPIRES_S,
            retry=False,
        )
    except (*REDIS_GONE, OSError) as error:
        redis_breaker.trip(error, after_s=time.monotonic() - began)
    else:
        redis_breaker.close()


def _wake_on_commit(run: Run) -> None:
    """Wake a worker when the run is there to be seen; without Redis the sweeper does it later."""
    transaction.on_commit(lambda: wake(run), robust=True)


def claim(run_id: UUID | str) -> Run | None:
    """Take a run for this worker, or None where it waits still or somebody else was first."""
    claimed = (
        Run.objects.claimable()
        .filter(pk=run_id)
        .update(
            state=State.RUNNING,
            attempt=F("attempt") + 1,
            worker=workers.this_worker(),
            started_at=timezone.now(),
            heartbeat_at=Now(),
            done_before=F("done"),
            not_before=None,
            error="",
            remedy="",
        )
    )
    return Run.objects.get(pk=run_id) if claimed else None


def execute(run_id: UUID | str) -> Run | None:
    """Claim the run and do it here, whatever becomes of it; None if not claimed."""
    run = claim(run_id)
    if run is None:
        return None
    try:
        with within_run(run.pk), Progress(run) as progress:
            result = handler_of(run.kind)(progress)
        _finish(run, State.SUCCEEDED, result=storable(result))
    except KeyboardInterrupt:  # in a management command; Celery makes SystemExit of it
        _finish(run, State.CANCELLED)
        raise
    except Exception as error:  # noqa: BLE001 -- what it is decides what becomes of the run
        if has_spoiled_device(error):
            workers.spoiled.set()
        with within_run(run.pk):
            _insist(partial(_settle, run, error))
    except BaseException:
        release(run, why="The worker was stopped at once")
        raise
    run.refresh_from_db()
    return run


def _settle(run: Run, error: Exception) -> None:
    """Do with a run whose handler raised what its error asks for."""
    match error:
        case Superseded():
            logger.warning("run %s was taken up by another worker", run.pk)
        case Cancelled():
            _finish(run, State.CANCELLED)
        case WorkerStopping():
            release(run, why="The worker was stopped")
        case GivingWay():
            release(run, why=str(error))
        case _ if trouble := trouble_of(error):
            logger.warning("run %s is put back: %s", run.pk, trouble.why)
            put_back(run, trouble)
        case RemediableError():
            _finish(run, State.FAILED, error=storable(str(error)), remedy=storable(error.remedy))
        case _:
            logger.error("run %s failed", run.pk, exc_info=error)
            _finish(
                run,
                State.FAILED,
                error=storable(f"{type(error).__name__}: {error}"),
                remedy="This is unexpected: the worker's log has the details. "
                "Retry when it is fixed.",
            )


def _insist(write: Callable[[], None]) -> None:
    """Write how a run ended, again and again where the database is what is gone.

    A worker that is asked to stop, or waits for too long, leaves the run to the sweeper.
    """
    for setbacks in range(INSIST_TIMES):
        try:
            return write()
        except DATABASE_GONE as error:
            if connection.in_atomic_block or workers.stopping.is_set():
                raise
            logger.warning("the database does not answer: %s", error)
            close_old_connections()
            workers.stopping.wait(min(2**setbacks, 15))
    return write()


@transaction.atomic
def _finish(run: Run, state: State, **values: object) -> bool:
    """Close this attempt, and tell what comes after; nothing where the attempt is over already."""
    closed = (
        Run.objects.running()
        .filter(pk=run.pk, attempt=run.attempt)
        .update(state=state, finished_at=timezone.now(), **values)
    )
    if closed:
        LogLine.objects.create(run=run, attempt=run.attempt, text=str(state.label))
        for successor in run.successors.all():
            _wake_on_commit(successor)
        _fail_held_up()
        transaction.on_commit(partial(tell_of, run.pk), robust=True)
    return bool(closed)


def _fail_held_up() -> None:
    """Fail what is queued behind a run that ended without success, and what is behind that."""
    while held := Run.objects.held_up().first():
        cause = held.after.filter(state__in=UNSUCCESSFUL).earliest("finished_at")
        root = cause.failed_with or cause
        how = "was cancelled" if root.state == State.CANCELLED else "failed"
        Run.objects.filter(pk=held.pk, state=State.QUEUED).update(
            state=State.FAILED,
            finished_at=timezone.now(),
            failed_with=root,
            error=f"This run comes after “{root.title}”, which {how}.",
            remedy="Retry that run: this one then waits for it again and goes on by itself.",
        )


@transaction.atomic
def release(run: Run, *, why: str, crashes: int = 0) -> bool:
    """Queue this attempt's run again at once; one that was to be cancelled is cancelled."""
    mine = Run.objects.running().filter(pk=run.pk, attempt=run.attempt)
    if mine.filter(cancel_requested=True).update(state=State.CANCELLED, finished_at=timezone.now()):
        LogLine.objects.create(run=run, attempt=run.attempt, text=f"{why}; cancelled")
        _fail_held_up()
        return True
    if not mine.update(state=State.QUEUED, crashes=F("crashes") + crashes):
        return False
    LogLine.objects.create(run=run, attempt=run.attempt, text=f"{why}; queued again")
    _wake_on_commit(run)
    return True


@transaction.atomic
def put_back(run: Run, trouble: Trouble) -> bool:
    """Queue this attempt's run again after a pause, which grows with every time.

    It fails where it killed too many children, or where the trouble does not pass.
    """
    if run.setbacks + 1 >= MAX_SETBACKS or (trouble.is_crash and run.crashes + 1 >= MAX_CRASHES):
        return _finish(
            run,
            State.FAILED,
            setbacks=run.setbacks + 1,
            crashes=run.crashes + trouble.is_crash,
            error=storable(f"{trouble.why} It was tried again {run.setbacks} times."),
            remedy="This did not pass by itself: the worker's log and the system's log say more. "
            "Retry when it is mended.",
        )
    pause = timedelta(seconds=pause_s(run.setbacks))
    if not release(run, why=trouble.why, crashes=int(trouble.is_crash)):
        return False
    Run.objects.filter(pk=run.pk, state=State.QUEUED).update(
        setbacks=F("setbacks") + 1,
        not_before=Now() + pause,
        error=storable(trouble.why),
        remedy=storable(f"{trouble.remedy} The run is tried again by itself, after a pause."),
    )
    return True


@transaction.atomic
def cancel(run: Run) -> None:
    """Cancel a queued run at once; ask a running one to stop at its next report."""
    Run.objects.unfinished().filter(pk=run.pk).update(cancel_requested=True)
    queued = Run.objects.filter(pk=run.pk, state=State.QUEUED)
    if queued.update(state=State.CANCELLED, finished_at=timezone.now()):
        LogLine.objects.create(run=run, attempt=run.attempt, text="Cancelled while it waited")
        _fail_held_up()


@transaction.atomic
def retry(run: Run) -> bool:
    """Queue a failed or cancelled run again, with what failed because of it; end a pause.

    False where it is neither, or where it failed with another, which is to be retried.
    """
    if Run.objects.pausing().filter(pk=run.pk).update(not_before=None):
        _wake_on_commit(run)
        return True
    mine = Run.objects.filter(pk=run.pk, state__in=UNSUCCESSFUL, failed_with=None)
    if not _free(mine):
        return False
    _free(Run.objects.filter(failed_with=run.pk))
    return True


def _free(unsuccessful: RunQuerySet) -> int:
    """Queue these runs again; those that still come after another failure fail with that one."""
    freed = list(unsuccessful)
    unsuccessful.update(
        state=State.QUEUED,
        finished_at=None,
        cancel_requested=False,
        crashes=0,
        setbacks=0,
        not_before=None,
        error="",
        remedy="",
        failed_with=None,
    )
    _fail_held_up()
    for run in freed:
        Run.objects.filter(pk=run.pk).update(gpu_gb=gpu_gb_of(run.kind))
        _wake_on_commit(run)
    return len(freed)


def sweep() -> int:
    """Take up runs whose worker is dead or silent and wake all that wait; how many wait."""
    for run in Run.objects.silent():
        take_up(run, why="The worker fell silent")
    for run in Run.objects.running():
        if workers.has_died(run.worker):
            take_up(run, why=f"The worker {run.worker_name} died")
    waiting = 0
    for queue in QUEUES:
        claimable = Run.objects.claimable().filter(queue=queue)
        waiting += claimable.count()
        for run in claimable[:WAKE_AT_MOST]:
            wake(run)
    return waiting


def take_up(run: Run, *, why: str) -> bool:
    """Release a run that lost its worker; give it up where it lost too many."""
    if run.crashes + 1 < MAX_CRASHES:
        return release(run, why=why, crashes=1)
    return _finish(
        run,
        State.FAILED,
        crashes=run.crashes + 1,
        error=f"{why}, the {MAX_CRASHES}th time: this run seems to kill the worker that does it.",
        remedy=(
            "Most often the memory ran out: the worker's log and the system's log say. "
            "Give it more, or less to do, then retry."
        ),
    )
