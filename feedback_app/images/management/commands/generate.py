"""Make a batch of candidates."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from feedback_app.images.candidates.batches import (
    Settings,
    check_mode,
    create_batch,
    next_name,
    progress_of,
    split_prompts,
)
from feedback_app.images.candidates.mask_choice import MaskChoice
from feedback_app.images.candidates.mask_plan import (
    Condition,
    as_kinds,
    keep_masks,
    plan_masks,
)
from feedback_app.images.candidates.models import Batch
from feedback_app.images.cohorts.models import Cohort
from feedback_app.images.management.finding import find_cohort
from feedback_app.images.prompts.services import find_version as find_prompt_set
from feedback_app.images.versions.models import ModelVersion
from feedback_app.runs.console import execute_here
from generation.conditioning.prompts import default_prompts
from generation.conditioning.transforms import FAMILIES, as_family
from generation.errors import RemediableError
from generation.specs import Mode


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
        self.add_mask_arguments(parser)
        parser.add_argument("--queue", action="store_true", help="leave it to the workers")

    def add_mask_arguments(self, parser: ArgumentParser) -> None:
        masks = parser.add_argument_group("masks", "for models with a ControlNet")
        masks.add_argument(
            "--mode",
            choices=get_args(Mode),
            default="t2i",
            help="text only, masks only (m2i), text and masks (tm2i)",
        )
        masks.add_argument("--masks", metavar="COHORT", help="the cohort whose masks are followed")
        masks.add_argument(
            "--mask-kinds", nargs="+", metavar="KIND", default=["lungs"], help="followed together"
        )
        masks.add_argument(
            "--mask-images", nargs="+", metavar="NAME", default=[], help="of the cohort, by name"
        )
        masks.add_argument("--mask-number", type=int, default=4, help="or so many, drawn")
        masks.add_argument(
            "--transforms", nargs="+", metavar="FAMILY", default=[], help=", ".join(FAMILIES)
        )
        masks.add_argument("--variants", type=int, default=0, help="of each mask, transformed")
        masks.add_argument("--mask-seed", type=int, default=0)
        masks.add_argument(
            "--without-parents", action="store_true", help="leave out the masks as they are"
        )
        masks.add_argument(
            "--held-out-masks",
            action="store_true",
            help="also those of validation and test images, which can then no longer test "
            "what learns from the candidates",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            version = find_version(options["model"])
            prompt_set = find_prompt_set(options["prompt_set"]) if options["prompt_set"] else None
            prompts = read_prompts(options) or (prompt_set.texts() if prompt_set else [])
            batch = create_batch(
                options["name"] or next_name(),
                model_version=version,
                prompts=prompts,
                mode=options["mode"],
                conditions=self.make_masks(version, prompts, options),
                allows_held_out=options["held_out_masks"],
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

    def make_masks(
        self, version: ModelVersion, prompts: list[str], options: dict[str, Any]
    ) -> list[Condition]:
        """The masks that were asked for; says how many are refused, and why."""
        has_masks = options["masks"] is not None
        check_mode(version, options["mode"], prompts=prompts, has_masks=has_masks)
        if not has_masks:
            return []
        plan = plan_masks(read_choice(options), side=version.resolution)
        self.stdout.write(f"{plan.accepted} masks to follow, {plan.refused} refused.")
        for reason, count in plan.refusals:
            self.stdout.write(f"  {count} x {reason}")
        return keep_masks(plan)

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


def read_choice(options: dict[str, Any]) -> MaskChoice:
    cohort = find_cohort(options["masks"])
    return MaskChoice(
        cohort=cohort,
        kinds=as_kinds(options["mask_kinds"]),
        images=tuple(find_image(cohort, name) for name in options["mask_images"]),
        number=options["mask_number"],
        families=tuple(as_family(name) for name in options["transforms"]),
        variants=options["variants"],
        keeps_parents=not options["without_parents"],
        seed=options["mask_seed"],
        allows_held_out=options["held_out_masks"],
    )


def find_image(cohort: Cohort, name: str) -> UUID:
    key = cohort.images.filter(source_id=name).values_list("pk", flat=True).first()
    if key is None:
        raise RemediableError(
            f"The cohort {cohort.name!r} has no image {name!r}.",
            remedy="Name images as their cohort's page does.",
        )
    return key


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
