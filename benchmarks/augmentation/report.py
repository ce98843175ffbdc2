"""What the cells say: a table in Markdown, and every figure as JSON."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np

from benchmarks.augmentation.cells import ALL, Setting
from benchmarks.augmentation.grid import Experiment
from benchmarks.rows import describe_machine
from feedback_app.experiments.statistics.conclusions import conclude
from feedback_app.experiments.statistics.corrections import bonferroni, holm
from feedback_app.experiments.statistics.gains import Gain, Resampled, gain, resample
from feedback_app.experiments.statistics.metrics import METRICS
from feedback_app.experiments.statistics.paper import seed_test
from feedback_app.experiments.statistics.predictions import (
    Outcome,
    TestImages,
    read_images,
    read_outcome,
)
from generation.specs import Task

RESULTS = Path(__file__).with_name("results.json")
TABLES = Path(__file__).with_name("tables.md")
FINDINGS: dict[Task, tuple[str, ...]] = {"classification": ("pneumonia",), "segmentation": ()}
SHOWN: dict[Task, tuple[str, ...]] = {
    "classification": ("macro_f1", "auroc", "average_precision"),
    "segmentation": ("dice", "hd95"),
}


@dataclass(frozen=True, kw_only=True)
class Cell:
    setting: Setting
    seed: int
    hash: str
    figures: Mapping[str, float]
    seconds: float
    predictions: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Compared:
    """A setting: means and standard deviations over seeds, and its gain over real images alone.

    ``p_seeds`` is that of a paired one-tailed t-test over seeds.
    """

    size: int
    label: str
    seeds: int
    figures: Mapping[str, tuple[float, float]]
    gain: Gain | None = None
    p_seeds: float | None = None
    p_holm: float | None = None
    p_bonferroni: float | None = None

    @property
    def name(self) -> str:
        count = "all" if self.size == ALL else self.size
        arm = "alone" if self.label == "real" else f"and {self.label}"
        return f"{count} real images {arm}"


Trained = tuple[Experiment, Sequence[Cell]]


def write_report(
    trained: Iterable[Trained], heldout: Mapping[Task, Mapping[str, set[str]]]
) -> None:
    """``heldout`` names the sets of test images that tables are made of, by task."""
    sections, kept, lines = [], [], []
    for experiment, cells in trained:
        if not cells:
            print(f"{experiment.name}: no cell was trained yet")
            continue
        for name, ids in heldout[experiment.task].items():
            comparison = Comparison(experiment, cells, ids)
            sections.append(section(comparison, name))
            kept.append(
                {
                    "experiment": experiment.name,
                    "cohort": experiment.cohort,
                    "regime": experiment.regime,
                    "images": name,
                    "primary": experiment.primary,
                    "settings": [asdict(one) for one in comparison.compared],
                }
            )
        lines += [{"experiment": experiment.name} | line_of(cell) for cell in cells]
    content = {"machine": describe_machine(), "comparisons": kept, "cells": lines}
    RESULTS.write_text(json.dumps(content, indent=1) + "\n")
    TABLES.write_text("\n\n".join(sections) + "\n")
    print(TABLES.read_text())


def line_of(cell: Cell) -> dict[str, Any]:
    kept = {"hash": cell.hash, "seed": cell.seed, "figures": cell.figures}
    return asdict(cell.setting) | kept | {"seconds": round(cell.seconds, 1)}


@dataclass(frozen=True)
class Comparison:
    """Every setting of an experiment that was trained, on the test images of these ids."""

    experiment: Experiment
    cells: Sequence[Cell]
    ids: set[str]

    @cached_property
    def images(self) -> TestImages:
        return read_images(self._lines(self.cells[0]))

    @cached_property
    def compared(self) -> list[Compared]:
        groups: dict[tuple[int, str], dict[int, Cell]] = defaultdict(dict)
        for cell in self.cells:
            groups[cell.setting.size, cell.setting.label][cell.seed] = cell
        found = [
            self._against(groups[size, "real"], own, size=size, label=label)
            for (size, label), own in groups.items()
        ]
        return corrected(found)

    def _against(
        self, real: Mapping[int, Cell], own: Mapping[int, Cell], *, size: int, label: str
    ) -> Compared:
        outcomes = [self._outcome(cell) for cell in own.values()]
        plain = Compared(size=size, label=label, seeds=len(own), figures=self._spread(outcomes))
        seeds = sorted(real.keys() & own.keys())
        if label == "real" or len(seeds) < 2:
            return plain
        arm, reference = self._resampled(own, seeds), self._resampled(real, seeds)
        sign = METRICS[self.experiment.figure].sign
        return replace(
            plain,
            gain=gain(arm, reference, sign=sign, patients=self.images.patient_count),
            p_seeds=seed_test(arm.values, reference.values, sign=sign).p_value,
        )

    def _resampled(self, cells: Mapping[int, Cell], seeds: Sequence[int]) -> Resampled:
        outcomes = [self._outcome(cells[seed]) for seed in seeds]
        return resample(METRICS[self.experiment.figure], outcomes, self.images)

    def _spread(self, outcomes: Sequence[Outcome]) -> dict[str, tuple[float, float]]:
        """Mean and standard deviation over seeds, by figure."""
        spread = {}
        for name in SHOWN[self.experiment.task]:
            values = [METRICS[name].value(outcome) for outcome in outcomes]
            spread[name] = (mean(values), stdev(values) if len(values) > 1 else 0.0)
        return spread

    def _outcome(self, cell: Cell) -> Outcome:
        findings = FINDINGS[self.experiment.task]
        return read_outcome(self._lines(cell), self.images, findings=findings)

    def _lines(self, cell: Cell) -> list[Mapping[str, Any]]:
        return [line for line in cell.predictions if line["image_id"] in self.ids]


def corrected(found: Sequence[Compared]) -> list[Compared]:
    told = [one for one in found if one.gain is not None]
    by_bootstrap = holm([one.gain.p_value for one in told if one.gain is not None])
    by_seeds = bonferroni([np.nan if one.p_seeds is None else one.p_seeds for one in told])
    adjusted = iter(
        replace(one, p_holm=float(first), p_bonferroni=float(second))
        for one, first, second in zip(told, by_bootstrap, by_seeds, strict=True)
    )
    return [one if one.gain is None else next(adjusted) for one in found]


def section(comparison: Comparison, name: str) -> str:
    experiment, compared = comparison.experiment, comparison.compared
    images = comparison.images
    gains = sum(one.gain is not None for one in compared)
    title = f"### {experiment.name}: {experiment.task} of {experiment.cohort}, {name}"
    told = (
        f"Measured on {len(images.image_ids)} images of {images.patient_count} patients. Regime: "
        f"{experiment.regime}. {gains} comparisons; the one in bold was named before the run."
    )
    return "\n\n".join([title, told, table(experiment, compared), *said(experiment, compared)])


def said(experiment: Experiment, compared: Sequence[Compared]) -> list[str]:
    """What can be concluded of the comparison that was named first, if it was made."""
    for one in compared:
        if (one.size, one.label) == experiment.primary and one.gain is not None:
            return [
                conclude(
                    one.gain,
                    p_value=one.gain.p_value,
                    arm=one.name,
                    reference=replace(one, label="real").name,
                    metric=METRICS[experiment.figure].label,
                )
            ]
    return []


def table(experiment: Experiment, compared: Sequence[Compared]) -> str:
    shown = SHOWN[experiment.task]
    head = ["real images", "arm", "seeds", *shown, f"gain in {experiment.figure}", "95 % interval"]
    lines = [[*head, "p, one-sided", "p, Holm", "t over seeds, Bonferroni"]]
    lines.append(["---"] * len(lines[0]))
    for one in compared:
        is_primary = (one.size, one.label) == experiment.primary
        lines.append(
            [
                "all" if one.size == ALL else str(one.size),
                f"**{one.label}**" if is_primary else one.label,
                str(one.seeds),
                *("{:.3f} ± {:.3f}".format(*one.figures[figure]) for figure in shown),
                *gain_cells(one),
            ]
        )
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def gain_cells(one: Compared) -> list[str]:
    if one.gain is None:
        return [""] * 5
    told = one.gain
    return [
        f"{told.value:+.3f}",
        f"{told.low:+.3f} to {told.high:+.3f}",
        f"{told.p_value:.4f}",
        f"{one.p_holm:.4f}",
        f"{one.p_bonferroni:.4f}",
    ]
