"""In which order a reader sees cases, and the images within them.

Pure functions of their arguments: all randomness comes from the generator that is passed.
"""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from generation.errors import RemediableError

T = TypeVar("T")


@dataclass(frozen=True)
class Shown:
    """It is a case by its number, for the first or the second time."""

    case: int
    repetition: int = 0


def in_blocks(
    items: Sequence[T], *, strata: Sequence[Hashable], block_size: int, rng: Random
) -> list[T]:
    """Shuffled in blocks, each a like mixture of strata; ``block_size`` 0 shuffles all at once.

    Every stratum is spread evenly over the whole; what lies in one block is then shuffled.
    """
    if not block_size:
        return rng.sample(items, len(items))
    of_stratum: defaultdict[Hashable, list[T]] = defaultdict(list)
    for item, stratum in zip(items, strata, strict=True):
        of_stratum[stratum].append(item)
    placed: list[tuple[float, float, T]] = []
    for members in of_stratum.values():
        offset = rng.random()
        placed += [
            ((number + offset) / len(members), rng.random(), member)
            for number, member in enumerate(rng.sample(members, len(members)))
        ]
    spread = [item for _, _, item in sorted(placed, key=lambda place: place[:2])]
    blocks = [spread[first : first + block_size] for first in range(0, len(spread), block_size)]
    return [item for block in blocks for item in rng.sample(block, len(block))]


def repeat_count(case_count: int, *, percent: int) -> int:
    """Returns how many of a reader's cases come twice; a share that is wanted is at least one
    case.
    """
    return max(1, round(case_count * percent / 100)) if percent and case_count else 0


def can_repeat(case_count: int, *, min_gap: int) -> bool:
    """Returns a first case seen again after all the others comes ``case_count`` places later."""
    return min_gap <= case_count


def require_gap(case_count: int, *, percent: int, min_gap: int) -> None:
    if percent and not can_repeat(case_count, min_gap=min_gap):
        raise RemediableError(
            f"A reader has {case_count} cases: none can come again {min_gap} cases later.",
            remedy=f"Choose a gap of at most {case_count}, add cases, or leave out repeats.",
        )


def with_repeats(cases: Sequence[int], *, count: int, min_gap: int, rng: Random) -> list[Shown]:
    """Returns the cases in their order, with ``count`` of them again at least ``min_gap`` places
    later.

    Repeats are scattered where there is room for all of them. Where there is not, the
    first cases come again at the end, in the same order: a gap of all the cases.
    """
    early = range(len(cases) - min_gap + 1)
    if count > len(early):
        again = [Shown(case, repetition=1) for case in cases[:count]]
        return [Shown(case) for case in cases] + again
    before: defaultdict[int, list[Shown]] = defaultdict(list)
    for first in rng.sample(early, count):
        before[rng.randint(first + min_gap, len(cases))].append(Shown(cases[first], repetition=1))
    shown: list[Shown] = []
    for place in range(len(cases) + 1):
        shown += before[place]
        if place < len(cases):
            shown.append(Shown(cases[place]))
    return shown


def balanced_sides(count: int, *, rng: Random) -> list[list[int]]:
    """Orders of two images: each is on the left in half of the cases, in an order by lot."""
    first = rng.randint(0, 1)
    orders = [[0, 1] if (number + first) % 2 else [1, 0] for number in range(count)]
    return rng.sample(orders, count)


def another_order(order: Sequence[int], *, rng: Random) -> list[int]:
    """Returns a different order of the same images, where there is one."""
    other = list(order)
    while len(other) > 1 and other == list(order):
        rng.shuffle(other)
    return other
