"""Make a batch of candidates."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from feedback_app.images.models import Batch, ModelVersion
from feedback_app.images.services.batches import (
    Settings,
    create_batch,
    next_name,
    progress_of,
    split_prompts,
)
from feedback_app.images.services.prompt_sets import find_version as find_prompt_set
from feedback_app.runs.console import execute_here
from generation.conditioning.prompts import default_prompts
from generation.errors import RemediableError


class Command(BaseCommand):
    help = "Make a batch of candidates here, or with --queue leave it to the workers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("prompts", nargs="*", help="each in quotes")
        parser.add_argument("--prompt-file", type=Path, help="one prompt a line")
        parser.add_argument("--default-prompts", type=int, metavar="N", help="N of the usual ones")
        parser.add_argument(
            "--prompt-set",
            metavar="NAME[@VERSION]",
            help="its prompts, or those given that are of it",
        )
        parser.add_argument("--name", help="the batch's name")
        parser.add_argument("--model", help="a model version's name (default: the promoted one)")
        parser.add_argument("--images-per-prompt", type=int, default=4)
        parser.add_argument("--steps", type=int, default=Settings.steps)
        parser.add_argument("--guidance", type=float, default=Settings.guidance_scale)
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--queue", action="store_true", help="leave it to the workers")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            prompt_set = find_prompt_set(options["prompt_set"]) if options["prompt_set"] else None
            prompts = read_prompts(options)
            batch = create_batch(
                options["name"] or next_name(),
                model_version=find_version(options["model"]),
                prompts=prompts or (prompt_set.texts() if prompt_set else []),
                images_per_prompt=options["images_per_prompt"],
                settings=Settings(steps=options["steps"], guidance_scale=options["guidance"]),
                seed=options["seed"],
                prompt_set_version=prompt_set,
            )
        except RemediableError as error:
            raise CommandError(f"{error}\n{error.remedy}") from error
        if not options["queue"]:
            self.make_here(batch)
        progress = progress_of(batch)
        self.stdout.write(f"{batch.name} ({batch.pk}): {progress.made} of {progress.total} made.")

    def make_here(self, batch: Batch) -> None:
        for run in batch.runs.order_by("created_at"):
            finished = execute_here(run, write=self.stdout.write)
            if finished.error:
                raise CommandError(f"{finished.error}\n{finished.remedy}")


def read_prompts(options: dict[str, Any]) -> list[str]:
    prompts = list(options["prompts"])
    if options["prompt_file"]:
        try:
            prompts += split_prompts(options["prompt_file"].read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise RemediableError(
                f"{options['prompt_file']} cannot be read: {error}",
                remedy="Name a text file in UTF-8 with one prompt a line.",
            ) from error
    if options["default_prompts"]:
        prompts += default_prompts()[: options["default_prompts"]]
    return prompts


def find_version(name: str | None) -> ModelVersion:
    versions = ModelVersion.objects.all()
    found = versions.filter(name=name) if name else versions.filter(is_promoted=True)
    version = found.first()
    if version is None:
        raise RemediableError(
            f"There is no model version {name!r}." if name else "No model version is promoted.",
            remedy="Register one with manage.py register_model.",
        )
    return version
