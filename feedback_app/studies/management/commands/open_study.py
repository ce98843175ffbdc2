"""Open a draft for reading."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from feedback_app.remedies import as_command_error
from feedback_app.runs.console import finish_here
from feedback_app.studies.models import Study
from feedback_app.studies.services import begin_opening


class Command(BaseCommand):
    help = "Write out a draft's slots and let its readers read."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--queue", action="store_true", help="leave a large study to a worker")

    def handle(self, *args: Any, **options: Any) -> None:
        study = Study.objects.filter(name=options["name"]).first()
        if study is None:
            raise CommandError(f"There is no study “{options['name']}”.")
        with as_command_error():
            study = begin_opening(study)
        if study.slots_run and options["queue"]:
            self.stdout.write(f"Queued as run {study.slots_run.pk}.")
            return
        if study.is_being_written and study.slots_run:
            finish_here(study.slots_run, write=self.stdout.write)
        self.stdout.write(f"{study.name}: open, with {study.slots.count():,} slots")
