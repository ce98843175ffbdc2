"""Fine-tune a model version on a snapshot."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from feedback_app.finetuning.models import Method, Snapshot
from feedback_app.finetuning.services import start_finetune
from feedback_app.finetuning.services.finetunes import SETTINGS
from feedback_app.images.models import ModelVersion
from feedback_app.runs.console import execute_here
from feedback_app.runs.models import State
from generation.errors import RemediableError

WHOLE_NUMBERS = {"steps", "batch_size", "rank", "seed"}


class Command(BaseCommand):
    help = "Fine-tune a model version on a snapshot; gives a new version under it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("snapshot", help="id or name; of several of a name the newest")
        parser.add_argument("--parent", default="", help="name (default: the promoted version)")
        parser.add_argument("--method", choices=Method.values, default=Method.DPO_MARGIN.value)
        parser.add_argument("--queue", action="store_true", help="leave it to a worker")
        for name in SETTINGS:
            kind = int if name in WHOLE_NUMBERS else float
            parser.add_argument(f"--{name.replace('_', '-')}", type=kind)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            fine_tune = start_finetune(
                snapshot=find_snapshot(options["snapshot"]),
                parent=find_parent(options["parent"]),
                method=options["method"],
                settings={name: options[name] for name in SETTINGS if options[name] is not None},
            )
        except RemediableError as error:
            raise CommandError(f"{error}\n{error.remedy}") from error
        if options["queue"]:
            self.stdout.write(f"Queued as run {fine_tune.run_id}.")
            return
        run = execute_here(fine_tune.run, write=self.stdout.write)
        if run.state != State.SUCCEEDED:
            raise CommandError(f"{run.error or run.get_state_display()}\n{run.remedy}".strip())
        self.stdout.write(f"gives {run.result['model_version']}")


def find_snapshot(name_or_id: str) -> Snapshot:
    try:
        found = Snapshot.objects.filter(pk=name_or_id).first()
    except ValidationError:
        found = Snapshot.objects.filter(name=name_or_id).first()
    if found is None:
        raise CommandError(f"There is no snapshot {name_or_id!r}.")
    return found


def find_parent(name: str) -> ModelVersion:
    wanted = {"name": name} if name else {"is_promoted": True}
    found = ModelVersion.objects.filter(**wanted).first()
    if found is None:
        raise CommandError(
            f"There is no model version {name!r}." if name else "No model version is promoted."
        )
    return found
