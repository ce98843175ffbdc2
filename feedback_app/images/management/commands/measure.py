"""Measure candidates that were made before the scorers and measures there are now."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from feedback_app.images.scorers.models import Scorer
from feedback_app.images.scorers.services import start_measuring
from feedback_app.runs.console import finish_here


class Command(BaseCommand):
    help = "Measure the candidates that have not been, by a worker or --now here."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--now", action="store_true", help="measure in this process, and wait")

    def handle(self, *args: Any, **options: Any) -> None:
        run = start_measuring()
        if not options["now"]:
            self.stdout.write(f"Queued as run {run.pk}.")
            return
        measured = finish_here(run, write=self.stdout.write).result["measured"]
        for name, count in measured.items():
            self.stdout.write(f"{name}: {count}")
        if not Scorer.objects.active().exists():
            self.stdout.write("No scorer is active: train one with manage.py train_proxy.")
