"""The kinds of run of this app."""

from feedback_app.runs.kinds import CPU, Kind, declare

TASKS = "feedback_app.studies.tasks"

declare(
    Kind(name="fill_study", queue=CPU, tasks=TASKS),
    Kind(name="open_study", queue=CPU, tasks=TASKS),
    Kind(name="add_candidates", queue=CPU, tasks=TASKS),
    Kind(name="value_cases", queue=CPU, tasks=TASKS),
)
