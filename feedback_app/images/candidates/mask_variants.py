"""Variants of chosen masks: read at the candidate's size, transformed, or refused."""

import io
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice

from feedback_app.images.candidates.mask_choice import MaskChoice
from feedback_app.images.cohorts.models import Mask
from generation.conditioning.geometry import apply
from generation.conditioning.masks import Mask as BoolMask
from generation.conditioning.masks import margin_of, read_mask
from generation.conditioning.plausibility import ImplausibleMask
from generation.conditioning.variants import Parent, Variant, others_among, variants
from generation.specs import MaskKind


def vary(
    chosen: Sequence[Mapping[MaskKind, Mask]], choice: MaskChoice, *, side: int
) -> list[tuple[Parent, tuple[Variant, ...]]]:
    """Returns each image's masks with their variants; any may be transformed towards any other."""
    parents = [_parent_of(rows, side=side) for rows in chosen]
    others = others_among(parents)
    return [(parent, tuple(_variants_of(parent, choice, others=others))) for parent in parents]


def _parent_of(rows: Mapping[MaskKind, Mask], *, side: int) -> Parent:
    margin = margin_of(side)
    masks = {
        kind: read_mask(
            io.BytesIO(row.blob.read()), side=side, margin=margin, name=f"mask {row.pk}"
        )
        for kind, row in rows.items()
    }
    return Parent(masks, {kind: row.blob_id for kind, row in rows.items()}, margin)


def _untransformed(parent: Parent) -> Variant:
    try:
        return Variant((), apply((), parent.masks, margin=parent.margin))
    except ImplausibleMask as error:
        return Variant((), None, error.short)


def _variants_of(
    parent: Parent, choice: MaskChoice, *, others: Mapping[str, tuple[MaskKind, BoolMask]]
) -> Iterator[Variant]:
    if choice.keeps_parents:
        yield _untransformed(parent)
    drawn = variants(parent, choice.families, seed=choice.seed, others=others)
    yield from islice(drawn, choice.variants)
