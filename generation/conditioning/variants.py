"""Variants of masks: every parent, transformed as often as asked for, by seed."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, islice

from generation.conditioning.geometry import Others, apply, framed
from generation.conditioning.masks import Mask, Masks
from generation.conditioning.plausibility import ImplausibleMask
from generation.conditioning.transforms import FAMILIES, Family, Transform, draw
from generation.errors import RemediableError
from generation.specs import MaskKind

TRIES_A_MASK = 20


@dataclass(frozen=True)
class Variant:
    """Transforms of a parent and what came of them: masks, or why they are refused."""

    transforms: tuple[Transform, ...]
    masks: Mapping[MaskKind, Mask] | None
    refusal: str = ""


@dataclass(frozen=True)
class Parent:
    """It holds the masks of one image with a margin, and the SHA-256 of each kind's file."""

    masks: Masks
    hashes: Mapping[MaskKind, str]
    margin: int = 0

    @property
    def framed(self) -> dict[MaskKind, Mask]:
        return framed(self.masks, self.margin)


def others_among(parents: Sequence[Parent]) -> dict[str, tuple[MaskKind, Mask]]:
    """List every mask of the parents by its hash: these may be interpolated to."""
    return {
        sha256: (kind, parent.masks[kind])
        for parent in parents
        for kind, sha256 in parent.hashes.items()
    }


def variants(
    parent: Parent,
    families: Sequence[Family],
    *,
    seed: int,
    others: Mapping[str, tuple[MaskKind, Mask]],
) -> Iterator[Variant]:
    """Make endless variants of a parent, each with a transform of every family, in fixed order."""
    at_hand: Others = {sha256: mask for sha256, (_, mask) in others.items()}
    own = set(parent.hashes.values())
    choice = [(kind, sha256) for sha256, (kind, _) in others.items() if sha256 not in own]
    ordered = [family for family in FAMILIES if family in families]
    for number in count():
        drawn = _seed_of(seed, parent, number)
        transforms = tuple(
            draw(family, drawn, kinds=tuple(parent.masks), others=choice) for family in ordered
        )
        try:
            masks = apply(transforms, parent.masks, margin=parent.margin, others=at_hand)
        except ImplausibleMask as error:
            yield Variant(transforms, None, error.short)
        else:
            yield Variant(transforms, masks)


def _seed_of(seed: int, parent: Parent, number: int) -> int:
    """Returns a seed of each parent and variant, whatever other parents there are."""
    text = ":".join([str(seed), *sorted(parent.hashes.values()), str(number)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def transformed_set(
    parents: Sequence[Parent], families: Sequence[Family], *, size: int, seed: int
) -> list[tuple[Parent, Variant]]:
    """Make so many plausible variants, of the parents in turn; what is refused is drawn again.

    The same parents, families and seed give the same set.
    """
    if not parents:
        raise RemediableError("There are no masks to transform.", remedy="Name some masks.")
    others = others_among(parents)
    made: list[tuple[Parent, Variant]] = []
    sources = [
        (parent, _plausible(variants(parent, families, seed=seed, others=others), size=size))
        for parent in parents
    ]
    for number in range(size):
        parent, source = sources[number % len(sources)]
        variant = next(source, None)
        if variant is None:
            raise RemediableError(
                f"No plausible variant of mask {next(iter(parent.hashes.values()))[:10]} was "
                f"found in {TRIES_A_MASK} tries.",
                remedy="Leave the mask out, or choose fewer families of transforms.",
            )
        made.append((parent, variant))
    return made


def _plausible(drawn: Iterator[Variant], *, size: int) -> Iterator[Variant]:
    """Yields the plausible ones, until too many are refused in a row."""
    for _ in range(size):
        found = next((one for one in islice(drawn, TRIES_A_MASK) if one.masks is not None), None)
        if found is None:
            return
        yield found
