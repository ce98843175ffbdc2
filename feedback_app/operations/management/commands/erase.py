"""Erase a person or a cohort."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from feedback_app.operations.erasure import asking
from feedback_app.operations.requests import ErasureRequest
from feedback_app.remedies import as_command_error


class Command(BaseCommand):
    help = "Say what erasing a person or a cohort would do; with --yes, do it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=("person", "cohort"))
        parser.add_argument("name", help="user name, or a cohort's name")
        parser.add_argument("--yes", action="store_true", help="do it; nothing brings it back")

    def handle(self, *args: Any, **options: Any) -> None:
        kind, name = options["kind"], options["name"]
        with as_command_error():
            for line in asking.plan(kind, name).lines():
                self.stdout.write(line)
            if options["yes"]:
                asking.erase(ErasureRequest(kind=kind, name=name, confirm=name), by=None)
        self.stdout.write(
            f"{name} is erased." if options["yes"] else "Nothing was done: add --yes."
        )
