"""Which synthetic images a cell of an experiment learns from; torch-free."""

import random
from collections.abc import Iterable, Sequence
from itertools import chain, zip_longest

from generation.errors import RemediableError
from generation.specs import TrainingImage


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
    groups: dict[str, list[TrainingImage]] = {name: [] for name in (*findings, "")}
    for row in rows:
        groups[next((name for name in findings if name in row.findings), "")].append(row)
    if len(findings) > 1 and not groups[""]:
        del groups[""]
    for name, group in groups.items():
        random.Random(f"{seed}:{name}").shuffle(group)
    turns = chain.from_iterable(zip_longest(*groups.values()))
    drawn = [row for row, _ in zip(turns, range(count), strict=False)]
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
