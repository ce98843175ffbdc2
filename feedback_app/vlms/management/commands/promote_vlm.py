"""Promote a VLM version, or go back."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from feedback_app.remedies import as_command_error
from feedback_app.vlms.learning.promotion import go_back_vlm, promote_vlm
from feedback_app.vlms.services import find_vlm


class Command(BaseCommand):
    help = "Promote a VLM version, or go back: it is offered first from then on."

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
                version = go_back_vlm(actor=None).version
            else:
                version = find_vlm(options["name"])
                promote_vlm(version, actor=None, reason=options["reason"])
        self.stdout.write(f"{version.name} is promoted.")
