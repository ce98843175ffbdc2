"""Bring the answers of a model that runs elsewhere to the benchmark of an instruction set."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from feedback_app.remedies import as_command_error
from feedback_app.requests import read
from feedback_app.runs.console import finish_here
from feedback_app.vlms.asking import bring_answers
from feedback_app.vlms.requests import AnswersRequest
from feedback_app.vlms.tables import in_lines


class Command(BaseCommand):
    help = "Bring a model's answers (JSON lines) to a benchmark, and print its figures."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("model", help="what the model is called in the tables")
        parser.add_argument("instruction_set")
        parser.add_argument("answers", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            answers = options["answers"].read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{options['answers']} cannot be read: {error}") from error
        values = {name: options[name] for name in ("model", "instruction_set")}
        with as_command_error():
            result = bring_answers(read(AnswersRequest, values | {"answers": answers}))
        finish_here(result.run, write=self.stdout.write)
        for line in in_lines(result):
            self.stdout.write(line)
