"""What a worker does for provenance when it is woken."""

from celery import shared_task

from feedback_app.provenance.rebuilding import continue_rebuilds


@shared_task(name="provenance.continue_rebuilds")
def go_on() -> None:
    continue_rebuilds()
