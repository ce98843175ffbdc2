"""The figures of an experiment's finished cells, and what follows from their differences."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from feedback_app.experiments.labels import arm_at
from feedback_app.experiments.models import Cell, Experiment
from feedback_app.experiments.services.design import Design, design_of
from feedback_app.experiments.services.grid import ratios_of
from feedback_app.experiments.statistics.conclusions import Finding, conclude, finding_of
from feedback_app.experiments.statistics.corrections import bonferroni, holm
from feedback_app.experiments.statistics.gains import Gain, Resampled, gain, resample
from feedback_app.experiments.statistics.headroom import Headroom, headroom_of
from feedback_app.experiments.statistics.metrics import METRICS, Metric, metrics_of
from feedback_app.experiments.statistics.paper import SeedTest, seed_test
from feedback_app.experiments.statistics.predictions import (
    TRAITS,
    Outcome,
    TestImages,
    read_images,
    read_outcome,
)

REAL = "real"
CONTROLS = ("transformed", "unfiltered")
"""Arms that a gain is compared with too, to see what it is owed to."""


@dataclass(frozen=True, order=True)
class Place:
    """A place is an arm at a size and a ratio: one cell a seed."""

    real_size: int
    arm: str
    ratio: float

    @property
    def label(self) -> str:
        return arm_at(self.arm, self.ratio)


@dataclass(frozen=True, kw_only=True)
class Compared:
    """It is an arm against another one at the same size,
    by the bootstrap and by the paper's test.
    """

    place: Place
    against: Place
    gain: Gain
    p_holm: float
    paper: SeedTest
    p_bonferroni: float
    is_primary: bool = False

    @property
    def finding(self) -> Finding:
        """The primary comparison was named before, alone; the others are corrected."""
        return finding_of(self.gain, p_value=self.p_decisive)

    @property
    def p_decisive(self) -> float:
        return self.gain.p_value if self.is_primary else self.p_holm

    def sentence(self, metric: Metric) -> str:
        return conclude(
            self.gain,
            p_value=self.p_decisive,
            arm=f"{self.place.label}, {self.place.real_size} real",
            reference=self.against.label,
            metric=metric.label,
        )


@dataclass(frozen=True, kw_only=True)
class Mean:
    """It is a figure of a place over its seeds."""

    place: Place
    metric: str
    mean: float
    deviation: float
    seeds: int


@dataclass(frozen=True, kw_only=True)
class Group:
    """It is the primary comparison on a part of the test images."""

    trait: str
    name: str
    images: int
    patients: int
    gain: Gain


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Everything that is computed; ``comparisons`` has the primary one first."""

    metric: str
    done: int
    cells: int
    test_images: int
    test_patients: int
    comparisons: tuple[Compared, ...] = ()
    controls: tuple[Compared, ...] = ()
    means: tuple[Mean, ...] = ()
    by_metric: tuple[tuple[str, Gain], ...] = ()
    groups: tuple[Group, ...] = ()
    headroom: tuple[Headroom, ...] = ()

    @property
    def primary(self) -> Compared | None:
        return next((one for one in self.comparisons if one.is_primary), None)

    @property
    def has_anything(self) -> bool:
        return bool(self.means)


@dataclass(frozen=True)
class Outcomes:
    """What the finished cells said of the test images, by place and seed."""

    design: Design
    images: TestImages
    of: Mapping[Place, Mapping[int, Outcome]]

    def together(self, first: Place, second: Place) -> list[int]:
        """Returns the seeds at which both are done."""
        return sorted(self.of.get(first, {}).keys() & self.of.get(second, {}).keys())

    def at(self, place: Place, seeds: Sequence[int]) -> list[Outcome]:
        return [self.of[place][seed] for seed in seeds]


def figures_of(experiment: Experiment) -> Figures:
    """Counts the cells that are done; the draws are the same for all."""
    design = design_of(experiment)
    cells = list(experiment.cells.done().select_related("result__predictions"))
    total = experiment.cells.count()
    if not cells:
        return Figures(metric=design.metric, done=0, cells=total, test_images=0, test_patients=0)
    outcomes = read_cells(cells, design)
    comparing = Comparing(outcomes, METRICS[design.metric])
    return Figures(
        metric=design.metric,
        done=len(cells),
        cells=total,
        test_images=len(outcomes.images.image_ids),
        test_patients=outcomes.images.patient_count,
        comparisons=tuple(comparing.with_real()),
        controls=tuple(comparing.with_controls()),
        means=tuple(means_of(outcomes)),
        by_metric=tuple(comparing.by_metric()),
        groups=tuple(comparing.by_group()),
        headroom=tuple(headroom_of(comparing.metric, real_alone(outcomes))),
    )


def read_cells(cells: Sequence[Cell], design: Design) -> Outcomes:
    """Returns one copy of the test images; cells that share a result share its predictions."""
    read: dict[str, list[dict[str, object]]] = {}
    found: dict[Place, dict[int, Outcome]] = {}
    images: TestImages | None = None
    for cell in cells:
        assert cell.result is not None
        blob = cell.result.predictions
        rows = read.setdefault(blob.sha256, json.loads(blob.read()))
        images = images or read_images(rows)
        outcome = read_outcome(rows, images, findings=design.findings)
        place = Place(cell.real_size, cell.arm, cell.ratio)
        found.setdefault(place, {})[cell.seed] = outcome
    assert images is not None
    return Outcomes(design, images, found)


class Comparing:
    """It finds gains between places, by one metric; each place is resampled once."""

    def __init__(self, outcomes: Outcomes, metric: Metric) -> None:
        self.outcomes = outcomes
        self.metric = metric

    @cached_property
    def _resampled(self) -> dict[Place, tuple[list[int], Resampled]]:
        found = {}
        for place, by_seed in self.outcomes.of.items():
            seeds = sorted(by_seed)
            drawn = resample(self.metric, self.outcomes.at(place, seeds), self.outcomes.images)
            found[place] = (seeds, drawn)
        return found

    def _at(self, place: Place, seeds: Sequence[int]) -> Resampled:
        known, drawn = self._resampled[place]
        rows = [known.index(seed) for seed in seeds]
        return Resampled(drawn.values[rows], drawn.replicates[rows])

    def _compared(self, pairs: Sequence[tuple[Place, Place]]) -> list[Compared]:
        """With corrections for their number."""
        found = []
        for place, against in pairs:
            seeds = self.outcomes.together(place, against)
            arm, reference = self._at(place, seeds), self._at(against, seeds)
            patients = self.outcomes.images.patient_count
            found.append(
                (
                    gain(arm, reference, sign=self.metric.sign, patients=patients),
                    seed_test(arm.values, reference.values, sign=self.metric.sign),
                )
            )
        corrected = holm([one.p_value for one, _ in found])
        by_bonferroni = bonferroni([one.p_value for _, one in found])
        return [
            Compared(
                place=place,
                against=against,
                gain=of_both,
                p_holm=float(p_holm),
                paper=paper,
                p_bonferroni=float(p_bonferroni),
            )
            for (place, against), (of_both, paper), p_holm, p_bonferroni in zip(
                pairs, found, corrected, by_bonferroni, strict=True
            )
        ]

    def with_real(self) -> list[Compared]:
        """Returns every arm, size and ratio against real images alone; the primary comparison
        first.
        """
        pairs = [
            (place, reference)
            for place in self._places()
            if place.arm != REAL
            and self.outcomes.together(place, reference := Place(place.real_size, REAL, 0.0))
        ]
        primary = primary_of(self.outcomes.design)
        found = [replace(one, is_primary=one.place == primary) for one in self._compared(pairs)]
        return sorted(found, key=lambda one: not one.is_primary)

    def with_controls(self) -> list[Compared]:
        """Arms with curated images against those whose gain is not the curation's."""
        pairs = [
            (place, control)
            for place in self._places()
            if place.arm not in {REAL, *CONTROLS}
            for name in CONTROLS
            if self.outcomes.together(place, control := Place(place.real_size, name, place.ratio))
        ]
        return self._compared(pairs)

    def _places(self) -> Iterator[Place]:
        """In the design's order."""
        design = self.outcomes.design
        for size in design.real_sizes:
            for arm in design.arms:
                for ratio in ratios_of(arm, design):
                    yield Place(size, arm, ratio)

    def _primary_pair(self) -> tuple[Place, Place, list[int]]:
        primary = primary_of(self.outcomes.design)
        real = Place(primary.real_size, REAL, 0.0)
        return primary, real, self.outcomes.together(primary, real)

    def by_metric(self) -> Iterator[tuple[str, Gain]]:
        """Yields the primary comparison by every metric of the task."""
        place, real, seeds = self._primary_pair()
        if not seeds:
            return
        for metric in metrics_of(self.outcomes.design.task):
            arm, reference = (
                resample(metric, self.outcomes.at(one, seeds), self.outcomes.images)
                for one in (place, real)
            )
            patients = self.outcomes.images.patient_count
            yield metric.name, gain(arm, reference, sign=metric.sign, patients=patients)

    def by_group(self) -> Iterator[Group]:
        """Yields the primary comparison within each group of test images, where there are two
        or more.
        """
        place, real, seeds = self._primary_pair()
        if not seeds:
            return
        images = self.outcomes.images
        for trait in TRAITS:
            groups = images.groups(trait)
            for name, members in groups.items() if len(groups) > 1 else ():
                arm, reference = (
                    resample(self.metric, self.outcomes.at(one, seeds), images, members=members)
                    for one in (place, real)
                )
                patients = len(np.unique(images.patients[members]))
                yield Group(
                    trait=trait,
                    name=name,
                    images=int(members.sum()),
                    patients=patients,
                    gain=gain(arm, reference, sign=self.metric.sign, patients=patients),
                )


def real_alone(outcomes: Outcomes) -> dict[int, list[Outcome]]:
    """Returns what the arm of real images alone said, by their number."""
    return {
        place.real_size: list(by_seed.values())
        for place, by_seed in outcomes.of.items()
        if place.arm == REAL
    }


def primary_of(design: Design) -> Place:
    primary = design.primary
    return Place(primary.real_size, primary.arm, primary.ratio)


def means_of(outcomes: Outcomes) -> Iterator[Mean]:
    """Yields every metric of every place, over its seeds."""
    for place in sorted(outcomes.of, key=lambda one: (one.real_size, one.arm != REAL, one)):
        by_seed = outcomes.of[place]
        for metric in metrics_of(outcomes.design.task):
            values = np.array([metric.value(outcome) for outcome in by_seed.values()])
            known = values[np.isfinite(values)]
            yield Mean(
                place=place,
                metric=metric.name,
                mean=float(known.mean()) if known.size else np.nan,
                deviation=float(known.std(ddof=1)) if known.size > 1 else np.nan,
                seeds=len(values),
            )
