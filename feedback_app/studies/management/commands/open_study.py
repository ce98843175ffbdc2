"""Open a draft for reading."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from feedback_app.studies.models import Study
from feedback_app.studies.services import open_study
from generation.errors import RemediableError


class Command(BaseCommand):
    help = "Write out a draft's slots and let its readers read."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        study = Study.objects.filter(name=options["name"]).first()
        if study is None:
            raise CommandError(f"There is no study “{options['name']}”.")
        try:
            study = open_study(study)
        except RemediableError as error:
            raise CommandError(f"{error}\n{error.remedy}") from error
        self.stdout.write(f"{study.name}: open, with {study.slots.count():,} slots")
