"""Write the readings of a study as tables."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from feedback_app.results.readings_file.rows import StudyRows
from feedback_app.results.readings_file.writing import write_folder
from feedback_app.studies.management.finding import find_study


class Command(BaseCommand):
    help = (
        "Write the readings of a study: a table each of scores, choices, flags, regions, comments "
        "and skips, a dictionary of their columns, and the regions as COCO."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("study", help="name or id")
        parser.add_argument("folder", type=Path, help="where the files are written")
        parser.add_argument("--form", choices=("csv", "parquet"), default="csv")
        parser.add_argument(
            "--names", action="store_true", help="name readers; else they have pseudonyms"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        rows = StudyRows(find_study(options["study"]), names=options["names"])
        for path in write_folder(rows, options["folder"], form=options["form"]):
            self.stdout.write(str(path))
