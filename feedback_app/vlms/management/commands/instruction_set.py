"""Build an instruction set: questions with answers on pictures, with their benchmark."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from feedback_app.remedies import as_command_error
from feedback_app.requests import add_options, given, read
from feedback_app.runs.console import finish_here
from feedback_app.vlms.asking import ask_for_instructions
from feedback_app.vlms.requests import InstructionRequest

OPTIONS = ("cohorts", "readings", "data", "seed")


class Command(BaseCommand):
    help = "Build an instruction set of cohorts that are here and of public data sets' folders."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        add_options(parser, InstructionRequest, OPTIONS, shown={"cohorts": "COHORT"})
        parser.add_argument("--queue", action="store_true", help="leave it to a worker")

    def handle(self, *args: Any, **options: Any) -> None:
        values = {"name": options["name"], **given(options, OPTIONS)}
        with as_command_error():
            row = ask_for_instructions(read(InstructionRequest, values))
        if options["queue"]:
            self.stdout.write(f"Queued as run {row.run_id}.")
            return
        finish_here(row.run, write=self.stdout.write)
        row.refresh_from_db()
        self.stdout.write(
            f"{row.count:,} instructions, {row.question_count:,} questions in the benchmark: "
            f"{row.path}"
        )
