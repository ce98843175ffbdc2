"""What the cells say: tables in Markdown, every figure as JSON, and every prediction."""

import gzip
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
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
from feedback_app.experiments.statistics.headroom import (
    Headroom,
    headroom_of,
    trivial_outcomes,
)
from feedback_app.experiments.statistics.metrics import METRICS
from feedback_app.experiments.statistics.paper import seed_test
from feedback_app.experiments.statistics.predictions import (
    Outcome,
    TestImages,
    read_images,
    read_outcome,
)
from generation.specs import Task

FOLDER = Path(__file__).parent
"""Beside this module are NAME.md, NAME.json and NAME-predictions.json.gz of each experiment."""
MOVED = "transformed"
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

    ``p_seeds`` is that of a paired one-tailed t-test over seeds; ``beyond_moved`` is the gain
    over as many moved copies of the same real images.
    """

    size: int
    label: str
    variant: str
    seeds: int
    figures: Mapping[str, tuple[float, float]]
    gain: Gain | None = None
    p_seeds: float | None = None
    p_holm: float | None = None
    p_bonferroni: float | None = None
    beyond_moved: Gain | None = None

    @property
    def key(self) -> tuple[int, str]:
        return self.size, self.label

    @property
    def name(self) -> str:
        count = "all" if self.size == ALL else self.size
        arm = "alone" if self.label == "real" else f"and {self.label}"
        return f"{count} real images {arm}"


Trained = tuple[Experiment, Sequence[Cell]]


Predictors = Mapping[str, Mapping[str, float]]
"""What draws masks without skill, by name: the Dice of each test image."""


def write_report(
    trained: Iterable[Trained],
    heldout: Mapping[str, Mapping[str, set[str]]],
    predictors: Mapping[str, Predictors],
) -> None:
    """``heldout`` names the sets of test images that tables are made of, by experiment;
    ``predictors`` are beside those that every cell of a segmentation knows.
    """
    for experiment, cells in trained:
        if not cells:
            print(f"{experiment.name}: no cell was trained yet")
            continue
        sections, kept = [], []
        for name, ids in heldout[experiment.name].items():
            comparison = Comparison(experiment, cells, ids, predictors.get(experiment.name, {}))
            sections.append(section(comparison, name))
            kept.append(
                {
                    "images": name,
                    "headroom": [asdict(one) for one in comparison.headroom],
                    "without_skill": comparison.without_skill,
                    "settings": [asdict(one) for one in comparison.compared],
                }
            )
        content = {
            "experiment": experiment.name,
            "machine": describe_machine(),
            "cohort": experiment.cohort,
            "regime": experiment.regime,
            "named": experiment.named,
            "comparisons": kept,
            "cells": [line_of(cell) for cell in cells],
        }
        path = FOLDER / experiment.name
        path.with_suffix(".json").write_text(json.dumps(content, indent=1) + "\n")
        path.with_suffix(".md").write_text("\n\n".join(sections) + "\n")
        write_predictions(cells, FOLDER / f"{experiment.name}-predictions.json.gz")
        print(path.with_suffix(".md").read_text())


def line_of(cell: Cell) -> dict[str, Any]:
    kept = {"hash": cell.hash, "seed": cell.seed, "figures": cell.figures}
    return asdict(cell.setting) | kept | {"seconds": round(cell.seconds, 1)}


@dataclass(frozen=True)
class Comparison:
    """Every setting of an experiment that was trained, on the test images of these ids."""

    experiment: Experiment
    cells: Sequence[Cell]
    ids: set[str]
    predictors: Predictors = field(default_factory=dict)

    @cached_property
    def images(self) -> TestImages:
        return read_images(self._lines(self.cells[0]))

    @cached_property
    def _groups(self) -> dict[tuple[int, str], dict[int, Cell]]:
        """Cells by size and label, and by seed."""
        groups: dict[tuple[int, str], dict[int, Cell]] = defaultdict(dict)
        for cell in self.cells:
            groups[cell.setting.size, cell.setting.label][cell.seed] = cell
        return groups

    @cached_property
    def compared(self) -> list[Compared]:
        found = [self._of(size, label) for size, label in self._groups]
        return corrected(found, named=self.experiment.named)

    @cached_property
    def headroom(self) -> list[Headroom]:
        real = {
            size: [self._outcome(cell) for cell in cells.values()]
            for (size, label), cells in self._groups.items()
            if label == "real"
        }
        return list(headroom_of(METRICS[self.experiment.figure], real))

    @cached_property
    def without_skill(self) -> dict[int, dict[str, float]]:
        """The mean Dice of what draws masks without skill, by number of real images."""
        found: dict[int, dict[str, float]] = {}
        for (size, label), cells in self._groups.items():
            if label == "real" and self.experiment.task == "segmentation":
                named: dict[str, list[float]] = defaultdict(list)
                for cell in cells.values():
                    for name, one in trivial_outcomes(self._outcome(cell)):
                        named[name].append(METRICS["dice"].value(one))
                found[size] = {name: mean(values) for name, values in named.items()}
                for name, by_image in self.predictors.items():
                    found[size][name] = mean(by_image[name] for name in self.ids)
        return found

    def _of(self, size: int, label: str) -> Compared:
        own = self._groups[size, label]
        variant = next(iter(own.values())).setting.variant
        outcomes = [self._outcome(cell) for cell in own.values()]
        plain = Compared(
            size=size,
            label=label,
            variant=variant,
            seeds=len(own),
            figures=self._spread(outcomes),
        )
        if label == f"real{variant}":
            return plain
        told = self._gain_over(f"real{variant}", plain)
        if told is None:
            return plain
        found, p_seeds = told
        moved = [name for other, name in self._groups if other == size and is_moved(name, variant)]
        beyond = self._gain_over(moved[0], plain) if moved and moved != [label] else None
        return replace(
            plain, gain=found, p_seeds=p_seeds, beyond_moved=beyond[0] if beyond else None
        )

    def _gain_over(self, other: str, one: Compared) -> tuple[Gain, float] | None:
        """And the p of the test over seeds; None where fewer than two seeds are there in both."""
        own, against = self._groups[one.key], self._groups.get((one.size, other), {})
        seeds = sorted(own.keys() & against.keys())
        if len(seeds) < 2:
            return None
        arm, reference = self._resampled(own, seeds), self._resampled(against, seeds)
        sign = METRICS[self.experiment.figure].sign
        found = gain(arm, reference, sign=sign, patients=self.images.patient_count)
        return found, seed_test(arm.values, reference.values, sign=sign).p_value

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


def is_moved(label: str, variant: str) -> bool:
    """Returns whether this names moved copies of real images, trained in the same way."""
    return label.startswith(MOVED) and label.removesuffix(variant).endswith("x")


def corrected(found: Sequence[Compared], *, named: Collection[tuple[int, str]]) -> list[Compared]:
    """Returns those that were named before the run for their number, the others for all that
    there are.
    """
    told = [one for one in found if one.gain is not None and one.gain.is_enough]
    first = [one for one in told if one.key in named]
    by_key = _adjusted(told) | _adjusted(first)
    return [by_key.get(one.key, one) for one in found]


def _adjusted(told: Sequence[Compared]) -> dict[tuple[int, str], Compared]:
    by_bootstrap = holm([one.gain.p_value for one in told if one.gain is not None])
    by_seeds = bonferroni([np.nan if one.p_seeds is None else one.p_seeds for one in told])
    return {
        one.key: replace(one, p_holm=float(p_holm), p_bonferroni=float(p_bonferroni))
        for one, p_holm, p_bonferroni in zip(told, by_bootstrap, by_seeds, strict=True)
    }


def section(comparison: Comparison, name: str) -> str:
    experiment, compared = comparison.experiment, comparison.compared
    images = comparison.images
    gains = sum(one.gain is not None for one in compared)
    title = f"### {experiment.name}: {experiment.task} of {experiment.cohort}, {name}"
    told = (
        f"Measured on {len(images.image_ids)} images of {images.patient_count} patients. Regime: "
        f"{experiment.regime}. {gains} comparisons with real images alone; {len(experiment.named)} "
        "in bold, named before the run, are corrected for their own number, the others for all."
    )
    parts = [title, told, *said(experiment, compared), table(experiment, compared)]
    parts.append(headroom_table(experiment, comparison.headroom))
    if comparison.without_skill:
        parts.append(skill_table(comparison.without_skill))
    return "\n\n".join(parts)


def skill_table(found: Mapping[int, Mapping[str, float]]) -> str:
    """Returns what an arm has to beat to be of use, whatever its gain."""
    names = list(dict.fromkeys(name for values in found.values() for name in values))
    head = ["real images", *(f"{name}, Dice" for name in names)]
    lines = [
        [
            "all" if size == ALL else str(size),
            *(f"{values[name]:.3f}" if name in values else "" for name in names),
        ]
        for size, values in found.items()
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *lines))


def said(experiment: Experiment, compared: Sequence[Compared]) -> list[str]:
    """Returns what can be concluded of the comparisons that were named first, if they were made."""
    by_key = {one.key: one for one in compared}
    made = [by_key[key] for key in experiment.named if key in by_key]
    return [_sentence(experiment, one) for one in made if one.gain is not None]


def _sentence(experiment: Experiment, one: Compared) -> str:
    assert one.gain is not None and one.p_holm is not None
    return conclude(
        one.gain,
        p_value=one.p_holm,
        arm=one.name,
        reference=replace(one, label=f"real{one.variant}").name,
        metric=METRICS[experiment.figure].label,
    )


def headroom_table(experiment: Experiment, found: Sequence[Headroom]) -> str:
    head = ["real images", f"alone, {experiment.figure}", "without a look", "with the most"]
    lines = [
        [
            "all" if one.real_size == ALL else str(one.real_size),
            f"{one.value:.3f}",
            f"{one.trivial_value:.3f} ({one.trivial})" if one.trivial else "not known",
            f"{one.with_most:.3f}",
        ]
        for one in found
    ]
    table = [head, ["---"] * len(head), *lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in table)


def write_predictions(cells: Iterable[Cell], path: Path) -> None:
    """What every cell said of every test image, by its hash; images and patients once."""
    content = {"images": [], "cells": {}}  # type: dict[str, Any]
    for cell in cells:
        rows = sorted(cell.predictions, key=lambda row: str(row["image_id"]))
        content["images"] = content["images"] or [
            {"image": row["image_id"], "patient": row["patient"], "truth": row.get("truth")}
            for row in rows
        ]
        content["cells"][cell.hash] = [_shortened(row) for row in rows]
    path.write_bytes(gzip.compress(json.dumps(content).encode(), mtime=0))


def _shortened(row: Mapping[str, Any]) -> list[Any]:
    """Probability and what is said of each finding, or Dice and distance."""
    if "dice" in row:
        return [row["dice"], row["hd95"]]
    return [[round(row["probability"][name], 4), row["said"][name]] for name in row["truth"]]


def table(experiment: Experiment, compared: Sequence[Compared]) -> str:
    shown = SHOWN[experiment.task]
    head = ["real images", "arm", "seeds", *shown, f"gain in {experiment.figure}", "95 % interval"]
    head += ["p, one-sided", "p, Holm", "t over seeds, Bonferroni", "beyond moved copies"]
    lines = [head]
    lines.append(["---"] * len(lines[0]))
    for one in compared:
        is_named = one.key in experiment.named
        lines.append(
            [
                "all" if one.size == ALL else str(one.size),
                f"**{one.label}**" if is_named else one.label,
                str(one.seeds),
                *("{:.3f} ± {:.3f}".format(*one.figures[figure]) for figure in shown),
                *gain_cells(one),
            ]
        )
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def gain_cells(one: Compared) -> list[str]:
    if one.gain is None:
        return [""] * 6
    told = one.gain
    if not told.is_enough:
        return [f"{told.value:+.3f}", "too few to tell", "", "", "", ""]
    return [
        f"{told.value:+.3f}",
        f"{told.low:+.3f} to {told.high:+.3f}",
        f"{told.p_value:.4f}",
        f"{one.p_holm:.4f}",
        f"{one.p_bonferroni:.4f}",
        between(one.beyond_moved),
    ]


def between(told: Gain | None) -> str:
    return f"{told.value:+.3f} ({told.low:+.3f} to {told.high:+.3f})" if told else ""
