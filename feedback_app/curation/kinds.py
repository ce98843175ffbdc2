"""The kinds of run of this app."""

from feedback_app.runs.kinds import CPU, Kind, declare

APPLY, TALLY = "apply_policy", "count_rules"
TASKS = "feedback_app.curation.tasks"

declare(Kind(name=APPLY, queue=CPU, tasks=TASKS), Kind(name=TALLY, queue=CPU, tasks=TASKS))
