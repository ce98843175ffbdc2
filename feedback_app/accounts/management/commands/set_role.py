"""Give a person another role from the command line."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from feedback_app.accounts.models import Role, User
from feedback_app.accounts.services import set_role
from feedback_app.remedies import as_command_error


class Command(BaseCommand):
    help = "Give a person another role; of a superuser, take that away with it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")
        parser.add_argument("role", choices=Role.values)

    def handle(self, *args: Any, **options: Any) -> None:
        person = User.objects.filter(username=options["username"]).first()
        if person is None:
            raise CommandError(f"There is no person {options['username']!r}.")
        with as_command_error():
            person = set_role(person, options["role"], by=None)
        self.stdout.write(f"{person.username} is {person.held_role.label.lower()} now.")
