"""Orders of cases and images."""

from collections import Counter
from random import Random

import pytest

from feedback_app.studies.services.ordering import (
    Shown,
    another_order,
    balanced_sides,
    in_blocks,
    repeat_count,
    require_gap,
    with_repeats,
)
from generation.errors import RemediableError


@pytest.mark.parametrize("seed", range(10))
def test_every_block_of_four_has_two_real_and_two_synthetic_of_twelve_each(seed: int) -> None:
    items = list(range(24))
    strata = ["real"] * 12 + ["synthetic"] * 12
    order = in_blocks(items, strata=strata, block_size=4, rng=Random(seed))
    assert sorted(order) == items
    for first in range(0, 24, 4):
        kinds = Counter(strata[item] for item in order[first : first + 4])
        assert kinds == {"real": 2, "synthetic": 2}


def test_a_rare_source_is_spread_over_the_whole_order() -> None:
    strata = ["rare"] * 3 + ["common"] * 27
    order = in_blocks(range(30), strata=strata, block_size=10, rng=Random(2))
    rare = [order.index(item) // 10 for item in range(3)]
    assert sorted(rare) == [0, 1, 2]


def test_without_blocks_all_is_shuffled_at_once() -> None:
    order = in_blocks(range(50), strata=["a"] * 50, block_size=0, rng=Random(1))
    assert sorted(order) == list(range(50))
    assert order != list(range(50))


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(
    ("cases", "count", "gap"), [(20, 4, 10), (20, 11, 10), (12, 12, 12), (9, 9, 3)]
)
def test_repeats_come_once_and_never_before_the_gap(
    cases: int, count: int, gap: int, seed: int
) -> None:
    order = Random(seed).sample(range(cases), cases)
    shown = with_repeats(order, count=count, min_gap=gap, rng=Random(seed))
    firsts = [each.case for each in shown if each.repetition == 0]
    again = [each.case for each in shown if each.repetition == 1]
    assert firsts == order
    assert len(again) == len(set(again)) == count
    for case in again:
        assert shown.index(Shown(case, 1)) - shown.index(Shown(case, 0)) >= gap


def test_a_fifth_of_twelve_is_two_and_of_two_is_one() -> None:
    assert repeat_count(12, percent=20) == 2
    assert repeat_count(2, percent=20) == 1
    assert repeat_count(12, percent=0) == 0


def test_a_gap_longer_than_the_cases_is_refused_with_the_remedy() -> None:
    require_gap(10, percent=20, min_gap=10)
    with pytest.raises(RemediableError, match="11 cases later") as refused:
        require_gap(10, percent=20, min_gap=11)
    assert "at most 10" in refused.value.remedy


@pytest.mark.parametrize("count", [1, 2, 7, 40])
def test_each_image_of_a_pair_is_left_in_half_of_the_cases(count: int) -> None:
    left = [order[0] for order in balanced_sides(count, rng=Random(count))]
    assert abs(left.count(0) - left.count(1)) == count % 2


@pytest.mark.parametrize("seed", range(20))
def test_another_order_is_another_one_unless_there_is_one_image(seed: int) -> None:
    assert another_order([0, 1], rng=Random(seed)) == [1, 0]
    assert another_order([2, 0, 1], rng=Random(seed)) != [2, 0, 1]
    assert another_order([0], rng=Random(seed)) == [0]
