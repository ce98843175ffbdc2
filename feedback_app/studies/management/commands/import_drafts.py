"""Bring in reports that a model wrote elsewhere, as drafts for studies of reports."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from feedback_app.remedies import as_command_error
from feedback_app.studies.services import bring_in_drafts


class Command(BaseCommand):
    help = (
        'Bring in reports of images as JSON lines, {"image": SHA-256 of the picture, '
        '"text": its report}, under a name that studies of reports can choose.'
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="who or what wrote them")
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with options["file"].open("rb") as lines, as_command_error():
                brought = bring_in_drafts(options["name"], lines)
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error}") from error
        self.stdout.write(
            f"{brought.drafts}: {brought.reports:,} reports, "
            f"{brought.here:,} of them of images here"
        )
