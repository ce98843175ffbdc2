"""Which patients of all sources are one group, and on which side of the split it stands.

Patients are one where two of their pictures are one, by a perceptual hash, whatever their size
and encoding. A group's side is that which a source gives whose own splits are by patient, test
before validation before training; else that of its first patient's hash: of a source that is
derived from no other before others, then in the order of the sources, then of the alphabet.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from generation.datasets.fingerprints import MAX_DISTANCE, Words, as_words
from generation.datasets.splits import split_of
from generation.specs import Split

WORST_FIRST: tuple[Split, ...] = ("test", "validation", "train")
AT_ONCE = 512


class Joined:
    """Patients in groups: ``join`` two, ``find`` the one that stands for a group."""

    def __init__(self) -> None:
        self._leader: dict[str, str] = {}

    def find(self, patient: str) -> str:
        path = []
        while (leader := self._leader.setdefault(patient, patient)) != patient:
            path.append(patient)
            patient = leader
        for one in path:
            self._leader[one] = patient
        return patient

    def join(self, one: str, other: str) -> None:
        first, second = sorted((self.find(one), self.find(other)))
        self._leader[second] = first

    def groups(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for patient in sorted(self._leader):
            found[self.find(patient)].append(patient)
        return found


@dataclass(frozen=True, kw_only=True)
class Sides:
    """The group and the split of every patient, and how many pairs of patients look alike."""

    group_of: Mapping[str, str]
    split_of: Mapping[str, Split]
    alike: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """Pairs of pictures by the pair of sources."""

    @property
    def across_sources(self) -> int:
        """How many groups hold patients of several sources."""
        sources: dict[str, set[str]] = defaultdict(set)
        for patient, group in self.group_of.items():
            sources[group].add(source_of(patient))
        return sum(len(found) > 1 for found in sources.values())


def take_sides(
    patients: Iterable[str],
    *,
    pictures: Sequence[tuple[str, bytes]],
    given: Mapping[str, Split],
    precedence: Mapping[str, int],
) -> Sides:
    """``pictures`` are patients with fingerprints, ``precedence`` the rank of each source."""
    joined = Joined()
    for patient in patients:
        joined.find(patient)
    alike: Counter[tuple[str, str]] = Counter()
    for one, other in find_alike(pictures):
        joined.join(one, other)
        first, second = sorted((source_of(one), source_of(other)), key=precedence.__getitem__)
        alike[first, second] += 1
    group_of, splits = {}, {}
    for members in joined.groups().values():
        leader = min(members, key=lambda patient: (precedence[source_of(patient)], patient))
        split = side_of(leader, [given[member] for member in members if member in given])
        for member in members:
            group_of[member], splits[member] = leader, split
    return Sides(group_of=group_of, split_of=splits, alike=alike)


def side_of(leader: str, given: Sequence[Split]) -> Split:
    for split in WORST_FIRST:
        if split in given:
            return split
    source, _, key = leader.partition(":")
    return split_of(key, cohort=source)


def source_of(patient: str) -> str:
    return patient.partition(":")[0]


def find_alike(pictures: Sequence[tuple[str, bytes]]) -> Iterable[tuple[str, str]]:
    """Pairs of different patients of whom two pictures are one; those that show nothing are not.

    All pairs are compared, some hundred at once: 32 bytes a picture are in memory.
    """
    shown = [(patient, bits) for patient, bits in pictures if bits]
    words = as_words([bits for _, bits in shown])
    for start in range(0, len(shown), AT_ONCE):
        for here, there in _near(words[start : start + AT_ONCE], words[start:]):
            one, other = shown[start + here][0], shown[start + there][0]
            if here < there and one != other:
                yield one, other


def _near(some: Words, many: Words) -> Iterable[tuple[int, int]]:
    """Yields the places of fingerprints that are close, of some N x 4 and many M x 4."""
    apart = np.zeros((len(some), len(many)), dtype=np.uint16)
    for word in range(some.shape[1]):
        apart += np.bitwise_count(some[:, None, word] ^ many[None, :, word])
    for here, there in np.argwhere(apart <= MAX_DISTANCE):
        yield int(here), int(there)
