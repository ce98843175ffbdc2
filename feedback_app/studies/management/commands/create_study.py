"""Make a draft of the design in a JSON file: the same as POST /api/studies/."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from feedback_app.remedies import as_command_error
from feedback_app.requests import read
from feedback_app.studies.requests import StudyRequest
from feedback_app.studies.services import add_cases, ask_for_study


class Command(BaseCommand):
    help = "Make a draft of the design in a JSON file, with the cases of its batches."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            design = json.loads(options["file"].read_text(encoding="utf-8"))
            with as_command_error():
                asked = read(StudyRequest, design)
                study, added = ask_for_study(asked, actor=None, fill=add_cases)
        except (OSError, json.JSONDecodeError) as error:
            raise CommandError(f"{options['file']} cannot be read: {error}") from error
        for warning in added.warnings:
            self.stderr.write(warning)
        self.stdout.write(f"{study.name}: a draft of {added.cases} cases")
