"""What Celery workers do when they are woken."""

from celery import shared_task

from feedback_app.runs import services
from feedback_app.runs.models import Run


@shared_task(name="runs.execute")
def execute(*, run_id: str) -> None:
    """Do the runs that wait in this run's queue, most urgent first, then return.

    The message is only a wake-up: the run that it names may be taken already, and
    a more urgent one may wait.
    """
    queue = Run.objects.values_list("queue", flat=True).filter(pk=run_id).first()
    while run := Run.objects.claimable().filter(queue=queue).first():
        services.execute(run.pk)


@shared_task(name="runs.sweep")
def sweep() -> None:
    services.sweep()
