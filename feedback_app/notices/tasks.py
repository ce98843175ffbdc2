"""What Celery workers do for notices when beat wakes them."""

from celery import shared_task

from feedback_app.notices import services


@shared_task(name="notices.send_mail")
def send_mail() -> None:
    services.send_waiting()
