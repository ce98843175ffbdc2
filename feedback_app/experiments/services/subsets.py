"""Which real images a cell may learn from: nested by size, the same in every arm of a seed."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from feedback_app.experiments.services.design import Design
from generation.downstream.draws import NONE, in_turn, stratum_of
from generation.errors import RemediableError
from generation.specs import TrainingImage


def eligible(
    rows: Sequence[TrainingImage], *, findings: Sequence[str], mask_kind: str
) -> list[TrainingImage]:
    """Returns images of which the source says whether the findings are there, or that have the
    mask.
    """
    if mask_kind:
        return [row for row in rows if mask_kind in row.masks]
    return [row for row in rows if not set(findings) & set(row.unknown)]


def ordered(
    rows: Sequence[TrainingImage], *, findings: Sequence[str], seed: int
) -> list[TrainingImage]:
    """Returns the order in which images are taken in: every size is the beginning of the next.

    Findings and their absence come in turn, as long as there are images of each. Within
    one, patients are in an order drawn by seed, and each gives one image before any gives
    a second: at a given size as many patients as can be had are learnt from.
    """
    strata: dict[str, dict[str, list[TrainingImage]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        strata[stratum_of(row, findings)][row.patient].append(row)
    queues = [_by_patient(strata[name], seed=seed) for name in (*findings, NONE) if name in strata]
    return [row for row in in_turn(queues) if row is not None]


def _by_patient(patients: dict[str, list[TrainingImage]], *, seed: int) -> list[TrainingImage]:
    drawn = sorted(patients, key=lambda patient: _place(seed, patient))
    own = [sorted(patients[name], key=lambda row: _place(seed, row.image_id)) for name in drawn]
    return [row for row in in_turn(own) if row is not None]


def _place(seed: int, name: str) -> str:
    """Returns a place at random that another Python or numpy gives too."""
    return hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()


@dataclass(frozen=True)
class Subsets:
    """Picks the images that cells may learn from, by size and seed; an order is made once."""

    rows: Sequence[TrainingImage]
    findings: Sequence[str]
    mask_kind: str

    @classmethod
    def of(cls, rows: Sequence[TrainingImage], design: Design) -> "Subsets":
        return cls(rows, design.findings, design.mask_kind)

    @cached_property
    def usable(self) -> list[TrainingImage]:
        """Returns the images of the training split that a cell may learn from."""
        training = [row for row in self.rows if row.split == "train"]
        return eligible(training, findings=self.findings, mask_kind=self.mask_kind)

    def training_ids(self, *, size: int, seed: int) -> tuple[str, ...]:
        """Returns the ids of ``size`` images of the training split, by seed."""
        if size > len(self.usable):
            raise RemediableError(
                f"{size} real images are asked for, and the training split has "
                f"{len(self.usable)} usable ones.",
                remedy="Take a smaller size, or import more of the cohort.",
            )
        if seed not in self._orders:
            order = ordered(self.usable, findings=self.findings, seed=seed)
            self._orders[seed] = tuple(row.image_id for row in order)
        return self._orders[seed][:size]

    @cached_property
    def _orders(self) -> dict[int, tuple[str, ...]]:
        return {}
