"""Fine-tune a model version on a snapshot."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from feedback_app.finetuning.methods import SETTINGS
from feedback_app.finetuning.models import Snapshot
from feedback_app.finetuning.requests import FineTuneRequest, ask_for_finetune, find_snapshot
from feedback_app.finetuning.services.recommendation import recommend, supply_of
from feedback_app.remedies import as_command_error
from feedback_app.requests import add_options, given, read
from feedback_app.runs.console import finish_here
from generation.specs import PARTS, FineTuneSpec

NAMED = ("parent", "method", "real_cohort")
DERIVED = tuple(name for name in SETTINGS if name != "adapted")


class Command(BaseCommand):
    help = "Fine-tune a model version on a snapshot; gives a new version under it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("snapshot", help="id or name; of several of a name the newest")
        add_options(parser, FineTuneRequest, NAMED, shown={"parent": "NAME", "real_cohort": "NAME"})
        add_options(parser, FineTuneSpec, DERIVED)
        parser.add_argument(
            "--adapted",
            nargs="+",
            choices=PARTS,
            help="default: both where there is a ControlNet and images that follow masks",
        )
        parser.add_argument("--queue", action="store_true", help="leave it to a worker")

    def handle(self, *args: Any, **options: Any) -> None:
        with as_command_error():
            named = given(options, NAMED)
            if "method" not in named:
                named["method"] = self._recommended(find_snapshot(options["snapshot"]))
            values = {
                **named,
                "snapshot": options["snapshot"],
                "settings": given(options, SETTINGS),
            }
            fine_tune = ask_for_finetune(read(FineTuneRequest, values))
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
