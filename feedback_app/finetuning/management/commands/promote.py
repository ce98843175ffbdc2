"""Promote a model version: new batches take it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from feedback_app.finetuning.gates.promotion import go_back, promote_version
from feedback_app.images.versions.services import find_version
from feedback_app.remedies import as_command_error


class Command(BaseCommand):
    help = "Promote a model version, or go back: new batches take it unless told otherwise."

    def add_arguments(self, parser: ArgumentParser) -> None:
        chosen = parser.add_mutually_exclusive_group(required=True)
        chosen.add_argument("name", nargs="?", help="of the version")
        chosen.add_argument(
            "--back", action="store_true", help="to the version that was promoted before"
        )
        parser.add_argument(
            "--reason", default="", help="why, where the gate says hold or was not asked"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with as_command_error():
            if options["back"]:
                version = go_back(actor=None).version
            else:
                version = find_version(options["name"])
                promote_version(version, actor=None, reason=options["reason"])
        self.stdout.write(f"{version.name} is promoted.")
