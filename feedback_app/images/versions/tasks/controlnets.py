"""Training a ControlNet on a cohort's masks, in a child process, and registering the version."""

from feedback_app.images.versions.controlnets import register_controlnet
from feedback_app.images.versions.folders import path_of
from feedback_app.runs.children import run_child
from feedback_app.runs.kinds import handles
from feedback_app.runs.progress import Progress


@handles("train_controlnet")
def train_controlnet(progress: Progress) -> dict[str, object]:
    run_dir = path_of(progress.run.spec["run_dir"])
    result = run_child(
        progress, module="generation.commands.train_controlnet", run_dir=run_dir, is_shared=True
    )
    version = register_controlnet(progress.run)
    return {"model_version": version.name, **result}
