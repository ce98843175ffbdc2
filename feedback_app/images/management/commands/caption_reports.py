"""Captions from the impressions of radiology reports, as a prompt set."""

from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from feedback_app.images.prompts.services import MAX_PROMPTS, save_prompts
from feedback_app.remedies import as_command_error
from generation.conditioning.captions import Outcome, caption_of
from generation.datasets.openi import read_impressions


class Command(BaseCommand):
    help = (
        "Make a prompt set of the captions that reports' impressions give, the most frequent "
        "first. Reads an archive of Open-I reports; keeps captions and counts, no report's text."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path, help="NLMCXR_reports.tgz")
        parser.add_argument("--prompt-set", required=True, metavar="NAME")
        parser.add_argument("--at-least", type=int, default=1, help="reports that gave a caption")
        parser.add_argument("--at-most", type=int, default=MAX_PROMPTS, help="captions to take")

    def handle(self, *args: Any, **options: Any) -> None:
        with as_command_error():
            captions, outcomes = count_captions(options["path"])
            taken = [
                caption
                for caption, count in captions.most_common(options["at_most"])
                if count >= options["at_least"]
            ]
            reports = outcomes.total()
            version = save_prompts(
                options["prompt_set"],
                taken,
                origin=f"captions of {options['path'].name}: {len(taken)} of {len(captions)} "
                f"different ones, from {reports:,} reports",
            )
        self.stdout.write(f"{reports:,} reports")
        for outcome in Outcome:
            share = 100 * outcomes[outcome] / max(1, reports)
            self.stdout.write(f"  {outcome}: {outcomes[outcome]:,} ({share:.1f} %)")
        self.stdout.write(f"prompt set {version}: {version.prompts.count()} captions, such as")
        for caption in taken[:10]:
            self.stdout.write(f"  {captions[caption]:>5}  {caption}")


def count_captions(archive: Path) -> tuple[Counter[str], Counter[Outcome]]:
    """Returns how often each caption came, and each outcome; ties go by the alphabet."""
    captions: Counter[str] = Counter()
    outcomes: Counter[Outcome] = Counter()
    for impression in read_impressions(archive):
        caption = caption_of(impression)
        outcomes[caption.outcome] += 1
        if caption.text:
            captions[caption.text] += 1
    return Counter(dict(sorted(captions.items()))), outcomes
