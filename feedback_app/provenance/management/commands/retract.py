"""Retract the readings of a reader or a study, or take that back."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from feedback_app.accounts.models import User
from feedback_app.provenance.impact import Impact, impact_of, impact_of_retraction
from feedback_app.provenance.naming import describe, kind_of
from feedback_app.provenance.rebuilding import Outcome, advance, ask_for_rebuild
from feedback_app.readings.retraction_models import Retraction
from feedback_app.readings.services.retractions import retract, undo_retraction
from feedback_app.remedies import as_command_error
from feedback_app.runs.console import finish_here
from feedback_app.studies.models import Study


class Command(BaseCommand):
    help = (
        "List what rests on the readings of a reader or a study; with --reason, retract them, "
        "with --rebuild, make anew what rests on them."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=["reader", "study"])
        parser.add_argument("name", help="a user name, or a study's name")
        parser.add_argument("--in-study", default="", help="of a reader: in this study alone")
        parser.add_argument("--reason", default="", help="retract (or, with --undo, undo) them")
        parser.add_argument("--undo", action="store_true")
        parser.add_argument("--rebuild", action="store_true", help="and do the runs here")
        parser.add_argument("--queue", action="store_true", help="leave the runs to the workers")

    def handle(self, *args: Any, **options: Any) -> None:
        target = find_target(options["kind"], options["name"])
        if options["in_study"]:
            target |= find_target("study", options["in_study"])
        with as_command_error():
            retraction = self.change(target, options)
            impact = impact_of_retraction(retraction) if retraction else preview(target)
            self.tell(impact)
            if options["rebuild"]:
                if retraction is None or not retraction.is_active:
                    raise CommandError("Nothing is retracted: give a --reason.")
                self.rebuild(retraction, queue=options["queue"])

    def change(self, target: dict[str, Any], options: dict[str, Any]) -> Retraction | None:
        """Retract, undo, or only find the retraction that stands."""
        both = {"reader": None, "study": None} | target
        standing = Retraction.objects.active().filter(**both).first()
        if options["undo"]:
            if standing is None:
                raise CommandError(f"The {options['kind']} {options['name']} is not retracted.")
            undo_retraction(standing, reason=options["reason"])
            self.stdout.write(f"The readings of the {standing} count again.")
            return Retraction.objects.get(pk=standing.pk)
        if not options["reason"]:
            return standing
        made = retract(**target, reason=options["reason"])
        self.stdout.write(f"The readings of the {made} are retracted ({made.pk}).")
        return made

    def tell(self, impact: Impact) -> None:
        self.stdout.write(f"{impact.readings} readings; {impact.count} things rest on them")
        for row in impact.rebuildable:
            self.stdout.write(f"  {kind_of(row)} {row.pk} {describe(row)}")
        for version in impact.versions:
            self.stdout.write(f"  model version {version.name}")
        for vlm in impact.vlm_versions:
            self.stdout.write(f"  VLM version {vlm.name}")

    def rebuild(self, retraction: Retraction, *, queue: bool) -> None:
        outcome = ask_for_rebuild(retraction)
        self.tell_outcome(outcome)
        while not queue and self.do_runs(outcome):
            outcome = advance(retraction)
            self.tell_outcome(outcome)

    def do_runs(self, outcome: Outcome) -> bool:
        """Returns whether a run was done, so that more may be possible."""
        runs = [getattr(row, "run", None) for row in outcome.made]
        for run in filter(None, runs):
            finish_here(run, write=self.stdout.write)
        return bool(any(runs) and outcome.waiting)

    def tell_outcome(self, outcome: Outcome) -> None:
        for row in outcome.made:
            self.stdout.write(f"  rebuilt: {kind_of(row)} {row.pk} {describe(row)}")
        for line in (*outcome.waiting, *outcome.refused):
            self.stdout.write(f"  {line}")


def find_target(kind: str, name: str) -> dict[str, Any]:
    found: User | Study | None
    if kind == "reader":
        found = User.objects.filter(username=name).first()
    else:
        found = Study.objects.filter(name=name).first()
    if found is None:
        raise CommandError(f"There is no {kind} {name!r}.")
    return {kind: found}


def preview(target: dict[str, Any]) -> Impact:
    return impact_of(Retraction(**target).sources)
