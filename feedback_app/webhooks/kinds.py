"""The kinds of run of this app."""

from feedback_app.runs.kinds import CPU, Kind, declare

TASKS = "feedback_app.webhooks.tasks"
DELIVERY = "deliver_webhook"

declare(
    Kind(name=DELIVERY, queue=CPU, tasks=TASKS, is_for_admins=True),
)
