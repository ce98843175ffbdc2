"""The kinds of run of this app."""

from feedback_app.runs.kinds import GPU, Kind, declare

TASKS = "feedback_app.experiments.tasks"

declare(
    Kind(name="train_cell", queue=GPU, tasks=TASKS),
    Kind(name="own_generator", queue=GPU, tasks=TASKS),
)
