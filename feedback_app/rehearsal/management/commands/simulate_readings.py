"""Let simulated readers read a study."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from feedback_app.rehearsal.simulation import simulate_readings, staff_and_open
from feedback_app.remedies import as_command_error
from feedback_app.studies.management.finding import find_study
from feedback_app.studies.models import StudyState


class Command(BaseCommand):
    help = (
        "Let simulated readers read a study. A draft is given that many simulated readers "
        "and opened; an open study is read by those that it has."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("study", help="name or id")
        parser.add_argument("--readers", type=int, default=3, help="for a draft (default: 3)")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument(
            "--marks", action="store_true", help="flag what they do not like, where it is"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        study = find_study(options["study"])
        with as_command_error():
            if study.state == StudyState.DRAFT:
                study = staff_and_open(study, reader_count=options["readers"])
            count = simulate_readings(study, seed=options["seed"], marks=options["marks"])
        self.stdout.write(f"{count} simulated readings of “{study.name}”")
