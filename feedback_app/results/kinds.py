"""The kinds of run of this app."""

from feedback_app.runs.kinds import CPU, Kind, declare

WORK_OUT = "work_out_results"

declare(Kind(name=WORK_OUT, queue=CPU, tasks="feedback_app.results.tasks"))
