"""Instruction data for vision-language models from public data sets, as JSON lines."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from feedback_app.remedies import as_command_error
from generation.vlm.instructions.build import Request, build
from generation.vlm.instructions.card import make_card
from generation.vlm.instructions.sources.catalogue import SOURCES


def named_folder(text: str) -> tuple[str, Path]:
    name, _, path = text.partition("=")
    return name, Path(path)


named_folder.__name__ = "NAME=PATH"  # what argparse names in its error


class Command(BaseCommand):
    help = (
        "Write questions with answers on chest X-rays into a folder: train/, validation/ and "
        "test/ as JSON lines, with a data card. Takes every source whose folder lies under DATA "
        f"by its name, and those that are named. Sources: {', '.join(SOURCES)}."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("output", type=Path, help="an empty folder, or one to go on with")
        parser.add_argument("--data", type=Path, help="the folder that holds the sources' folders")
        parser.add_argument(
            "--source",
            action="append",
            default=[],
            type=named_folder,
            metavar="NAME=PATH",
            help="a source and its folder; may be given again",
        )
        parser.add_argument("--seed", default="0", help="what templates and options are drawn by")

    def handle(self, *args: Any, **options: Any) -> None:
        folders = dict(options["source"])
        if data := options["data"]:
            folders = {name: data / name for name in SOURCES if (data / name).is_dir()} | folders
        request = Request(folders=folders, seed=options["seed"])
        with as_command_error():
            built = build(request, options["output"], report=self.stdout.write)
            card = make_card(request, options["output"], parts=built.parts, sides=built.sides)
        for split, count in card["splits"].items():
            self.stdout.write(f"{split}: {count:,}")
        self.stdout.write(f"data card: {options['output'] / 'README.md'}")
