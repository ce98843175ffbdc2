"""Write a curated set out as an archive."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from feedback_app.curation.models import CuratedSet
from feedback_app.exports.services import copy_out, start_export
from feedback_app.remedies import as_command_error
from feedback_app.runs.console import finish_here


class Command(BaseCommand):
    help = "Write a curated set out as a Hugging Face imagefolder in a zip file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("curated_set", type=UUID, help="the curated set's id")
        parser.add_argument("--out", type=Path, help="a file or folder to copy the archive to")

    def handle(self, *args: Any, **options: Any) -> None:
        curated_set = CuratedSet.objects.filter(pk=options["curated_set"]).first()
        if curated_set is None:
            raise CommandError(f"There is no curated set {options['curated_set']}.")
        out: Path | None = options["out"]
        if out is not None and not out.parent.is_dir():
            raise CommandError(f"There is no folder {out.parent}; make it first.")
        export = start_export(curated_set)
        run = finish_here(export.run, write=self.stdout.write)
        export.refresh_from_db()
        self.stdout.write(f"export {export.pk} sha256 {run.result['sha256']}")
        if out is not None:
            with as_command_error():
                self.stdout.write(str(copy_out(export, path=out)))
