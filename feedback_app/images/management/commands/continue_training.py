"""Train a model version further on a cohort, without readings."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from feedback_app.images.management.telling import tell_version
from feedback_app.images.versions.continuing import SETTINGS, ContinueRequest, ask_for_continuing
from feedback_app.images.versions.services import find_version
from feedback_app.remedies import as_command_error
from feedback_app.requests import add_options, given, read
from generation.specs import ContinueSpec


class Command(BaseCommand):
    help = "Train a model version further on a cohort's training split; gives a new base model."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version", help="the model version to begin with")
        parser.add_argument("cohort", help="the cohort's name")
        parser.add_argument("--name", help="the new version's name (default: VERSION-COHORT)")
        add_options(parser, ContinueSpec, SETTINGS)
        parser.add_argument("--now", action="store_true", help="train in this process, and wait")

    def handle(self, *args: Any, **options: Any) -> None:
        asked = given(options, ("cohort", "name")) | {"settings": given(options, SETTINGS)}
        with as_command_error():
            version = find_version(options["version"])
            run = ask_for_continuing(read(ContinueRequest, asked), version)
        tell_version(run, is_now=options["now"], write=self.stdout.write)
