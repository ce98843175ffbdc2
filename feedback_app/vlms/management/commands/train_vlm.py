"""Train a VLM on instructions, in stages."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from feedback_app.remedies import as_command_error
from feedback_app.requests import add_options, given, read
from feedback_app.runs.console import finish_here
from feedback_app.vlms.requests import SETTINGS, VlmTrainingRequest, ask_for_training
from generation.specs import VlmSpec


class Command(BaseCommand):
    help = "Train a VLM on instructions: language, encoder, bridge, instructions."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the name of the version that comes of it")
        parser.add_argument("instructions", help="what build_instructions has written")
        add_options(parser, VlmTrainingRequest, ("parent",), shown={"parent": "NAME"})
        add_options(parser, VlmSpec, SETTINGS)
        parser.add_argument("--queue", action="store_true", help="leave it to a worker")

    def handle(self, *args: Any, **options: Any) -> None:
        values = {
            **{name: options[name] for name in ("name", "instructions")},
            **given(options, ("parent",)),
            "settings": given(options, SETTINGS),
        }
        with as_command_error():
            run = ask_for_training(read(VlmTrainingRequest, values))
        if options["queue"]:
            self.stdout.write(f"Queued as run {run.pk}.")
            return
        result = finish_here(run, write=self.stdout.write).result
        self.stdout.write(f"gives the VLM version {result['vlm_version']}")
