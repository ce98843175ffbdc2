"""Which reader reads which case: incomplete blocks, as balanced as they can be.

A block is the set of readers of one case. Where there are as many cases as ways to choose
the readers, every way is used equally often, which is exactly balanced. What is left over
is given to the idlest readers who have had least company, and then improved by exchanges.
"""

import heapq
from collections import Counter
from collections.abc import Sequence
from itertools import combinations
from math import comb
from random import Random

EXCHANGES_MAX = 20_000
ROUND_MAX = 2_000
"""Longer rounds of all ways to choose readers are not written out."""

Pairs = Counter[tuple[int, int]]
Blocks = list[list[int]]


def assign_readers(
    case_count: int,
    reader_count: int,
    *,
    per_case: int,
    rng: Random,
    loads: Sequence[int] | None = None,
) -> Blocks:
    """Returns reader numbers for each case; ``loads`` are the cases that readers have already.

    Loads differ by one at most (where they did before), and any two readers share as
    nearly as possible the same number of cases.
    """
    loads = list(loads or [0] * reader_count)
    ways = comb(reader_count, per_case)
    is_level = max(loads, default=0) - min(loads, default=0) <= 1
    rounds = case_count // ways if is_level and ways <= ROUND_MAX else 0
    blocks: Blocks = []
    if rounds:
        whole = spread(combinations_of(reader_count, per_case), reader_count=reader_count)
        for _ in range(rounds):
            name = rng.sample(range(reader_count), reader_count)
            blocks += [[name[reader] for reader in block] for block in whole]
    rest = _remainder(
        case_count - len(blocks),
        reader_count,
        per_case=per_case,
        rng=rng,
        loads=loads,
    )
    return blocks + rest


def combinations_of(reader_count: int, per_case: int) -> Blocks:
    return [list(block) for block in combinations(range(reader_count), per_case)]


def spread(blocks: Blocks, *, reader_count: int) -> Blocks:
    """Returns the same blocks in an order in which nobody gets ahead of the others."""
    loads, waiting, ordered = [0] * reader_count, list(blocks), []
    while waiting:
        at = min(range(len(waiting)), key=lambda at: sum(loads[reader] for reader in waiting[at]))
        block = waiting.pop(at)
        for reader in block:
            loads[reader] += 1
        ordered.append(block)
    return ordered


def _remainder(
    case_count: int, reader_count: int, *, per_case: int, rng: Random, loads: list[int]
) -> Blocks:
    shared: Pairs = Counter()
    blocks: Blocks = []
    for _ in range(case_count):
        chosen: list[int] = []
        for _ in range(per_case):
            others = [reader for reader in range(reader_count) if reader not in chosen]
            chosen.append(
                min(
                    others,
                    key=lambda reader: (
                        loads[reader],
                        sum(shared[pair_of(reader, other)] for other in chosen),
                        rng.random(),
                    ),
                )
            )
        for reader in chosen:
            loads[reader] += 1
        shared.update(pairs_of(chosen))
        blocks.append(chosen)
    if 1 < per_case < reader_count:
        _exchange(blocks, shared=shared, reader_count=reader_count, rng=rng)
    return blocks


def _exchange(blocks: Blocks, *, shared: Pairs, reader_count: int, rng: Random) -> None:
    """Let two cases swap a reader each where company gets no less even; loads stay."""
    pairs = [pair_of(*pair) for pair in combinations(range(reader_count), 2)]
    if len(blocks) < 2:
        return
    for tried in range(EXCHANGES_MAX):
        if tried % 256 == 0:
            counts = [shared[pair] for pair in pairs]
            if max(counts) - min(counts) <= 1:
                return
        one, two = rng.sample(range(len(blocks)), 2)
        here = [reader for reader in blocks[one] if reader not in blocks[two]]
        there = [reader for reader in blocks[two] if reader not in blocks[one]]
        if not here:
            continue
        leaving, coming = rng.choice(here), rng.choice(there)
        rest_one = [reader for reader in blocks[one] if reader != leaving]
        rest_two = [reader for reader in blocks[two] if reader != coming]
        change: Pairs = Counter()
        for rest, gone, new in ((rest_one, leaving, coming), (rest_two, coming, leaving)):
            for other in rest:
                change[pair_of(gone, other)] -= 1
                change[pair_of(new, other)] += 1
        # Of the sum of squares of company: (x + d)^2 - x^2.
        if sum(d * (2 * shared[pair] + d) for pair, d in change.items()) > 0:
            continue
        for pair, d in change.items():
            shared[pair] += d
        blocks[one], blocks[two] = [*rest_one, coming], [*rest_two, leaving]


def top_up(
    blocks: Sequence[Sequence[int]], *, newcomer: int, wanted: int, shared: Pairs, rng: Random
) -> list[int]:
    """Numbers of the cases that a newcomer reads too, to share some with everybody.

    The case whose readers the newcomer has had least company with comes next. ``shared`` is kept
    up to date. Company only grows, so a queue with stale entries is right once looked at.
    """

    def company(number: int) -> float:
        block = blocks[number]
        return sum(shared[pair_of(newcomer, other)] for other in block) / max(len(block), 1)

    queue = [(company(number), rng.random(), number) for number in range(len(blocks))]
    heapq.heapify(queue)
    taken: list[int] = []
    while queue and len(taken) < wanted:
        known, lot, number = heapq.heappop(queue)
        now = company(number)
        if now > known:
            heapq.heappush(queue, (now, lot, number))
            continue
        taken.append(number)
        shared.update(pair_of(newcomer, other) for other in blocks[number])
    return taken


def concurrence(blocks: Sequence[Sequence[int]], *, reader_count: int) -> list[list[int]]:
    """Returns the matrix of shared cases; its diagonal has the readers' loads."""
    matrix = [[0] * reader_count for _ in range(reader_count)]
    for block in blocks:
        for one in block:
            for two in block:
                matrix[one][two] += 1
    return matrix


def pair_of(one: int, two: int) -> tuple[int, int]:
    return (one, two) if one < two else (two, one)


def pairs_of(block: Sequence[int]) -> list[tuple[int, int]]:
    return [pair_of(*pair) for pair in combinations(block, 2)]
