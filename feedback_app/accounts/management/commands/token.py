"""Make, list and revoke tokens of the REST API from the command line."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from feedback_app.accounts.models import Token, User
from feedback_app.accounts.requests import TokenRequest
from feedback_app.accounts.tokens import make_token, revoke_token
from feedback_app.remedies import as_command_error
from feedback_app.requests import add_options, given, read

OPTIONS = ("role", "is_read_only", "days")


class Command(BaseCommand):
    help = "Make a token, which is printed once; list somebody's tokens; revoke one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        for action in ("make", "list", "revoke"):
            one = actions.add_parser(action)
            one.add_argument("username")
            if action != "list":
                one.add_argument("name", help="the token's name")
            if action == "make":
                add_options(one, TokenRequest, OPTIONS)

    def handle(self, *args: Any, **options: Any) -> None:
        owner = User.objects.filter(username=options["username"]).first()
        if owner is None:
            raise CommandError(f"There is no person {options['username']!r}.")
        with as_command_error():
            getattr(self, f"{options['action']}_token")(owner, options)

    def make_token(self, owner: User, options: dict[str, Any]) -> None:
        asked = {"name": options["name"], **given(options, OPTIONS)}
        token, text = make_token(read(TokenRequest, asked), owner=owner, by=None)
        self.stdout.write(f"{owner.username}: {token.name}, {token.role}, until {token.expiry:%F}")
        self.stdout.write(text)

    def list_token(self, owner: User, options: dict[str, Any]) -> None:
        for token in Token.objects.filter(user=owner):
            used = f"{token.last_used_at:%F %H:%M}" if token.last_used_at else "never"
            state = f"until {token.expiry:%F}" if token.is_live else "over"
            may = f"{token.role}{', reading alone' if token.is_read_only else ''}"
            self.stdout.write(f"{token.name}: {may}; {state}; last used {used}")

    def revoke_token(self, owner: User, options: dict[str, Any]) -> None:
        token = Token.objects.live().filter(user=owner, name=options["name"]).first()
        if token is None:
            raise CommandError(f"{owner.username} has no such token: {options['name']!r}.")
        revoke_token(token, by=None)
        self.stdout.write(f"{token.name} is revoked.")
