"""Storing recipes, which are there once however often they are asked for."""

from collections.abc import Iterable

from feedback_app.images.candidates.mask_models import RecipeMask
from feedback_app.images.candidates.models import Recipe


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
