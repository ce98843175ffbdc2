"""Train a proxy: a segmenter, a classifier or both, on a cohort's real images."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from feedback_app.images.management.finding import find_cohort
from feedback_app.images.scorers.models import ScorerKind
from feedback_app.images.scorers.proxies import start_proxy
from feedback_app.remedies import as_command_error
from feedback_app.requests import add_options, given
from feedback_app.runs.console import finish_here
from generation.specs import ClassifierSpec, SegmenterSpec

COMMON = ("resolution", "max_steps", "batch_size", "evaluate_every", "patience", "seed")
OF_SEGMENTER, OF_CLASSIFIER = ("kind",), ("network",)


class Command(BaseCommand):
    help = "Train a proxy that measures candidates, by a worker or with --now here."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("cohort", help="the cohort's name")
        parser.add_argument("--segmenter", action="store_true", help="of the masks of --mask-kind")
        parser.add_argument("--classifier", action="store_true", help="of the findings")
        parser.add_argument("--name", help="the proxy's name (default: COHORT-KIND)")
        add_options(parser, SegmenterSpec, OF_SEGMENTER, flags={"kind": "--mask-kind"})
        add_options(parser, ClassifierSpec, OF_CLASSIFIER)
        for setting in COMMON:
            parser.add_argument(f"--{setting.replace('_', '-')}", type=int)
        parser.add_argument("--now", action="store_true", help="train in this process, and wait")

    def handle(self, *args: Any, **options: Any) -> None:
        kinds = [kind for kind in (ScorerKind.SEGMENTER, ScorerKind.CLASSIFIER) if options[kind]]
        if not kinds:
            raise CommandError("Say what to train: --segmenter, --classifier, or both.")
        if options["name"] and len(kinds) > 1:
            raise CommandError("One name is not enough for two proxies: train them one by one.")
        cohort = find_cohort(options["cohort"])
        common = given(options, COMMON)
        own = {
            ScorerKind.SEGMENTER: given(options, OF_SEGMENTER),
            ScorerKind.CLASSIFIER: given(options, OF_CLASSIFIER),
        }
        for kind in kinds:
            with as_command_error():
                run = start_proxy(
                    cohort,
                    kind=kind,
                    name=options["name"] or f"{cohort.name}-{kind.value}",
                    settings={**own[kind], **common},
                )
            if not options["now"]:
                self.stdout.write(f"Queued as run {run.pk}.")
                continue
            result = finish_here(run, write=self.stdout.write).result
            self.stdout.write(f"Registered as {result['scorer']}: {figures_of(result)}")


def figures_of(result: dict[str, Any]) -> str:
    return ", ".join(
        f"{name.replace('_', ' ')} {value:.3g}"
        for name, value in result.items()
        if isinstance(value, int | float)
    )
