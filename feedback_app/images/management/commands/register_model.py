"""Register a model version: the bundled one, a diffusers folder, a single file, or a hub id."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from feedback_app.images.management.telling import tell_version
from feedback_app.images.versions.checkpoints import ask_for_version
from feedback_app.images.versions.models import ModelVersion
from feedback_app.images.versions.requests import VersionRequest
from feedback_app.images.versions.services import register_bundled
from feedback_app.remedies import as_command_error
from feedback_app.requests import add_options, given, read
from feedback_app.runs.models import Run
from generation.specs import BUNDLED

CHOSEN = ["config", "resolution"]


class Command(BaseCommand):
    help = "Register a model version; without arguments the one that comes with the project."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "location",
            nargs="?",
            default=BUNDLED,
            help="a folder, one .safetensors or .ckpt file, or owner/name@revision",
        )
        parser.add_argument("--name", help="needed for all but the bundled model")
        add_options(parser, VersionRequest, CHOSEN)
        parser.add_argument(
            "--now", action="store_true", help="convert a single file in this process, and wait"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        location, name = options["location"], options["name"]
        if location != BUNDLED and not name:
            raise CommandError("Give the model version a name: --name NAME")
        with as_command_error():
            values = {"name": name, "location": location, **given(options, CHOSEN)}
            made: ModelVersion | Run = (
                ask_for_version(read(VersionRequest, values)) if name else register_bundled()
            )
        if isinstance(made, Run):
            tell_version(made, is_now=options["now"], write=self.stdout.write)
            return
        promoted = ", promoted" if made.is_promoted else ""
        self.stdout.write(f"{made.name}: {made.resolution} pixels, SHA-256 {made.sha256}{promoted}")
