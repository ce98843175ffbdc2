"""Make a batch of candidates."""

from argparse import ArgumentParser
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from feedback_app.images.candidates.batches import numbers_made_before, progress_of
from feedback_app.images.candidates.fitting_models import Fitting
from feedback_app.images.candidates.mask_plan import MaskPlan
from feedback_app.images.candidates.models import Batch
from feedback_app.images.candidates.requests import BatchRequest, MaskRequest, ask_for_batch
from feedback_app.images.management.prompt_files import read_prompt_file
from feedback_app.remedies import as_command_error
from feedback_app.requests import add_options, given, read
from feedback_app.runs.console import finish_here
from generation.conditioning.prompts import default_prompts

NAMED = (
    "name",
    "model_version",
    "prompt_set",
    "images_per_prompt",
    "steps",
    "guidance_scale",
    "sampler",
    "side",
    "seed",
    "mode",
    "fits",
    "tries",
)
FLAGS = {"model_version": "--model", "guidance_scale": "--guidance"}
SHOWN = {
    "model_version": "NAME",
    "prompt_set": "NAME[@VERSION]",
    "name": "NAME",
    "fits": "ATTRIBUTE",
}
MASKS = "masks_"
MASK_FLAGS = {
    "cohort": "--masks",
    "kinds": "--mask-kinds",
    "images": "--mask-images",
    "number": "--mask-number",
    "seed": "--mask-seed",
    "allows_held_out": "--held-out-masks",
}
MASK_NAMES = tuple(name for name in MaskRequest.model_fields if name != "keeps_parents")
MASK_SHOWN = {"cohort": "COHORT", "kinds": "KIND", "images": "NAME", "transforms": "FAMILY"}


class Command(BaseCommand):
    help = "Make a batch of candidates here, or with --queue leave it to the workers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("prompts", nargs="*", help="each in quotes")
        parser.add_argument("--prompt-file", type=Path, help="one prompt a line")
        parser.add_argument("--default-prompts", type=int, metavar="N", help="N of the usual ones")
        add_options(parser, BatchRequest, NAMED, flags=FLAGS, shown=SHOWN)
        masks = parser.add_argument_group("masks", "for models with a ControlNet")
        add_options(
            masks,
            MaskRequest,
            MASK_NAMES,
            flags=MASK_FLAGS,
            shown=MASK_SHOWN,
            prefix=MASKS,
        )
        masks.add_argument(
            "--without-parents", action="store_true", help="leave out the masks as they are"
        )
        parser.add_argument("--queue", action="store_true", help="leave it to the workers")

    def handle(self, *args: Any, **options: Any) -> None:
        with as_command_error():
            batch, plan = ask_for_batch(read_options(options))
        if plan is not None:
            self.say(plan)
        self.say_existing(batch)
        self.say_tries(batch)
        if not options["queue"]:
            self.make_here(batch)
        progress = progress_of(batch)
        self.stdout.write(f"{batch.name} ({batch.pk}): {progress.made} of {progress.total} made.")
        if progress.fitting is not None:
            lines = [f"{count} {words}" for words, count in progress.fitting.lines]
            self.stdout.write(f"Fitted after: {', '.join(lines)}.")

    def say(self, plan: MaskPlan) -> None:
        """How many masks are refused, and why."""
        self.stdout.write(f"{plan.accepted} masks to follow, {plan.refused} refused.")
        for reason, count in plan.refusals:
            self.stdout.write(f"  {count} x {reason}")

    def say_existing(self, batch: Batch) -> None:
        """Which images there were already: the same recipe is made once."""
        existing = [position + 1 for position in numbers_made_before(batch)]
        if existing:
            total = batch.recipes.count()
            self.stdout.write(
                f"{len(existing)} of {total} existed already and are not made again: "
                f"{in_ranges(existing)}."
            )

    def say_tries(self, batch: Batch) -> None:
        """How many images there may be in all, where they are tried until they fit."""
        fitting = Fitting.objects.filter(batch=batch).first()
        if fitting is not None:
            self.stdout.write(
                f"{fitting.images} to {fitting.most_images} images are made, until "
                f"{fitting.in_words} fit."
            )

    def make_here(self, batch: Batch) -> None:
        for run in batch.runs.order_by("created_at"):
            finish_here(run, write=self.stdout.write)


def read_options(options: dict[str, Any]) -> BatchRequest:
    masks = given(options, MASK_NAMES, prefix=MASKS)
    masks["keeps_parents"] = not options["without_parents"]
    return read(
        BatchRequest,
        {
            **given(options, NAMED),
            "prompts": read_prompts(options),
            "masks": masks if "cohort" in masks else None,
        },
    )


def read_prompts(options: dict[str, Any]) -> list[str]:
    prompts = list(options["prompts"])
    if options["prompt_file"]:
        prompts += read_prompt_file(options["prompt_file"])
    if options["default_prompts"]:
        prompts += default_prompts()[: options["default_prompts"]]
    return prompts


def in_ranges(numbers: Sequence[int]) -> str:
    """Returns ``image 1, images 3 to 5`` for 1, 3, 4 and 5."""
    runs = [
        [number for _, number in run]
        for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0])
    ]
    return ", ".join(
        f"image {run[0]}" if len(run) == 1 else f"images {run[0]} to {run[-1]}" for run in runs
    )
