"""What Celery workers do when they are woken, when they start and when they stop."""

import signal
from typing import Any

from celery import shared_task
from celery.signals import worker_init, worker_ready, worker_shutdown, worker_shutting_down
from django.conf import settings

from feedback_app.runs import services, workers
from feedback_app.runs.abilities import abilities
from feedback_app.runs.kinds import all_kinds
from feedback_app.runs.models import Run
from feedback_app.runs.presence import Presence

PASSED_ON_AT_MOST = 3


@worker_init.connect
def refuse_unknown_kinds(**_: Any) -> None:
    """A worker that is to take kinds which there are not does not start."""
    known = {kind.name for kind in all_kinds()}
    for setting in ("WORKER_KINDS", "RUN_GPU_GB"):
        if unknown := sorted(set(getattr(settings, setting)) - known):
            raise SystemExit(
                f"{setting}: there is no kind of run {', '.join(unknown)}. "
                f"There are {', '.join(sorted(known))}."
            )


@shared_task(name="runs.execute")
def execute(*, run_id: str, passed_on: int = 0) -> None:
    """Do the runs that wait in this run's queue and fit here, most urgent first, then return.

    The message is only a wake-up: the run that it names may be taken already, and
    a more urgent one may wait. A run that does not fit here is passed on, to whoever has
    waited longest for a message.
    """
    queue = Run.objects.values_list("queue", flat=True).filter(pk=run_id).first()
    claimable = Run.objects.claimable().filter(queue=queue).fitting(abilities())
    while not workers.stopping.is_set() and (run := claimable.first()):
        services.execute(run.pk)
        if workers.spoiled.is_set():  # the next run would fail for what this one did
            workers.stopping.set()
            signal.raise_signal(signal.SIGTERM)
    left = Run.objects.claimable().filter(pk=run_id).first()
    if left is not None and passed_on < PASSED_ON_AT_MOST:
        services.wake(left, passed_on=passed_on + 1)


@shared_task(name="runs.sweep")
def sweep() -> None:
    services.sweep()


@worker_ready.connect
def sweep_at_start(**_: Any) -> None:
    """Take up at once what a worker of this host was doing when it was killed."""
    services.sweep()


@worker_ready.connect
def say_that_it_is_there(*, sender: Any, **_: Any) -> None:
    mine = Presence(list(sender.app.amqp.queues.consume_from))
    mine.start()
    worker_shutdown.connect(lambda **_: mine.leave(), weak=False)


@worker_shutting_down.connect
def stop_at_next_report(**_: Any) -> None:
    """Let the run that is being done go back to the queue, for another worker."""
    workers.stopping.set()
