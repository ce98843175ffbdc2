"""Find files of the storage that belong to nothing any more."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from feedback_app.operations.buckets.orphans import find, lines_of, remove
from feedback_app.remedies import as_command_error

SHOWN = 40


class Command(BaseCommand):
    help = "Lists files in the storage, a day old or more, that no row and no folder speaks of."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--remove", action="store_true", help="remove them; web and workers must be stopped"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with as_command_error():
            found = find()
            for line in lines_of(found, most=SHOWN):
                self.stdout.write(line)
            self.stdout.write(
                f"{len(found.files):,} files of {found.size_bytes:,} bytes, "
                f"{len(found.folders):,} folders"
            )
            if options["remove"]:
                remove(found, say=self.stdout.write)
                self.stdout.write("Removed.")
