"""Fine-tuning on a GPU worker, and schedules on a CPU worker."""

from pathlib import Path
from tempfile import mkdtemp

from celery import shared_task
from django.conf import settings

from feedback_app.finetuning.models import FineTune, Schedule
from feedback_app.finetuning.services import finish_finetune, follow_schedule
from feedback_app.finetuning.services.run_folders import write_run_folder
from feedback_app.finetuning.services.schedules import TASK
from feedback_app.runs.children import run_child
from feedback_app.runs.kinds import handles
from feedback_app.runs.progress import Progress

MODULE = "generation.commands.finetune"


@handles("finetune")
def fine_tune(progress: Progress) -> dict[str, object]:
    """Train in a child process and register what it gives; a second call gives the same."""
    rows = FineTune.objects.select_related("snapshot__blob", "parent", "run", "model_version")
    row = rows.get(pk=progress.run.spec["fine_tune"])
    if row.model_version is not None:
        return {"model_version": row.model_version.name}
    run_dir = settings.RUNS_ROOT / str(progress.run.pk)
    write_run_folder(row, run_dir)
    result = run_child(progress, module=MODULE, run_dir=run_dir)
    version = finish_finetune(row, adapter=keep_adapter(row, run_dir / "adapter"))
    progress.log(f"gives the model version {version.name}")
    return {**result, "model_version": version.name}


def keep_adapter(row: FineTune, made: Path) -> Path:
    """Copy the adapter to the model versions' folder, whole or not at all."""
    kept: Path = settings.MODELS_ROOT / str(row.pk)
    if not kept.exists():
        settings.MODELS_ROOT.mkdir(parents=True, exist_ok=True)
        temporary = Path(mkdtemp(dir=settings.MODELS_ROOT, prefix=".new-"))
        for file in made.iterdir():
            (temporary / file.name).write_bytes(file.read_bytes())
        temporary.chmod(0o755)
        temporary.rename(kept)
    return kept


@shared_task(name=TASK)
def run_schedule(*, schedule_id: int) -> None:
    """Celery beat calls this; what it decides is in the log."""
    follow_schedule(Schedule.objects.get(pk=schedule_id))
