"""The kinds of run of this app."""

from feedback_app.runs.kinds import CPU, Kind, declare

TASKS = "feedback_app.exports.tasks"

declare(
    Kind(name="export", queue=CPU, tasks=TASKS, is_for_admins=True, is_told=True),
)
