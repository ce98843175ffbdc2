"""Train a base model on a cohort's training split."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from feedback_app.images.management.telling import tell_version
from feedback_app.images.versions.pretraining import (
    SETTINGS,
    PretrainRequest,
    ask_for_pretraining,
)
from feedback_app.remedies import as_command_error
from feedback_app.requests import add_options, given, read
from generation.specs import PretrainSpec


class Command(BaseCommand):
    help = "Train a base model on a cohort's training split, by a worker or with --now here."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("cohort", help="the cohort's name")
        parser.add_argument("--name", help="the model version's name (default: COHORT-base)")
        add_options(parser, PretrainSpec, SETTINGS)
        parser.add_argument("--now", action="store_true", help="train in this process, and wait")

    def handle(self, *args: Any, **options: Any) -> None:
        asked = given(options, ("cohort", "name")) | {"settings": given(options, SETTINGS)}
        with as_command_error():
            run = ask_for_pretraining(read(PretrainRequest, asked))
        tell_version(run, is_now=options["now"], write=self.stdout.write)
