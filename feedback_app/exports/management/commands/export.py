"""Write a curated set out as an archive."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from feedback_app.exports.console import add_out, make_here
from feedback_app.exports.requests import ExportRequest
from feedback_app.exports.services import ask_for_export
from feedback_app.requests import add_options, given, read

CHOSEN = ["format", "with_readings"]


class Command(BaseCommand):
    help = "Write a curated set out in a zip file."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("curated_set", help="the curated set's id")
        add_options(parser, ExportRequest, CHOSEN)
        add_out(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        values = {"curated_set": options["curated_set"], **given(options, CHOSEN)}
        make_here(
            lambda: ask_for_export(read(ExportRequest, values)),
            out=options["out"],
            write=self.stdout.write,
        )
