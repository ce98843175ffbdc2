"""Which synthetic images a cell of an experiment learns from; torch-free."""

import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, zip_longest
from typing import TypeVar

from generation.errors import RemediableError
from generation.specs import TrainingImage

Item = TypeVar("Item")

NONE = ""
"""The stratum of images with none of the findings, and of all images of a segmentation."""


def stratum_of(row: TrainingImage, findings: Sequence[str]) -> str:
    """Name the first of the findings that the image has."""
    return next((finding for finding in findings if finding in row.findings), NONE)


def in_turn(groups: Iterable[Sequence[Item]]) -> Iterator[Item | None]:
    """Take one of each group in turn; None where a group has no more and others have."""
    return chain.from_iterable(zip_longest(*groups))


def drawn_images(
    rows: Iterable[TrainingImage], count: int, *, findings: Sequence[str], kind: str, seed: int
) -> list[TrainingImage]:
    """Draw so many of a manifest's images, whatever the order of its lines.

    With a mask of ``kind``, where one is named.
    """
    usable = [row for row in rows if not kind or kind in row.masks]
    usable.sort(key=lambda row: row.image_id)
    return draw_balanced(usable, count, findings=findings, seed=seed)


def draw_balanced(
    rows: Sequence[TrainingImage], count: int, *, findings: Sequence[str], seed: int
) -> list[TrainingImage]:
    """Draw so many images by seed, of each finding and of none in turn.

    An image with several of the findings counts for the first of them; where several are
    told, there need not be any with none of them. A smaller count gives the beginning of
    what a larger one gives.
    """
    groups: dict[str, list[TrainingImage]] = {name: [] for name in (*findings, NONE)}
    for row in rows:
        groups[stratum_of(row, findings)].append(row)
    if len(findings) > 1 and not groups[NONE]:
        del groups[NONE]
    for name, group in groups.items():
        random.Random(f"{seed}:{name}").shuffle(group)
    drawn = [row for row, _ in zip(in_turn(groups.values()), range(count), strict=False)]
    found = [row for row in drawn if row is not None]
    if len(found) < count:
        least = min(groups, key=lambda name: len(groups[name]))
        of_what = f" of {least or 'none of the findings'}" if findings else ""
        raise RemediableError(
            f"{count} synthetic images are asked for, and there are only"
            f" {len(groups[least])}{of_what}",
            remedy="Curate a larger set, or take a smaller ratio.",
        )
    return found
