"""Add a person from the command line."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from feedback_app.accounts.models import Role
from feedback_app.accounts.services import add_person


class Command(BaseCommand):
    help = "Add a person, with a temporary password that is printed once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--role", choices=Role.values, default=Role.READER)
        parser.add_argument("--first-name", default="")
        parser.add_argument("--last-name", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            person, password = add_person(
                options["username"],
                role=options["role"],
                first_name=options["first_name"],
                last_name=options["last_name"],
                by=None,
            )
        except ValidationError as error:
            raise CommandError("\n".join(error.messages)) from error
        self.stdout.write(f"{person.username} ({person.role}) has the password {password}")
        self.stdout.write("It is shown this once, and has to be changed at the first login.")
