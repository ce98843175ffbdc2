"""Repairs: regions of a candidate drawn again by the model that made it, the rest kept."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from django.db import transaction
from pydantic import Field

from feedback_app.accounts.audit import record
from feedback_app.accounts.models import User
from feedback_app.images.candidates.batches import make_missing, unused_seed
from feedback_app.images.candidates.models import Batch, BatchRecipe, Candidate, Recipe
from feedback_app.images.candidates.repair_models import Repair
from feedback_app.images.candidates.writing import write_recipes
from feedback_app.requests import Request, at
from generation.errors import RemediableError
from generation.specs import SEED_LIMIT, Outline

MOST = 16
DECIMALS = 2
"""A hundredth of a pixel is finer than anything that is drawn again."""


class RepairRequest(Request):
    """``regions`` are corners in order, [x, y] in pixels of the candidate, from its top left."""

    regions: tuple[Outline, ...] = Field(min_length=1, max_length=32)
    images: int = Field(default=4, ge=1, le=MOST, description="Each draws the regions anew")
    seed: int | None = Field(
        default=None,
        ge=0,
        le=SEED_LIMIT - MOST,
        title="First seed",
        description="Left empty, none that this version has used",
    )


def find_candidate(key: str) -> Candidate:
    """Returns the candidate of this id, with what a repair asks of it."""
    rows = Candidate.objects.select_related("image", "recipe__model_version")
    try:
        found = rows.filter(pk=UUID(key)).first()
    except ValueError:
        found = None
    if found is None:
        raise RemediableError(
            f"There is no candidate {key!r}.", remedy="Its page shows its id below the title."
        )
    return found


@transaction.atomic
def ask_for_repair(
    request: RepairRequest, candidate: Candidate, *, created_by: User | None = None
) -> Batch:
    """Queue a batch of repairs, each of the same regions from another seed."""
    original = candidate.recipe
    with at("regions"):
        regions = _within(request.regions, width=original.width, height=original.height)
    first = unused_seed(original.model_version) if request.seed is None else request.seed
    masks = list(original.masks.all())
    planned = [Repair(original=candidate, regions=regions) for _ in range(request.images)]
    for number, repair in enumerate(planned):
        sample = replace(original.sample, seed=first + number)
        repair.recipe = Recipe.of(original.model_version, sample, masks=masks, repair=repair)
    batch = Batch.objects.create(
        name=f"Repair of {original.title}"[:100],
        model_version=original.model_version,
        created_by=created_by,
    )
    write_recipes((repair.recipe, masks) for repair in planned)
    Repair.objects.bulk_create(planned, ignore_conflicts=True)
    BatchRecipe.objects.bulk_create(
        BatchRecipe(batch=batch, recipe_id=repair.recipe.key, position=position, prompt_index=0)
        for position, repair in enumerate(planned)
    )
    record(
        "batch.created",
        actor=created_by,
        target=batch.name,
        target_id=batch.pk,
        details={"images": len(planned), "repairs": str(candidate.pk), "regions": len(regions)},
    )
    make_missing(batch, created_by=created_by)
    return batch


def _within(regions: Sequence[Outline], *, width: int, height: int) -> list[list[list[float]]]:
    """Cut regions at the image's edges, and refuse those that lie beyond them."""
    cut = []
    for number, region in enumerate(regions, start=1):
        corners = [
            [round(min(max(x, 0), width), DECIMALS), round(min(max(y, 0), height), DECIMALS)]
            for x, y in region
        ]
        if len({x for x, _ in corners}) < 2 or len({y for _, y in corners}) < 2:
            raise RemediableError(
                f"Region {number} lies outside of the image, or has no area.",
                remedy=f"Draw it within {width} x {height} pixels.",
            )
        cut.append(corners)
    return cut


def parse_outline(text: str) -> Outline:
    """Reads corners as SVG writes them, ``x,y x,y x,y``; two are those of a box."""
    try:
        corners = tuple((float(x), float(y)) for x, y in (at.split(",") for at in text.split()))
    except ValueError as error:
        raise RemediableError(
            f"“{text}” is no region.", remedy="Write its corners as x,y with spaces between them."
        ) from error
    if len(corners) == 2:
        (left, top), (right, bottom) = corners
        corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    return corners
