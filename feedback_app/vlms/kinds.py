"""The kinds of run of this app."""

from feedback_app.runs.kinds import GPU, Kind, declare

declare(Kind(name="train_vlm", queue=GPU, tasks="feedback_app.vlms.tasks"))
