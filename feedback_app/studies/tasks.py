"""Writing and valuing the slots of studies; the handlers are free of torch."""

from celery import shared_task

from feedback_app.studies.services import active
from feedback_app.studies.services.active import value_by_run
from feedback_app.studies.services.queued import add_by_run, open_by_run

__all__ = ["add_by_run", "follow_reward_models", "open_by_run", "value_by_run"]


@shared_task(name="studies.follow_reward_models")
def follow_reward_models() -> None:
    active.follow_reward_models()
