"""Make a model version follow masks."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from feedback_app.images.management.telling import tell_version
from feedback_app.images.versions.controlnets import (
    SETTINGS,
    ControlNetRequest,
    ask_for_controlnet,
)
from feedback_app.images.versions.services import find_version
from feedback_app.remedies import as_command_error
from feedback_app.requests import add_options, given, read
from generation.specs import ControlNetSpec


class Command(BaseCommand):
    help = "Train a ControlNet on the masks of a cohort's training split; the model stays as it is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version", help="the model version that is to follow masks")
        parser.add_argument("cohort", help="the cohort with the masks")
        parser.add_argument("--name", help="the new version's name (default: VERSION-masks)")
        add_options(parser, ControlNetSpec, SETTINGS)
        parser.add_argument("--now", action="store_true", help="train in this process, and wait")

    def handle(self, *args: Any, **options: Any) -> None:
        asked = given(options, ("cohort", "name")) | {"settings": given(options, SETTINGS)}
        with as_command_error():
            version = find_version(options["version"])
            run = ask_for_controlnet(read(ControlNetRequest, asked), version)
        tell_version(run, is_now=options["now"], write=self.stdout.write)
