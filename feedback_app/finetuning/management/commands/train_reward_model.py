"""Train a reward model on a snapshot's preferences."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from feedback_app.finetuning.requests import RewardModelRequest, ask_for_reward_model
from feedback_app.finetuning.services.reward_models import SETTINGS
from feedback_app.remedies import as_command_error
from feedback_app.requests import add_options, given, read
from feedback_app.runs.console import finish_here
from generation.specs import RewardModelSpec


class Command(BaseCommand):
    help = "Train a reward model that foretells readers' scores, by a worker or with --now here."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("snapshot", help="id or name; of several of a name the newest")
        add_options(parser, RewardModelRequest, ("name", "trunk"))
        add_options(parser, RewardModelSpec, SETTINGS)
        parser.add_argument("--now", action="store_true", help="train in this process, and wait")

    def handle(self, *args: Any, **options: Any) -> None:
        asked = given(options, ("snapshot", "name", "trunk"))
        asked["settings"] = given(options, SETTINGS)
        with as_command_error():
            training = ask_for_reward_model(read(RewardModelRequest, asked))
        if not options["now"]:
            self.stdout.write(f"Queued as run {training.run.pk}.")
            return
        result = finish_here(training.run, write=self.stdout.write).result
        self.stdout.write(f"Registered as {result['scorer']}.")
        for name, value in result.items():
            if isinstance(value, int | float):
                self.stdout.write(f"  {name.replace('_', ' ')}: {value:.3g}")
