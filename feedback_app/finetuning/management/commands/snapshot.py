"""Freeze the pairs and ratings that readings give."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from feedback_app.finetuning.services import take_snapshot
from feedback_app.remedies import as_command_error
from feedback_app.studies.models import Study


class Command(BaseCommand):
    help = "Take a snapshot of the pairs and ratings in all studies, or in those that are named."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="of the snapshot")
        parser.add_argument("--study", action="append", default=[], help="a study's name")
        parser.add_argument(
            "--simulated", action="store_true", help="of simulated readers instead of people"
        )

        parser.add_argument(
            "--prefer-final",
            action="store_true",
            help="adjudicated cases teach by their final readings alone",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        studies = list(Study.objects.own().filter(name__in=options["study"]))
        missing = set(options["study"]) - {study.name for study in studies}
        if missing:
            raise CommandError(f"There is no study {', '.join(sorted(missing))}.")
        with as_command_error():
            snapshot = take_snapshot(
                name=options["name"],
                studies=studies or None,
                simulated=options["simulated"],
                prefers_final=options["prefer_final"],
            )
        self.stdout.write(
            f"snapshot {snapshot.pk}: {snapshot.pairs.count()} pairs, "
            f"{snapshot.rated_images.count()} ratings, sha256 {snapshot.sha256}"
        )
