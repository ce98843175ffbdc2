"""Balanced blocks, checked against designs that are known by hand."""

from collections import Counter
from itertools import combinations
from random import Random

import pytest

from feedback_app.studies.services.assignment import (
    assign_readers,
    concurrence,
    pairs_of,
    top_up,
)


def test_the_matrix_of_shared_cases_of_three_blocks_is_the_one_counted_by_hand() -> None:
    assert concurrence([[0, 1], [1, 2], [0, 1]], reader_count=3) == [
        [2, 2, 0],
        [2, 3, 1],
        [0, 1, 1],
    ]


def test_six_readers_in_pairs_share_one_of_fifteen_cases_each() -> None:
    matrix = concurrence(assign_readers(15, 6, per_case=2, rng=Random(1)), reader_count=6)
    assert all(matrix[reader][reader] == 5 for reader in range(6))
    assert all(matrix[one][two] == 1 for one, two in combinations(range(6), 2))


@pytest.mark.parametrize("seed", range(5))
def test_seven_readers_in_threes_over_seven_cases_make_the_fano_plane(seed: int) -> None:
    matrix = concurrence(assign_readers(7, 7, per_case=3, rng=Random(seed)), reader_count=7)
    assert all(matrix[reader][reader] == 3 for reader in range(7))
    assert all(matrix[one][two] == 1 for one, two in combinations(range(7), 2))


@pytest.mark.parametrize(
    ("cases", "readers", "per_case"),
    [(200, 6, 2), (40, 5, 2), (31, 8, 3), (10, 4, 1), (7, 3, 3), (1, 5, 2), (50, 9, 4)],
)
def test_loads_differ_by_one_and_pairs_by_as_little_as_can_be(
    cases: int, readers: int, per_case: int
) -> None:
    blocks = assign_readers(cases, readers, per_case=per_case, rng=Random(3))
    assert len(blocks) == cases
    assert all(len(set(block)) == per_case for block in blocks)
    matrix = concurrence(blocks, reader_count=readers)
    loads = [matrix[reader][reader] for reader in range(readers)]
    assert max(loads) - min(loads) <= 1
    together = [matrix[one][two] for one, two in combinations(range(readers), 2)]
    assert max(together) - min(together) <= 1


def test_readers_who_have_less_to_do_get_more_of_what_is_new() -> None:
    blocks = assign_readers(4, 3, per_case=1, rng=Random(0), loads=[5, 5, 2])
    assert Counter(reader for block in blocks for reader in block)[2] >= 3


def test_a_newcomer_shares_cases_with_everybody() -> None:
    blocks = assign_readers(30, 4, per_case=2, rng=Random(5))
    shared = Counter(pair for block in blocks for pair in pairs_of(block))
    taken = top_up(blocks, newcomer=4, wanted=15, shared=shared, rng=Random(0))
    assert len(set(taken)) == 15
    company = Counter(reader for number in taken for reader in blocks[number])
    assert max(company.values()) - min(company.values()) <= 2
    assert {reader: shared[reader, 4] for reader in range(4)} == company
