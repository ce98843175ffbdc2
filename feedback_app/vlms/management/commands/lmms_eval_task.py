"""Write the benchmark of an instruction set as a task folder of lmms-eval."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from feedback_app.remedies import as_command_error
from feedback_app.vlms.asking import BENCHMARK, find_with_benchmark
from feedback_app.vlms.set_files import bring_set, pictures_at_hand
from generation.vlm.benchmark.items import read_benchmark
from generation.vlm.benchmark.lmms_eval import write_task
from generation.vlm.instructions.folders import picture_folders


class Command(BaseCommand):
    help = (
        "Write a benchmark as a task folder of lmms-eval, with its pictures: real ones, if it "
        "asks of cohorts. The log of samples is brought back by bring_answers."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("instruction_set")
        parser.add_argument("folder", type=Path, help="an empty folder")

    def handle(self, *args: Any, **options: Any) -> None:
        with as_command_error():
            row = find_with_benchmark(options["instruction_set"])
            folder = bring_set(row.path)
            benchmark = read_benchmark(folder / BENCHMARK)
            with pictures_at_hand(folder, folder):
                count = write_task(benchmark, picture_folders(folder), options["folder"])
        self.stdout.write(f"{count:,} documents: {options['folder']}")
