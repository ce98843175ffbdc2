"""Freeze what readers said of reports, for VLM versions to learn from."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from feedback_app.remedies import as_command_error
from feedback_app.requests import add_options, given, read
from feedback_app.vlms.learning.requests import ReportSnapshotRequest, ask_for_report_snapshot

OPTIONS = ("studies", "is_simulated")


class Command(BaseCommand):
    help = "Take a snapshot of choices between reports and of edits of drafts."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        add_options(parser, ReportSnapshotRequest, OPTIONS, flags={"is_simulated": "--simulated"},
                    shown={"studies": "STUDY"})  # fmt: skip

    def handle(self, *args: Any, **options: Any) -> None:
        values = {"name": options["name"], **given(options, OPTIONS)}
        with as_command_error():
            row = ask_for_report_snapshot(read(ReportSnapshotRequest, values))
        self.stdout.write(f"snapshot {row.pk}: {row.lessons.count()} lessons, sha256 {row.sha256}")
