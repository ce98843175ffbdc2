"""The command that promotes a version, or goes back: of models and of VLMs alike."""

from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any, ClassVar

from django.core.management.base import BaseCommand

from feedback_app.remedies import as_command_error


class PromotionCommand(BaseCommand):
    """``find`` knows a version by its name; ``go_back`` gives the promotion that it made."""

    find: ClassVar[Callable[[str], Any]]
    promote: ClassVar[Callable[..., Any]]
    go_back: ClassVar[Callable[..., Any]]

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
        kind = type(self)
        with as_command_error():
            if options["back"]:
                version = kind.go_back(actor=None).version
            else:
                version = kind.find(options["name"])
                kind.promote(version, actor=None, reason=options["reason"])
        self.stdout.write(f"{version.name} is promoted.")
