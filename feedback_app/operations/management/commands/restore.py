"""Put a backup back."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from feedback_app.operations.backups.restoring import restore
from feedback_app.remedies import as_command_error


class Command(BaseCommand):
    help = "Put a backup into an empty database and DATA_ROOT, once all of it is checked."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path)
        parser.add_argument(
            "--replace",
            action="store_true",
            help="also where there is something: the database is replaced, files are moved aside",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with as_command_error():
            restore(options["folder"], replace=options["replace"], say=self.stdout.write)
        self.stdout.write("Restored. Run manage.py migrate before you start the processes.")
