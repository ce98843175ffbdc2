"""The kinds of run of this app."""

from feedback_app.runs.kinds import CPU, Kind, declare

APPLY = "apply_policy"

declare(Kind(name=APPLY, queue=CPU, tasks="feedback_app.curation.tasks"))
