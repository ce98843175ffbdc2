"""Send cases of a study to adjudication, or take a round of it back."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from feedback_app.readings.adjudication.withdrawing import withdraw
from feedback_app.remedies import as_command_error
from feedback_app.requests import add_options, given, read
from feedback_app.results.adjudication_requests import AdjudicationRequest, ask_for_adjudication
from feedback_app.studies.management.finding import find_study
from feedback_app.studies.models import Adjudication, Study
from generation.errors import RemediableError

FIELDS = ("cases", "most_disputed", "adjudicators")


class Command(BaseCommand):
    help = (
        "Send cases of a study to one adjudicator, or to several for a consensus round; or take "
        "back what is still open of a round."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("study", help="name or id")
        add_options(parser, AdjudicationRequest, FIELDS)
        parser.add_argument(
            "--withdraw", metavar="ROUND", help="the name of a round, as this command wrote it"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        study = find_study(options["study"])
        if options["withdraw"]:
            self._withdraw(study, options["withdraw"])
            return
        with as_command_error():
            asked = read(AdjudicationRequest, given(options, FIELDS))
            adjudication = ask_for_adjudication(asked, study)
        self.stdout.write(f"{adjudication.panel}: {adjudication.cases.count()} cases")

    def _withdraw(self, study: Study, name: str) -> None:
        with as_command_error():
            count = withdraw(find_round(study, name))
        self.stdout.write(f"{name}: {count} open readings taken back")


def find_round(study: Study, name: str) -> Adjudication:
    """Returns the study's round with this name."""
    rounds = study.adjudications.select_related("panel").order_by("panel__created_at")
    found = {one.panel.name: one for one in rounds}
    if name not in found:
        known = ", ".join(found) or "none yet"
        raise RemediableError(
            f"“{study.name}” has no round “{name}”.", remedy=f"Its rounds: {known}."
        )
    return found[name]
