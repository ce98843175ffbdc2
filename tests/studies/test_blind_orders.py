"""Where a case or an image comes in the order says nothing about its source.

Orders are planned from many seeds. Each check is a standard score (deviation from what chance
gives, in standard deviations) that has to stay below ``LIMIT``; a biased order is then planned
on purpose, to show that the check would have found it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from math import sqrt
from random import Random
from uuid import UUID

import pytest

from feedback_app.accounts.models import User
from feedback_app.studies.models import Allocation, Phase, Study
from feedback_app.studies.services import opening
from feedback_app.studies.services.opening import REAL, CaseFact, assigned_slots, pool_slots
from feedback_app.studies.services.ordering import in_blocks
from feedback_app.studies.services.writing import PlannedSlot

SEEDS = 150
LIMIT = 4.5
"""Chance alone goes beyond it once in 150,000 times; the seeds are fixed, so it never does here."""
READERS = [User(pk=number) for number in range(3)]
CASES = 24


class Design:
    """Studies of one design and every seed, and the facts of their cases."""

    def __init__(self, *, mode: str, images: int = 1, **changes: object) -> None:
        self.facts = [
            CaseFact(
                pk=UUID(int=number),
                images=images,
                stratum=_stratum(number, mode=mode),
                is_shared=number % 8 == 0,
            )
            for number in range(CASES)
        ]
        self.given = {"mode": mode, "readers_per_case": 2, **changes}

    def slots(self) -> Iterator[list[PlannedSlot]]:
        """What one reader, or the pool, is shown in order; once for each seed and reader."""
        for seed in range(SEEDS):
            study = Study(shuffle_seed=seed, **self.given)
            if study.is_pool:
                yield list(pool_slots(study, facts=self.facts, readers=READERS))
                continue
            of_reader: defaultdict[tuple[int | None, Phase], list[PlannedSlot]] = defaultdict(list)
            for slot in assigned_slots(study, facts=self.facts, readers=READERS):
                of_reader[slot.reader, slot.phase].append(slot)
            yield from of_reader.values()

    def stratum_of(self, slot: PlannedSlot) -> str:
        return self.facts[slot.case.int].stratum


def _stratum(number: int, *, mode: str) -> str:
    """As cases are stored: candidates first, version after version, then real images."""
    if mode == "compare":
        return "parent+child"
    if number < CASES // 4:
        return "parent"
    if number < CASES // 2:
        return "child"
    return REAL if mode == "real_or_synthetic" else "grandchild"


def z_of_ranks(design: Design, *, stratum: str) -> float:
    """Mean place of a source's slots (Wilcoxon's rank sum), over all sequences."""
    total = variance = 0.0
    for slots in design.slots():
        ranks = [place for place, slot in enumerate(slots) if design.stratum_of(slot) == stratum]
        count, of_source = len(slots), len(ranks)
        total += sum(ranks) - of_source * (count - 1) / 2
        variance += of_source * (count - of_source) * (count + 1) / 12
    return abs(total) / sqrt(variance)


def z_of_neighbours(design: Design, *, stratum: str) -> float:
    """How often a source's slot is followed by another one of it, over all sequences."""
    seen = expected = variance = 0.0
    for slots in design.slots():
        is_source = [design.stratum_of(slot) == stratum for slot in slots]
        count, of_source = len(slots), sum(is_source)
        seen += sum(one and two for one, two in pairwise(is_source))
        share = of_source * (of_source - 1) / (count * (count - 1))
        expected += (count - 1) * share
        variance += (count - 1) * share * (1 - share)
    return abs(seen - expected) / sqrt(variance)


def z_of_places(design: Design, *, place: int, length: int) -> float:
    """How often a real image stands at one place of a block of ``length``, over all blocks."""
    blocks = [
        [design.stratum_of(slot) == REAL for slot in slots[first : first + length]]
        for slots in design.slots()
        for first in range(0, len(slots) - length + 1, length)
    ]
    seen = sum(block[place] for block in blocks)
    shares = [sum(block) / length for block in blocks]
    return abs(seen - sum(shares)) / sqrt(sum(share * (1 - share) for share in shares))


def z_of_sides(design: Design, *, image: int) -> float:
    """The largest deviation of an image's share of any place in its case, repeats left out."""
    orders = [slot.image_order for slots in design.slots() for slot in slots if not slot.repetition]
    images = len(orders[0])
    expected = len(orders) / images
    deviation = sqrt(len(orders) * (images - 1)) / images
    seen = [sum(order[place] == image for order in orders) for place in range(images)]
    return max(abs(count - expected) / deviation for count in seen)


def z_of_halves(design: Design) -> float:
    """Whether the first version is on the left more often early in a reader's order than late."""
    early = late = count = 0
    for slots in design.slots():
        left = [slot.image_order[0] == 0 for slot in slots]
        half = len(left) // 2
        early += sum(left[:half])
        late += sum(left[half : 2 * half])
        count += half
    return abs(early - late) / sqrt(count / 2)


TELLING = {
    "shuffled": Design(mode="real_or_synthetic"),
    "in phases": Design(mode="real_or_synthetic", has_phases=True),
    "with repeats": Design(mode="real_or_synthetic", repeat_percent=25, repeat_min_gap=4),
    "pool": Design(mode="real_or_synthetic", allocation=Allocation.POOL),
}
BLOCKED = Design(
    mode="real_or_synthetic", block_size=4, readers_per_case=3
)  # all 24 cases to everybody: whole blocks of 4
RATED = {
    "shuffled": Design(mode="rate_k", images=4),
    "in blocks": Design(mode="rate_k", images=4, block_size=6),
    "pool": Design(mode="rate_k", images=4, allocation=Allocation.POOL),
}
COMPARED = {
    "assigned": Design(mode="compare", images=2),
    "with repeats": Design(mode="compare", images=2, repeat_percent=25, repeat_min_gap=4),
    "pool": Design(mode="compare", images=2, allocation=Allocation.POOL),
}


@pytest.mark.parametrize("name", TELLING)
@pytest.mark.parametrize("stratum", [REAL, "parent"])
def test_the_place_of_a_case_does_not_tell_real_from_synthetic(name: str, stratum: str) -> None:
    assert z_of_ranks(TELLING[name], stratum=stratum) < LIMIT


@pytest.mark.parametrize("name", ["shuffled", "in phases"])
def test_a_case_does_not_tell_the_source_of_the_next_one(name: str) -> None:
    assert z_of_neighbours(TELLING[name], stratum=REAL) < LIMIT


@pytest.mark.parametrize("place", range(4))
def test_the_place_in_a_block_does_not_tell_the_source(place: int) -> None:
    assert z_of_ranks(BLOCKED, stratum=REAL) < LIMIT
    assert z_of_places(BLOCKED, place=place, length=4) < LIMIT


@pytest.mark.parametrize("name", RATED)
def test_the_place_of_a_case_does_not_tell_the_model_version(name: str) -> None:
    assert z_of_ranks(RATED[name], stratum="child") < LIMIT


@pytest.mark.parametrize("name", RATED)
@pytest.mark.parametrize("image", range(4))
def test_the_place_in_a_case_does_not_tell_which_candidate_was_made_first(
    name: str, image: int
) -> None:
    assert z_of_sides(RATED[name], image=image) < LIMIT


@pytest.mark.parametrize("name", COMPARED)
def test_the_side_does_not_tell_the_model_version(name: str) -> None:
    assert z_of_sides(COMPARED[name], image=0) < LIMIT
    assert z_of_halves(COMPARED[name]) < LIMIT


def _as_stored(items: Sequence[int], **_: object) -> list[int]:
    return list(items)


def _real_a_little_later(items: Sequence[int], *, rng: Random, **_: object) -> list[int]:
    """Real images were stored last: their lots are drawn from a range moved by a twelfth."""
    count = len(items)
    lot = {item: rng.random() + (number >= count / 2) / 12 for number, item in enumerate(items)}
    return sorted(items, key=lot.__getitem__)


def _real_last_in_blocks(
    items: Sequence[int], *, strata: Sequence[str], block_size: int, rng: Random
) -> list[int]:
    order = in_blocks(items, strata=strata, block_size=block_size, rng=rng)
    blocks = [order[first : first + block_size] for first in range(0, len(order), block_size)]
    return [item for block in blocks for item in sorted(block, key=lambda at: strata[at] == REAL)]


def _left_slightly_more_often(count: int, *, rng: Random) -> list[list[int]]:
    return [[0, 1] if rng.random() < 0.56 else [1, 0] for _ in range(count)]


def _left_first(count: int, **_: object) -> list[list[int]]:
    """Half on the left, but the first half of the order."""
    return [[0, 1] if number < count / 2 else [1, 0] for number in range(count)]


@pytest.mark.parametrize(
    ("function", "biased", "z"),
    [
        ("in_blocks", _as_stored, lambda: z_of_ranks(TELLING["shuffled"], stratum=REAL)),
        ("in_blocks", _real_a_little_later, lambda: z_of_ranks(TELLING["shuffled"], stratum=REAL)),
        ("in_blocks", _real_a_little_later, lambda: z_of_ranks(TELLING["pool"], stratum=REAL)),
        ("in_blocks", _as_stored, lambda: z_of_ranks(RATED["shuffled"], stratum="child")),
        ("in_blocks", _as_stored, lambda: z_of_neighbours(TELLING["shuffled"], stratum=REAL)),
        ("in_blocks", _real_last_in_blocks, lambda: z_of_places(BLOCKED, place=0, length=4)),
        (
            "balanced_sides",
            _left_slightly_more_often,
            lambda: z_of_sides(COMPARED["assigned"], image=0),
        ),
        ("balanced_sides", _left_first, lambda: z_of_halves(COMPARED["assigned"])),
    ],
)
def test_a_biased_order_would_be_found(
    function: str,
    biased: Callable[..., object],
    z: Callable[[], float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(opening, function, biased)
    assert z() > LIMIT
