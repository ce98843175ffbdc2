"""Write a snapshot's pairs out for trainers of Diffusion-DPO."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from feedback_app.exports.console import add_out, make_here
from feedback_app.exports.requests import PreferencesRequest
from feedback_app.exports.services import ask_for_preferences
from feedback_app.requests import read


class Command(BaseCommand):
    help = "Write a snapshot's pairs out in a zip file, for trainers of Diffusion-DPO."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("snapshot", help="the snapshot's id")
        add_out(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        values = {"snapshot": options["snapshot"]}
        make_here(
            lambda: ask_for_preferences(read(PreferencesRequest, values)),
            out=options["out"],
            write=self.stdout.write,
        )
