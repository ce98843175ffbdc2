"""What the cells say: a table in Markdown, and every figure as JSON."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import numpy as np

from benchmarks.augmentation.bootstrap import Gain, Said, gain, holm
from benchmarks.augmentation.cells import ALL, Setting
from benchmarks.augmentation.grid import Experiment
from benchmarks.rows import describe_machine
from generation.downstream.figures import segmentation_figures
from generation.specs import Task

RESULTS = Path(__file__).with_name("results.json")
TABLES = Path(__file__).with_name("tables.md")
FINDING = "pneumonia"
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
    """A setting: means and standard deviations over seeds, and its gain over real images alone."""

    size: int
    label: str
    seeds: int
    figures: Mapping[str, tuple[float, float]]
    gain: Gain | None = None
    p_holm: float | None = None
    p_bonferroni: float | None = None


Trained = Mapping[Task, tuple[Experiment, Sequence[Cell]]]


def write_report(trained: Trained, heldout: Mapping[Task, Mapping[str, set[str]]]) -> None:
    sections, kept = [], []
    for task, (experiment, cells) in trained.items():
        for name, images in heldout[task].items():
            compared = compare(experiment, cells, images)
            sections.append(section(experiment, name, compared))
            kept.append(
                {
                    "task": task,
                    "cohort": experiment.cohort,
                    "regime": experiment.regime,
                    "images": name,
                    "primary": experiment.primary,
                    "settings": [asdict(one) for one in compared],
                }
            )
    lines = [line_of(cell) for _, cells in trained.values() for cell in cells]
    content = {"machine": describe_machine(), "comparisons": kept, "cells": lines}
    RESULTS.write_text(json.dumps(content, indent=1) + "\n")
    TABLES.write_text("\n\n".join(sections) + "\n")
    print(TABLES.read_text())


def line_of(cell: Cell) -> dict[str, Any]:
    kept = {"hash": cell.hash, "seed": cell.seed, "figures": cell.figures}
    return asdict(cell.setting) | kept | {"seconds": round(cell.seconds, 1)}


def compare(experiment: Experiment, cells: Sequence[Cell], images: set[str]) -> list[Compared]:
    """Every setting that was trained, on these test images."""
    groups: dict[tuple[int, str], list[Cell]] = defaultdict(list)
    for cell in cells:
        groups[cell.setting.size, cell.setting.label].append(cell)
    found = []
    for (size, label), own in groups.items():
        against = None
        pairs = paired(groups[size, "real"], own)
        if label != "real" and len(pairs) > 1:
            patients, without = said_of(experiment.task, [one for one, _ in pairs], images)
            _, with_ = said_of(experiment.task, [other for _, other in pairs], images)
            against = gain(without, with_, patients)
        figures = spread_of(experiment.task, own, images)
        found.append(
            Compared(size=size, label=label, seeds=len(own), figures=figures, gain=against)
        )
    return corrected(found)


def corrected(found: Sequence[Compared]) -> list[Compared]:
    gains = [one.gain for one in found if one.gain is not None]
    adjusted = iter(holm([one.p_two_sided for one in gains]))
    return [
        one
        if one.gain is None
        else replace(
            one,
            p_holm=next(adjusted),
            p_bonferroni=min(1.0, one.gain.p_t_one_tailed * len(gains)),
        )
        for one in found
    ]


def paired(first: Sequence[Cell], second: Sequence[Cell]) -> list[tuple[Cell, Cell]]:
    by_seed = {cell.seed: cell for cell in first}
    return [(by_seed[cell.seed], cell) for cell in second if cell.seed in by_seed]


def spread_of(
    task: Task, cells: Sequence[Cell], images: set[str]
) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation over seeds, by figure."""
    measured = [figures_on(task, cell, images) for cell in cells]
    spread = {}
    for name in SHOWN[task]:
        values = [figures[name] for figures in measured if name in figures]
        spread[name] = (mean(values), stdev(values) if len(values) > 1 else 0.0)
    return spread


def figures_on(task: Task, cell: Cell, images: set[str]) -> Mapping[str, float]:
    """Figures of a classification are of the whole test split, which is all it has."""
    if task == "classification":
        return cell.figures
    lines = [line for line in cell.predictions if line["image_id"] in images]
    dices, distances, positive = (
        [line[name] for line in lines] for name in ("dice", "hd95", "is_positive")
    )
    return segmentation_figures(dices, distances, positive)


def said_of(task: Task, cells: Sequence[Cell], images: set[str]) -> tuple[list[str], Said]:
    """The patient of each test image, and what each cell said of it."""
    kept = [[line for line in cell.predictions if line["image_id"] in images] for cell in cells]
    patients = [line["patient"] for line in kept[0]]
    if task == "segmentation":
        return patients, Said(np.array([[line["dice"] for line in lines] for lines in kept]), None)
    truth = np.array([line["truth"][FINDING] for line in kept[0]])
    said = np.array([[line["said"][FINDING] for line in lines] for lines in kept])
    return patients, Said(said, truth)


def section(experiment: Experiment, name: str, compared: Sequence[Compared]) -> str:
    gains = [one.gain for one in compared if one.gain is not None]
    about = f"{gains[0].images} images of {gains[0].patients} patients" if gains else "no gain yet"
    title = f"### {experiment.cohort}: {experiment.task}, {name}"
    told = (
        f"Measured on {about}. Regime: {experiment.regime}. {len(gains)} comparisons; the one in"
        " bold was named before the run."
    )
    return "\n\n".join([title, told, table(experiment, compared)])


def table(experiment: Experiment, compared: Sequence[Compared]) -> str:
    shown = SHOWN[experiment.task]
    head = ["real images", "arm", "seeds", *shown, f"gain in {experiment.figure}", "95 % interval"]
    lines = [[*head, "p", "p, Holm", "one-tailed t, Bonferroni"]]
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
        f"{told.p_two_sided:.4f}",
        f"{one.p_holm:.4f}",
        f"{one.p_bonferroni:.4f}",
    ]
