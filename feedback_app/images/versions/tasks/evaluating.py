"""Measuring a model version by the evaluation kit, in a child process."""

from feedback_app.images.versions.evaluations import KIND
from feedback_app.images.versions.folders import path_of
from feedback_app.runs.children import run_child
from feedback_app.runs.kinds import handles
from feedback_app.runs.progress import Progress, storable


@handles(KIND)
def evaluate_version(progress: Progress) -> dict[str, object]:
    run_dir = path_of(progress.run.spec["run_dir"])
    result = run_child(progress, module="generation.commands.evaluate_model", run_dir=run_dir)
    return dict(storable(result))
