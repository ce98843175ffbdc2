"""Train a base model on a cohort's training split."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from feedback_app.images.models import Cohort
from feedback_app.images.services.pretraining import start_pretraining
from feedback_app.runs.console import execute_here
from feedback_app.runs.models import State
from generation.errors import RemediableError
from generation.specs import PretrainSpec

DEFAULTS = PretrainSpec(manifest="", cohort="")


class Command(BaseCommand):
    help = "Train a base model on a cohort's training split, by a worker or with --now here."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("cohort", help="the cohort's name")
        parser.add_argument("--name", help="the model version's name (default: COHORT-base)")
        parser.add_argument("--resolution", type=int, default=DEFAULTS.resolution)
        parser.add_argument("--autoencoder-steps", type=int, default=DEFAULTS.autoencoder_steps)
        parser.add_argument("--denoiser-steps", type=int, default=DEFAULTS.denoiser_steps)
        parser.add_argument("--batch-size", type=int, default=DEFAULTS.batch_size)
        parser.add_argument("--seed", type=int, default=DEFAULTS.seed)
        parser.add_argument("--now", action="store_true", help="train in this process, and wait")

    def handle(self, *args: Any, **options: Any) -> None:
        cohort = Cohort.objects.filter(name=options["cohort"]).first()
        if cohort is None:
            names = ", ".join(Cohort.objects.values_list("name", flat=True)) or "none"
            raise CommandError(f"There is no cohort {options['cohort']!r}.\nImported: {names}.")
        try:
            run = start_pretraining(
                cohort,
                name=options["name"] or f"{cohort.name}-base",
                resolution=options["resolution"],
                autoencoder_steps=options["autoencoder_steps"],
                denoiser_steps=options["denoiser_steps"],
                batch_size=options["batch_size"],
                seed=options["seed"],
            )
        except RemediableError as error:
            raise CommandError(f"{error}\n{error.remedy}") from error
        if not options["now"]:
            self.stdout.write(f"Queued as run {run.pk}.")
            return
        run = execute_here(run, write=self.stdout.write)
        if run.state != State.SUCCEEDED:
            raise CommandError(f"{run.error or run.get_state_display()}\n{run.remedy}".strip())
        self.stdout.write(f"Registered as model version {run.result['model_version']}.")
