"""Make a model version follow masks."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from feedback_app.images.cohorts.services import find_cohort
from feedback_app.images.versions.controlnets import SETTINGS, start_controlnet
from feedback_app.images.versions.services import find_version
from feedback_app.remedies import as_command_error
from feedback_app.runs.console import finish_here
from generation.specs import ControlNetSpec, ModelSource

NUMBERS = tuple(setting for setting in SETTINGS if setting != "further")
DEFAULTS = ControlNetSpec(model=ModelSource(base=""), manifest="", cohort="")


class Command(BaseCommand):
    help = "Train a ControlNet on the masks of a cohort's training split; the model stays as it is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version", help="the model version that is to follow masks")
        parser.add_argument("cohort", help="the cohort with the masks")
        parser.add_argument("--name", help="the new version's name (default: VERSION-masks)")
        parser.add_argument(
            "--further", action="store_true", help="begin with the ControlNet that it has"
        )
        for setting in NUMBERS:
            default = getattr(DEFAULTS, setting)
            flag = f"--{setting.replace('_', '-')}"
            parser.add_argument(flag, type=type(default), default=default, help=f"{default}")
        parser.add_argument("--now", action="store_true", help="train in this process, and wait")

    def handle(self, *args: Any, **options: Any) -> None:
        with as_command_error():
            version = find_version(options["version"])
            cohort = find_cohort(options["cohort"])
            run = start_controlnet(
                version,
                cohort,
                name=options["name"] or f"{version.name}-masks",
                settings={setting: options[setting] for setting in SETTINGS},
            )
        if not options["now"]:
            self.stdout.write(f"Queued as run {run.pk}.")
            return
        result = finish_here(run, write=self.stdout.write).result
        self.stdout.write(f"Registered as model version {result['model_version']}.")
