"""A child against its parent: the same prompts and seeds, made by both."""

import io
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

import numpy as np
import PIL.Image
from django.db import transaction

from feedback_app.accounts.models import User
from feedback_app.images.models import Batch, Candidate
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run
from generation.errors import RemediableError
from generation.measures.appearance import Grey, small_grey
from generation.rewards.tastes import readers_taste, second_taste
from generation.statistics.win_rate import win_rate


@dataclass(frozen=True)
class Match:
    """Two candidates whose recipes differ in the model version only."""

    child: Candidate
    parent: Candidate

    @property
    def prompt(self) -> str:
        return self.child.recipe.prompt


@transaction.atomic
def start_comparison(
    *,
    child: Batch,
    parent: Batch,
    best: Sequence[UUID] = (),
    created_by: User | None = None,
) -> Run:
    """Queue the comparison of two finished batches of the same prompts and seeds.

    ``best`` are images of the parent's batch, one a prompt, that the child is also
    compared with, and the parent with them.
    """
    count = len(match(child=child, parent=parent))
    return runs.start(
        "compare_versions",
        title=f"Compare {child.model_version} with {parent.model_version}"[:200],
        spec={
            "child": str(child.pk),
            "parent": str(parent.pk),
            "best": [str(image) for image in best],
        },
        total=count,
        created_by=created_by,
    )


def match(*, child: Batch, parent: Batch) -> list[Match]:
    """Pair the candidates by everything but the model version, in the child's order."""
    others = {_settings(candidate): candidate for candidate in _candidates(parent)}
    own = _candidates(child)
    matches = [
        Match(candidate, others[_settings(candidate)])
        for candidate in own
        if _settings(candidate) in others
    ]
    wanted = max(child.recipes.count(), parent.recipes.count())
    if not matches or len(matches) < wanted:
        raise RemediableError(
            f"{len(matches)} of {wanted} candidates of “{child}” and “{parent}” can be paired.",
            remedy="Make both batches with the same prompts, seeds and settings, and finish them.",
        )
    return matches


def _candidates(batch: Batch) -> list[Candidate]:
    rows = Candidate.objects.filter(recipe__batches=batch)
    return list(
        rows.select_related("recipe", "image__blob")
        .prefetch_related("recipe__masks")
        .order_by("recipe__batchrecipe__position")
    )


def _settings(candidate: Candidate) -> object:
    return candidate.recipe.sample, candidate.recipe.mask_blobs


def pixels_of(candidate: Candidate) -> np.ndarray:
    """Returns 8-bit grey, H x W."""
    with PIL.Image.open(io.BytesIO(candidate.image.blob.read())) as picture:
        return np.asarray(picture.convert("L"))


def compare_by_taste(
    taste: Callable[[Grey], float],
    *,
    prompts: Sequence[str],
    child: Sequence[np.ndarray],
    parent: Sequence[np.ndarray],
) -> dict[str, Any]:
    """Returns the win rate of the child's pictures, and the mean taste of both."""
    judged = {
        name: [taste(small_grey(PIL.Image.fromarray(picture))) for picture in pictures]
        for name, pictures in (("child", child), ("parent", parent))
    }
    return {
        **asdict(win_rate(judged["child"], judged["parent"], prompts=prompts)),
        "child_mean": float(np.mean(judged["child"])),
        "parent_mean": float(np.mean(judged["parent"])),
    }


def by_both_tastes(
    *, prompts: Sequence[str], child: Sequence[np.ndarray], parent: Sequence[np.ndarray]
) -> dict[str, dict[str, Any]]:
    return {
        taste.__name__: compare_by_taste(taste, prompts=prompts, child=child, parent=parent)
        for taste in (readers_taste, second_taste)
    }


def by_prompt(prompts: Sequence[str], pictures: Sequence[np.ndarray]) -> list[list[np.ndarray]]:
    """Returns the pictures in groups of one prompt."""
    groups: dict[str, list[np.ndarray]] = {}
    for prompt, picture in zip(prompts, pictures, strict=True):
        groups.setdefault(prompt, []).append(picture)
    return list(groups.values())
