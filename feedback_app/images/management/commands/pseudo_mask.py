"""Draw masks on a cohort's images that have none, by a segmenter."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from feedback_app.images.management.finding import find_cohort
from feedback_app.images.scorers.models import Scorer, ScorerKind
from feedback_app.images.scorers.proxies import start_pseudo_masks
from feedback_app.remedies import as_command_error
from feedback_app.runs.console import finish_here
from generation.errors import RemediableError

LEAST_CONFIDENCE = 0.7


class Command(BaseCommand):
    help = "Draw pseudo-masks, marked as such, with the Dice to expect of each."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("cohort", help="the cohort's name")
        parser.add_argument("--segmenter", help="a scorer's name (default: the active one)")
        parser.add_argument("--mask-kind", default="lungs")
        parser.add_argument(
            "--least-confidence",
            type=float,
            default=LEAST_CONFIDENCE,
            help=f"masks of less are not kept (default: {LEAST_CONFIDENCE})",
        )
        parser.add_argument("--now", action="store_true", help="draw in this process, and wait")

    def handle(self, *args: Any, **options: Any) -> None:
        with as_command_error():
            run = start_pseudo_masks(
                find_cohort(options["cohort"]),
                scorer=find_segmenter(options["segmenter"], target=options["mask_kind"]),
                least_confidence=options["least_confidence"],
            )
        if not options["now"]:
            self.stdout.write(f"Queued as run {run.pk}.")
            return
        result = finish_here(run, write=self.stdout.write).result
        self.stdout.write(
            f"{result['drawn']} masks drawn; {result['doubtful']} were too doubtful to keep."
        )


def find_segmenter(name: str | None, *, target: str) -> Scorer:
    segmenters = Scorer.objects.filter(kind=ScorerKind.SEGMENTER)
    if name:
        found = segmenters.filter(name=name).first()
    else:
        found = segmenters.active().filter(target=target).first()
    if found is None:
        raise RemediableError(
            f"There is no segmenter {name!r}." if name else f"No segmenter draws {target!r} yet.",
            remedy="Train one with manage.py train_proxy COHORT --segmenter.",
        )
    return found
