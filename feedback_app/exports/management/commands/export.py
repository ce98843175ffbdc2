"""Write a curated set out as an archive."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from feedback_app.exports.requests import ExportRequest
from feedback_app.exports.services import ask_for_export, copy_out
from feedback_app.remedies import as_command_error
from feedback_app.requests import add_options, given, read
from feedback_app.runs.console import finish_here

CHOSEN = ["format", "with_readings"]


class Command(BaseCommand):
    help = "Write a curated set out in a zip file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("curated_set", help="the curated set's id")
        add_options(parser, ExportRequest, CHOSEN)
        parser.add_argument("--out", type=Path, help="a file or folder to copy the archive to")

    def handle(self, *args: Any, **options: Any) -> None:
        out: Path | None = options["out"]
        if out is not None and not out.parent.is_dir():
            raise CommandError(f"There is no folder {out.parent}; make it first.")
        with as_command_error():
            values = {"curated_set": options["curated_set"], **given(options, CHOSEN)}
            export = ask_for_export(read(ExportRequest, values))
        run = finish_here(export.run, write=self.stdout.write)
        export.refresh_from_db()
        self.stdout.write(f"export {export.pk} sha256 {run.result['sha256']}")
        if out is not None:
            with as_command_error():
                self.stdout.write(str(copy_out(export, path=out)))
