"""What Celery workers do for the reading room when they are woken."""

from celery import shared_task

from feedback_app.readings import claims


@shared_task(name="readings.release_lapsed")
def release_lapsed() -> None:
    claims.release_lapsed()
