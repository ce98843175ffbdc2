"""Training a base model on a cohort, in a child process, and registering what comes of it."""

from feedback_app.images.versions.folders import path_of
from feedback_app.images.versions.pretraining import register_pretrained
from feedback_app.runs.children import run_child
from feedback_app.runs.kinds import handles
from feedback_app.runs.progress import Progress


@handles("pretrain")
def pretrain(progress: Progress) -> dict[str, object]:
    run_dir = path_of(progress.run.spec["run_dir"])
    result = run_child(
        progress, module="generation.commands.pretrain", run_dir=run_dir, is_shared=True
    )
    version = register_pretrained(progress.run)
    return {"model_version": version.name, **result}
