"""Converting a single-file checkpoint in a child process, and registering what comes of it."""

from feedback_app.images.versions.checkpoints import KIND, register_converted
from feedback_app.images.versions.folders import path_of
from feedback_app.runs.children import run_child
from feedback_app.runs.kinds import handles
from feedback_app.runs.progress import Progress


@handles(KIND)
def convert_checkpoint(progress: Progress) -> dict[str, object]:
    run_dir = path_of(progress.run.spec["run_dir"])
    result = run_child(progress, module="generation.commands.convert_checkpoint", run_dir=run_dir)
    version = register_converted(progress.run)
    return {"model_version": version.name, **result}
