"""Take away a lost second factor from the command line."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from feedback_app.accounts.models import User
from feedback_app.accounts.services import reset_second_factor
from feedback_app.remedies import as_command_error


class Command(BaseCommand):
    help = "Take away a lost second factor: the password alone logs in, until another is set up."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        person = User.objects.filter(username=options["username"]).first()
        if person is None:
            raise CommandError(f"There is no person {options['username']!r}.")
        with as_command_error():
            reset_second_factor(person, by=None)
        self.stdout.write(f"{person.username} logs in with the password alone now.")
