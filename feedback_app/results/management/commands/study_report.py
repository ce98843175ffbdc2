"""What the readings of a study say, in words and as tables of numbers."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from feedback_app.results import sentences
from feedback_app.results.figures import figures_of
from feedback_app.results.plots.catalogue import plots_of
from feedback_app.studies.management.finding import find_study


class Command(BaseCommand):
    help = "Say what the readings of a study say; --csv writes the numbers of every plot."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("study", help="name or id")
        parser.add_argument("--csv", type=Path, metavar="FOLDER", help="write CSV files there")

    def handle(self, *args: Any, **options: Any) -> None:
        figures = figures_of(find_study(options["study"]))
        self.stdout.write(f"{figures.reading_count} readings by {len(figures.readers)} readers")
        for line in (*figures.alarms, sentences.simulated_note(figures)):
            if line:
                self.stdout.write(line)
        for one in figures.scores:
            self.stdout.write(f"{one.question.name}: {sentences.agreement_sentence(one)}")
        for detection in figures.detections:
            self.stdout.write(
                f"{detection.question.name}: {sentences.detection_sentence(detection)}"
            )
        if options["csv"]:
            options["csv"].mkdir(parents=True, exist_ok=True)
            for name, plot in plots_of(figures).items():
                (options["csv"] / f"{name}.csv").write_text(plot.csv(), newline="")
