"""Let a judge say of every candidate whether what its prompt names can be seen."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from feedback_app.images.scorers.judges import BUNDLED_NAME, register_judge
from feedback_app.remedies import as_command_error
from generation.vlm.model.folders import BUNDLED_VLM


class Command(BaseCommand):
    help = (
        "Register the judge that teach_judge has left in a folder, a measure for each attribute "
        "on which it is not below what linear probes reach. manage.py measure makes up for "
        "candidates that were made before."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", nargs="?", type=Path, default=BUNDLED_VLM / "judge")
        parser.add_argument("--name", default=BUNDLED_NAME, help=f"default: {BUNDLED_NAME}")

    def handle(self, *args: Any, **options: Any) -> None:
        with as_command_error():
            scorers, refused = register_judge(options["name"], options["folder"])
        for scorer in scorers:
            self.stdout.write(f"{scorer.name}: {scorer.headline}")
        for attribute, figure in refused.items():
            self.stdout.write(f"not active: {attribute} ({json.dumps(figure)})")
