"""Apply a policy, making it first where rules are given."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from feedback_app.curation.models import Policy
from feedback_app.curation.requests import PolicyRequest, make_policy
from feedback_app.curation.services import apply_policy
from feedback_app.remedies import as_command_error
from feedback_app.requests import add_options, given, read

DERIVED = ("min_readers", "vetoing_grade", "uses_simulated_readers", "prefers_final")
FLAGS = {
    "vetoing_grade": "--veto-grade",
    "uses_simulated_readers": "--simulated-readers",
    "prefers_final": "--prefer-final",
}


def parse_score(text: str) -> tuple[str, float]:
    slug, _, least = text.partition("=")
    return slug, float(least)


parse_score.__name__ = "CRITERION=SCORE"  # what argparse names in its error


def parse_measure(text: str) -> tuple[str, float]:
    return parse_score(text)


parse_measure.__name__ = "MEASURE=VALUE"


class Command(BaseCommand):
    help = "Apply a policy: prints the curated set. With --study, make the policy first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("policy", help="the policy's name")
        parser.add_argument("--study", action="append", default=[], help="a study's name")
        parser.add_argument(
            "--min-score",
            action="append",
            default=[],
            type=parse_score,
            metavar="CRITERION=SCORE",
            help="least mean score, as in realism=3.5",
        )
        parser.add_argument(
            "--min-measure",
            action="append",
            default=[],
            type=parse_measure,
            metavar="MEASURE=VALUE",
            help="least measure, as in label-agreement=0.5",
        )
        parser.add_argument("--veto", action="append", default=[], help="a flag that keeps out")
        parser.add_argument("--allow-copies", action="store_true")
        add_options(parser, PolicyRequest, DERIVED, flags=FLAGS)

    def handle(self, *args: Any, **options: Any) -> None:
        with as_command_error():
            policy = self.make(options) if options["study"] else self.find(options["policy"])
            curated_set = apply_policy(policy)
        self.stdout.write(f"{curated_set.items.count()} of {curated_set.considered} get in")
        for reason, count in curated_set.refused.items():
            self.stdout.write(f"  {count} {reason}")
        self.stdout.write(f"curated set {curated_set.pk} sha256 {curated_set.sha256}")

    def find(self, name: str) -> Policy:
        policy = Policy.objects.filter(name=name).first()
        if policy is None:
            raise CommandError(f"There is no policy {name!r}; make it with --study.")
        return policy

    def make(self, options: dict[str, Any]) -> Policy:
        return make_policy(
            read(
                PolicyRequest,
                {
                    **given(options, DERIVED),
                    "name": options["policy"],
                    "studies": options["study"],
                    "min_mean_scores": dict(options["min_score"]),
                    "min_measures": dict(options["min_measure"]),
                    "vetoing_flags": options["veto"],
                    "refuses_copies": not options["allow_copies"],
                },
            )
        )
