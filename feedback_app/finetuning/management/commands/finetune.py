"""Fine-tune a model version on a snapshot."""

from argparse import BooleanOptionalAction
from typing import Any, get_args

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from feedback_app.finetuning.forms import field_default
from feedback_app.finetuning.models import Method, Snapshot
from feedback_app.finetuning.services import start_finetune
from feedback_app.finetuning.services.finetunes import SETTINGS
from feedback_app.finetuning.services.recommendation import recommend, supply_of
from feedback_app.images.management.finding import find_cohort
from feedback_app.images.models import ModelVersion
from feedback_app.remedies import as_command_error
from feedback_app.runs.console import finish_here
from generation.specs import PARTS, Precision

WHOLE_NUMBERS = {"steps", "batch_size", "accumulate", "rank", "seed"}


class Command(BaseCommand):
    help = "Fine-tune a model version on a snapshot; gives a new version under it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("snapshot", help="id or name; of several of a name the newest")
        parser.add_argument("--parent", default="", help="name (default: the promoted version)")
        parser.add_argument(
            "--method", choices=Method.values, help="default: what the snapshot recommends"
        )
        parser.add_argument(
            "--real-cohort", default="", help="whose training images are practised on"
        )
        parser.add_argument("--queue", action="store_true", help="leave it to a worker")
        for name in SETTINGS:
            option = f"--{name.replace('_', '-')}"
            if isinstance(field_default(name), bool):
                parser.add_argument(option, action=BooleanOptionalAction)
            elif name == "precision":
                parser.add_argument(option, choices=get_args(Precision))
            elif name == "adapted":
                parser.add_argument(
                    option,
                    nargs="+",
                    choices=PARTS,
                    help="default: both where there is a ControlNet and images that follow masks",
                )
            else:
                parser.add_argument(option, type=int if name in WHOLE_NUMBERS else float)

    def handle(self, *args: Any, **options: Any) -> None:
        snapshot = find_snapshot(options["snapshot"])
        settings = {name: options[name] for name in SETTINGS if options[name] is not None}
        method = options["method"] or self._recommended(snapshot)
        with as_command_error():
            fine_tune = start_finetune(
                snapshot=snapshot,
                parent=find_parent(options["parent"]),
                method=method,
                settings=settings,
                real_cohort=find_cohort(options["real_cohort"]) if options["real_cohort"] else None,
            )
        if options["queue"]:
            self.stdout.write(f"Queued as run {fine_tune.run_id}.")
            return
        run = finish_here(fine_tune.run, write=self.stdout.write)
        self.stdout.write(f"gives {run.result['model_version']}")

    def _recommended(self, snapshot: Snapshot) -> str:
        best = recommend(supply_of(snapshot))
        self.stdout.write(best.reason)
        if not best.trains:
            raise CommandError("Name a --method to train all the same.")
        self.stdout.write(f"method: {best.method}")
        return best.method


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
