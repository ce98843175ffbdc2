"""The kinds of run of this app."""

from feedback_app.runs.kinds import CPU, Kind, declare

TASKS = "feedback_app.provenance.tasks"

declare(
    Kind(name="continue_rebuild", queue=CPU, tasks=TASKS),
)
