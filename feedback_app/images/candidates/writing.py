"""Storing recipes, which are there once however often they are asked for, and their places."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from feedback_app.images.candidates.fitting import Wanted
from feedback_app.images.candidates.fitting_models import Fitting, Try
from feedback_app.images.candidates.mask_models import RecipeMask
from feedback_app.images.candidates.models import Batch, BatchRecipe, Recipe


def write_recipes(planned: Iterable[tuple[Recipe, Iterable[RecipeMask]]]) -> None:
    """Store recipes with the masks that each follows; those that there are already stay."""
    rows = list(planned)
    Recipe.objects.bulk_create((recipe for recipe, _ in rows), ignore_conflicts=True)
    RecipeMask.objects.bulk_create(
        (
            RecipeMask(
                recipe_id=recipe.key,
                kind=mask.kind,
                parent=mask.parent,
                transforms=mask.transforms,
                blob=mask.blob,
            )
            for recipe, masks in rows
            for mask in masks
        ),
        ignore_conflicts=True,
    )


@dataclass(frozen=True, kw_only=True)
class Place:
    """Which place of a batch a recipe is for, and as which try."""

    number: int
    position: int
    prompt_index: int


def write_places(batch: Batch, planned: Sequence[tuple[Recipe, Place]]) -> None:
    """Give every recipe its place in the batch."""
    BatchRecipe.objects.bulk_create(
        BatchRecipe(
            batch=batch,
            recipe_id=recipe.key,
            position=place.position,
            prompt_index=place.prompt_index,
        )
        for recipe, place in planned
    )


def write_tries(batch: Batch, planned: Sequence[tuple[Recipe, Place]], wanted: Wanted) -> None:
    """Write tries, of which what fits is given the place one day."""
    Fitting.objects.create(
        batch=batch,
        attributes=list(wanted.attributes),
        most_tries=wanted.most_tries,
        images=sum(place.number == 1 for _, place in planned),
    )
    Try.objects.bulk_create(
        Try(
            batch=batch,
            recipe_id=recipe.key,
            number=place.number,
            position=place.position,
            prompt_index=place.prompt_index,
        )
        for recipe, place in planned
    )
