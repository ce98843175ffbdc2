"""Training a VLM in a child process, and registering what comes of it."""

from feedback_app.images.versions.folders import path_of
from feedback_app.runs.children import run_child
from feedback_app.runs.kinds import handles
from feedback_app.runs.progress import Progress
from feedback_app.vlms.services import register_trained


@handles("train_vlm")
def train_vlm(progress: Progress) -> dict[str, object]:
    run_dir = path_of(progress.run.spec["run_dir"])
    result = run_child(progress, module="generation.commands.train_vlm", run_dir=run_dir)
    version = register_trained(progress.run)
    return {"vlm_version": version.name, **result}
