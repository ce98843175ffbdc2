"""Import a real data set as a cohort."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from feedback_app.images.cohorts.import_report import WARNING
from feedback_app.images.cohorts.models import ImportSkip
from feedback_app.images.cohorts.services import start_import
from feedback_app.remedies import as_command_error
from feedback_app.runs.console import finish_here
from feedback_app.runs.models import Run
from generation.datasets.labels import POLICIES
from generation.datasets.layouts import LAYOUTS
from generation.datasets.sources import ImportOptions

SHOWN_SKIPS = 20
ONE_OF = {"images": "image", "masks": "mask", "boxes": "box"}
OPTIONS = ("mask_kind", "rsna", "uncertain", "views", "chexmask", "demographics", "mapping")


def name_count(count: int, name: str) -> str:
    return f"{count} {ONE_OF[name] if count == 1 else name}"


class Command(BaseCommand):
    help = "Import a real data set as a cohort; a second import adds only what is missing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        sources = parser.add_subparsers(dest="source", required=True)
        of = {name: sources.add_parser(name, help=layout.title) for name, layout in LAYOUTS.items()}
        for name, source in of.items():
            if name == "folder":
                source.add_argument("--name", required=True, help="the cohort's name")
            else:
                source.add_argument("--name", default=name, help="the cohort's name")
            source.add_argument("path", type=Path, help="the folder of the data set")
            source.add_argument("--queue", action="store_true", help="leave it to a worker")
        of["nih"].add_argument(
            "--rsna",
            type=Path,
            help="a folder of the RSNA Pneumonia Detection Challenge: its opacity boxes",
        )
        of["folder"].add_argument("--mask-kind", help="what the masks show (default: lungs)")
        of["folder"].add_argument(
            "--mapping", type=Path, help="a TOML file that says what the columns of a table are"
        )
        for name in ("chexpert", "mimic"):
            of[name].add_argument(
                "--uncertain",
                choices=POLICIES,
                help="what uncertain labels count as: positive (default), negative, not known",
            )
            of[name].add_argument(
                "--views", choices=("frontal", "all"), help="frontal (default), or lateral too"
            )
        of["mimic"].add_argument(
            "--chexmask", type=Path, help="CheXmask's CSV file for MIMIC: lungs and heart"
        )
        of["mimic"].add_argument(
            "--demographics", type=Path, help="a folder of MIMIC-IV's patients and admissions"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        chosen = {name: options[name] for name in OPTIONS if options.get(name) is not None}
        paths = {name: path.resolve() for name, path in chosen.items() if isinstance(path, Path)}
        with as_command_error():
            run = start_import(
                options["source"],
                options["path"].resolve(),
                name=options["name"],
                options=ImportOptions(**(chosen | paths)),
            )
        if options["queue"]:
            self.stdout.write(f"Queued as run {run.pk}.")
            return
        self.report(finish_here(run, write=self.stdout.write))

    def report(self, run: Run) -> None:
        added, skipped = run.result["added"], sum(run.result["skipped"].values())
        skips = ImportSkip.objects.filter(run=run)
        warnings = skips.filter(what=WARNING).order_by("reason").values_list("reason", flat=True)
        for warning in warnings.distinct()[:SHOWN_SKIPS]:
            self.stdout.write(f"  look at: {warning}")
        for skip in skips.exclude(what=WARNING)[:SHOWN_SKIPS]:
            self.stdout.write(f"  skipped {skip.what}: {skip.file} {skip.reason}")
        if skipped > SHOWN_SKIPS:
            self.stdout.write(f"  ... and {skipped - SHOWN_SKIPS} more, on the cohort's page")
        what = ", ".join(name_count(count, name) for name, count in added.items())
        self.stdout.write(
            f"{run.result['cohort']}: {f'added {what}' if what else 'nothing changed'}; "
            f"{name_count(run.result['unchanged'], 'images')} there already; "
            f"{skipped} skipped."
        )
        if shared := run.result["shared"]:
            self.stdout.write(
                f"  {name_count(shared, 'images')} {'is' if shared == 1 else 'are'} in another "
                "cohort too; patients who share a picture are in one split."
            )
