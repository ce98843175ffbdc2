"""Keep what readers of a study signed, as reports that others are compared with."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from feedback_app.remedies import as_command_error
from feedback_app.requests import add_options, given, read
from feedback_app.vlms.drafting.requests import SignedDraftsRequest, ask_for_signed


class Command(BaseCommand):
    help = "Keep one report an image that readers of a study wrote or corrected."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="what studies choose them by")
        parser.add_argument("study")
        add_options(
            parser, SignedDraftsRequest, ("is_simulated",), flags={"is_simulated": "--simulated"}
        )

    def handle(self, *args: Any, **options: Any) -> None:
        values = {"name": options["name"], "study": options["study"]}
        with as_command_error():
            drafts = ask_for_signed(
                read(SignedDraftsRequest, values | given(options, ("is_simulated",)))
            )
        self.stdout.write(f"{drafts}: {drafts.drafts.count()} reports, sha256 {drafts.sha256}")
