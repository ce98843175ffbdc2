"""Import a real data set as a cohort."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from feedback_app.images.services.cohorts import start_import
from feedback_app.runs.console import finish_here
from feedback_app.runs.models import Run
from generation.errors import RemediableError

SHOWN_SKIPS = 20
ONE_OF = {"images": "image", "masks": "mask", "boxes": "box"}


def name_count(count: int, name: str) -> str:
    return f"{count} {ONE_OF[name] if count == 1 else name}"


class Command(BaseCommand):
    help = "Import a real data set as a cohort; a second import adds only what is missing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        sources = parser.add_subparsers(dest="source", required=True)
        nih = sources.add_parser("nih", help="NIH ChestX-ray14 as it is distributed")
        nih.add_argument("--name", default="nih", help="the cohort's name (default: nih)")
        nih.add_argument(
            "--rsna",
            type=Path,
            help="a folder of the RSNA Pneumonia Detection Challenge: its opacity boxes",
        )
        folder = sources.add_parser("folder", help="images/, masks/ and groups.csv")
        folder.add_argument("--name", required=True, help="the cohort's name")
        folder.add_argument("--mask-kind", default="lungs", help="what the masks show")
        for source in (nih, folder):
            source.add_argument("path", type=Path, help="the folder of the data set")
            source.add_argument("--queue", action="store_true", help="leave it to a worker")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            run = start_import(
                options["source"],
                options["path"].resolve(),
                name=options["name"],
                mask_kind=options.get("mask_kind", "lungs"),
                rsna=rsna.resolve() if (rsna := options.get("rsna")) else None,
            )
        except RemediableError as error:
            raise CommandError(f"{error}\n{error.remedy}") from error
        if options["queue"]:
            self.stdout.write(f"Queued as run {run.pk}.")
            return
        self.report(finish_here(run, write=self.stdout.write))

    def report(self, run: Run) -> None:
        added, skipped = run.result["added"], run.result["skipped"]
        for skip in skipped[:SHOWN_SKIPS]:
            self.stdout.write(f"  skipped {skip['what']}: {skip['file']} {skip['reason']}")
        if len(skipped) > SHOWN_SKIPS:
            self.stdout.write(f"  ... and {len(skipped) - SHOWN_SKIPS} more, on the cohort's page")
        what = ", ".join(name_count(count, name) for name, count in added.items() if count)
        self.stdout.write(
            f"{run.result['cohort']}: {f'added {what}' if what else 'nothing changed'}; "
            f"{name_count(run.result['unchanged'], 'images')} there already; "
            f"{len(skipped)} skipped."
        )
