"""Train a model version further on a cohort, without readings."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from feedback_app.images.cohorts.services import find_cohort
from feedback_app.images.versions.continuing import SETTINGS, start_continuing
from feedback_app.images.versions.services import find_version
from feedback_app.remedies import as_command_error
from feedback_app.runs.console import finish_here
from generation.specs import ContinueSpec, ModelSource

DEFAULTS = ContinueSpec(model=ModelSource(base=""), manifest="", cohort="")


class Command(BaseCommand):
    help = "Train a model version further on a cohort's training split; gives a new base model."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version", help="the model version to begin with")
        parser.add_argument("cohort", help="the cohort's name")
        parser.add_argument("--name", help="the new version's name (default: VERSION-COHORT)")
        for setting in SETTINGS:
            default = getattr(DEFAULTS, setting)
            flag = f"--{setting.replace('_', '-')}"
            parser.add_argument(flag, type=type(default), default=default, help=f"{default}")
        parser.add_argument("--now", action="store_true", help="train in this process, and wait")

    def handle(self, *args: Any, **options: Any) -> None:
        with as_command_error():
            version, cohort = find_version(options["version"]), find_cohort(options["cohort"])
            run = start_continuing(
                version,
                cohort,
                name=options["name"] or f"{version.name}-{cohort.name}",
                settings={setting: options[setting] for setting in SETTINGS},
            )
        if not options["now"]:
            self.stdout.write(f"Queued as run {run.pk}.")
            return
        result = finish_here(run, write=self.stdout.write).result
        self.stdout.write(f"Registered as model version {result['model_version']}.")
