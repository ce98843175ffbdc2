"""Register a VLM: the bundled one, or a folder of a supported family."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from feedback_app.remedies import as_command_error
from feedback_app.vlms.services import BUNDLED_NAME, register_vlm
from generation.specs import BUNDLED


class Command(BaseCommand):
    help = (
        "Register a VLM. Only classes of transformers are used, safetensors alone are read, and "
        "no code that lies beside weights is run."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("location", nargs="?", default=BUNDLED, help="a folder, or bundled")
        parser.add_argument("--name", default=BUNDLED_NAME, help=f"default: {BUNDLED_NAME}")

    def handle(self, *args: Any, **options: Any) -> None:
        with as_command_error():
            version = register_vlm(options["name"], options["location"])
        self.stdout.write(f"{version.name}: {version.family}, SHA-256 {version.sha256}")
