"""Let a VLM version answer the benchmark of an instruction set."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from feedback_app.remedies import as_command_error
from feedback_app.requests import read
from feedback_app.runs.console import finish_here
from feedback_app.vlms.asking import ask_for_benchmark
from feedback_app.vlms.requests import BenchmarkRequest
from feedback_app.vlms.tables import in_lines


class Command(BaseCommand):
    help = "Let a VLM version answer the benchmark of an instruction set, and print its figures."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version")
        parser.add_argument("instruction_set")
        parser.add_argument("--queue", action="store_true", help="leave it to a worker")

    def handle(self, *args: Any, **options: Any) -> None:
        values = {name: options[name] for name in ("version", "instruction_set")}
        with as_command_error():
            result = ask_for_benchmark(read(BenchmarkRequest, values))
        if options["queue"]:
            self.stdout.write(f"Queued as run {result.run_id}.")
            return
        if not result.run.is_finished:
            finish_here(result.run, write=self.stdout.write)
        for line in in_lines(result):
            self.stdout.write(line)
