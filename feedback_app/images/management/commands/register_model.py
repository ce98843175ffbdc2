"""Register a model version: the bundled one, a diffusers folder, or a hub id."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from feedback_app.images.versions.services import register, register_bundled
from feedback_app.remedies import as_command_error
from generation.specs import BUNDLED


class Command(BaseCommand):
    help = "Register a model version; without arguments the one that comes with the project."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "location", nargs="?", default=BUNDLED, help="a folder, or owner/name@revision"
        )
        parser.add_argument("--name", help="needed for all but the bundled model")
        parser.add_argument(
            "--resolution", type=int, help="pixels; read from the model if left out"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        location, name = options["location"], options["name"]
        if location != BUNDLED and not name:
            raise CommandError("Give the model version a name: --name NAME")
        with as_command_error():
            version = (
                register(name, location, resolution=options["resolution"])
                if name
                else register_bundled()
            )
        promoted = ", promoted" if version.is_promoted else ""
        self.stdout.write(
            f"{version.name}: {version.resolution} pixels, SHA-256 {version.sha256}{promoted}"
        )
