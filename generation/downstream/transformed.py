"""Copies of real images, moved as masks are moved before candidates are made from them.

An arm of an experiment that learns from these shows what the transforms do by themselves.
"""

import hashlib
from itertools import islice

import numpy as np
import torch

from generation.conditioning.geometry import move_picture
from generation.conditioning.masks import as_kind
from generation.conditioning.transforms import Family
from generation.conditioning.variants import TRIES_A_MASK, Parent, Variant, variants
from generation.downstream.examples import Examples
from generation.errors import RemediableError
from generation.specs import TrainingImage
from generation.training.images import ImageSet

FAMILIES: tuple[Family, ...] = ("affine", "elastic")
"""Those that move a whole picture; the others change a mask alone."""


def transformed_copies(examples: Examples, count: int, *, kind: str, seed: int) -> Examples:
    """Make so many moved copies, of the images in turn; masks of ``kind`` move with theirs.

    As for masks, what leaves no plausible chest is drawn again.
    """
    order = torch.randperm(len(examples), generator=torch.Generator().manual_seed(seed)).tolist()
    chosen = [(order[number % len(order)], number // len(order)) for number in range(count)]
    copies = [_copy(examples, index, kind=kind, seed=f"{seed}:{copy}") for index, copy in chosen]
    pixels, masks = zip(*copies, strict=True)
    rows = tuple(examples.rows[index] for index, _ in chosen)
    moved = ImageSet(torch.stack(pixels), rows)
    return Examples(moved) if examples.masks is None else Examples(moved, torch.stack(masks))


def _copy(
    examples: Examples, index: int, *, kind: str, seed: str
) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns pixels and mask, uint8, 1 x 2R x 2R each; the mask is empty where there is none."""
    row = examples.rows[index]
    masks = {}
    if examples.masks is not None:
        masks = {as_kind(kind): examples.masks[index, 0].numpy() > 127}
    variant = _plausible_variant(Parent(masks, hashes={}), row, seed=seed)
    picture = move_picture(variant.transforms, examples.images.pixels[index, 0].numpy())
    moved = np.zeros_like(picture)
    for mask in (variant.masks or {}).values():
        moved = np.where(mask, np.uint8(255), np.uint8(0))
    return torch.from_numpy(picture)[None], torch.from_numpy(moved)[None]


def _plausible_variant(parent: Parent, row: TrainingImage, *, seed: str) -> Variant:
    digest = hashlib.sha256(f"{seed}:{row.image_id}".encode()).digest()
    drawn = variants(parent, FAMILIES, seed=int.from_bytes(digest[:8], "big"), others={})
    for variant in islice(drawn, TRIES_A_MASK):
        if variant.masks is not None:
            return variant
    raise RemediableError(
        f"no plausible transform of {row.image_id} was found in {TRIES_A_MASK} tries",
        remedy="Leave the image out of the cohort: its mask is unlike others.",
    )
