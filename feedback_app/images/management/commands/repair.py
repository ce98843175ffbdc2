"""Draw regions of a candidate again."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from feedback_app.images.candidates.batches import progress_of
from feedback_app.images.candidates.repairs import (
    RepairRequest,
    ask_for_repair,
    find_candidate,
    parse_outline,
)
from feedback_app.remedies import as_command_error
from feedback_app.requests import add_options, given, read
from feedback_app.runs.console import finish_here

NAMED = ("images", "seed")


class Command(BaseCommand):
    help = (
        "Have regions of a candidate drawn again by the model that made it, here or with --queue "
        "by the workers; all pixels outside of them stay as they are."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("candidate", help="its id")
        parser.add_argument(
            "regions",
            nargs="+",
            metavar="REGION",
            help="corners in pixels, in quotes: 'x,y x,y' for a box, more for another shape",
        )
        add_options(parser, RepairRequest, NAMED)
        parser.add_argument("--queue", action="store_true", help="leave it to the workers")

    def handle(self, *args: Any, **options: Any) -> None:
        with as_command_error():
            asked = given(options, NAMED) | {
                "regions": [parse_outline(region) for region in options["regions"]]
            }
            batch = ask_for_repair(read(RepairRequest, asked), find_candidate(options["candidate"]))
        if not options["queue"]:
            for run in batch.runs.unfinished().order_by("created_at"):
                finish_here(run, write=self.stdout.write)
        progress = progress_of(batch)
        self.stdout.write(f"“{batch.name}”: {progress.made} of {progress.total} images made.")
        for place in batch.batchrecipe_set.filter(recipe__candidate__isnull=False):
            self.stdout.write(str(place.recipe.candidate.pk))
