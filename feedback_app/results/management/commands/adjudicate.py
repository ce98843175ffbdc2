"""Send cases of a study to adjudication."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from feedback_app.remedies import as_command_error
from feedback_app.requests import add_options, given, read
from feedback_app.results.adjudication_requests import AdjudicationRequest, ask_for_adjudication
from feedback_app.studies.management.finding import find_study

FIELDS = ("cases", "most_disputed", "adjudicators")


class Command(BaseCommand):
    help = "Send cases of a study to one adjudicator, or to several for a consensus round."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("study", help="name or id")
        add_options(parser, AdjudicationRequest, FIELDS)

    def handle(self, *args: Any, **options: Any) -> None:
        study = find_study(options["study"])
        with as_command_error():
            asked = read(AdjudicationRequest, given(options, FIELDS))
            adjudication = ask_for_adjudication(asked, study)
        self.stdout.write(f"{adjudication.panel}: {adjudication.cases.count()} cases")
