"""Back the database and all files up."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from feedback_app.operations.backups.making import make
from feedback_app.remedies import as_command_error


class Command(BaseCommand):
    help = "Back the database, blobs, models and run folders up into a new folder."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        with as_command_error():
            manifest = make(options["folder"], say=self.stdout.write)
        for place in manifest.outside:
            self.stdout.write(f"not in the backup, for it lies outside DATA_ROOT: {place}")
        if manifest.damaged:
            raise CommandError(
                f"The backup is made, but for {len(manifest.damaged)} blobs or folders that are "
                "missing or damaged here.\nPut them back from an earlier backup."
            )
        self.stdout.write(f"The backup is whole: {options['folder']}")
