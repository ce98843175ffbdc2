"""What Celery workers do for webhooks when they are woken."""

from celery import shared_task
from urllib3.exceptions import HTTPError

from feedback_app.runs.kinds import handles
from feedback_app.runs.progress import Progress
from feedback_app.webhooks import services
from feedback_app.webhooks.kinds import DELIVERY
from feedback_app.webhooks.models import Delivery


@shared_task(name="webhooks.notice")
def notice() -> None:
    services.notice()


@handles(DELIVERY)
def deliver(progress: Progress) -> dict[str, object]:
    """A delivery that does not arrive is trouble that passes: its run comes again later."""
    delivery = Delivery.objects.select_related("webhook").get(pk=progress.run.spec["delivery"])
    try:
        return services.deliver(delivery)
    except (HTTPError, OSError) as error:
        raise services.NotTaken(f"{delivery.webhook.name}: {error}") from error
