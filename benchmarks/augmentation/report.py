"""Figures of all cells as a table in Markdown, and as JSON."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import mean, stdev
from typing import Any

import numpy as np

from benchmarks.augmentation.bootstrap import Gain, Said, gain, holm
from benchmarks.augmentation.cells import ALL
from benchmarks.augmentation.grid import Experiment

Cell = Mapping[str, Any]
"""A line of JSON: a setting, a seed, figures and predictions."""
FINDING = "pneumonia"


@dataclass(frozen=True)
class Compared:
    size: int
    label: str
    figures: Mapping[str, tuple[float, float]]
    gain: Gain | None
    p_holm: float | None = None
    p_bonferroni: float | None = None


def compare(
    experiment: Experiment, cells: Mapping[tuple[int, str], Sequence[Cell]], images: set[str]
) -> list[Compared]:
    """Every setting of an experiment against real images alone, on these test images."""
    found = []
    for (size, label), of_setting in cells.items():
        against = None
        if label != "real":
            pairs = paired(cells[size, "real"], of_setting)
            patients, without = said_of(experiment, [first for first, _ in pairs], images)
            _, with_ = said_of(experiment, [second for _, second in pairs], images)
            against = gain(without, with_, patients)
        found.append(Compared(size, label, spread_of(of_setting), against))
    return corrected(found)


def corrected(found: Sequence[Compared]) -> list[Compared]:
    gains = [one.gain for one in found if one.gain is not None]
    adjusted = iter(holm([one.p_two_sided for one in gains]))
    return [
        one
        if one.gain is None
        else Compared(
            one.size,
            one.label,
            one.figures,
            one.gain,
            next(adjusted),
            min(1.0, one.gain.p_t_one_tailed * len(gains)),
        )
        for one in found
    ]


def paired(first: Sequence[Cell], second: Sequence[Cell]) -> list[tuple[Cell, Cell]]:
    by_seed = {cell["seed"]: cell for cell in first}
    return [(by_seed[cell["seed"]], cell) for cell in second if cell["seed"] in by_seed]


def spread_of(cells: Sequence[Cell]) -> dict[str, tuple[float, float]]:
    """Mean and standard deviation over seeds, by figure."""
    spread = {}
    for name in cells[0]["figures"]:
        values = [cell["figures"][name] for cell in cells]
        spread[name] = (mean(values), stdev(values) if len(values) > 1 else 0.0)
    return spread


def said_of(
    experiment: Experiment, cells: Sequence[Cell], images: set[str]
) -> tuple[list[str], Said]:
    """The patient of each test image, and what each cell said of them."""
    kept = [[line for line in cell["predictions"] if line["image_id"] in images] for cell in cells]
    patients = [line["patient"] for line in kept[0]]
    if experiment.task == "segmentation":
        return patients, Said(np.array([[line["dice"] for line in lines] for lines in kept]), None)
    truth = np.array([line["truth"][FINDING] for line in kept[0]])
    said = np.array([[line["said"][FINDING] for line in lines] for lines in kept])
    return patients, Said(said, truth)


def by_setting(cells: Sequence[Cell]) -> dict[tuple[int, str], list[Cell]]:
    groups: dict[tuple[int, str], list[Cell]] = defaultdict(list)
    for cell in cells:
        groups[cell["size"], cell["label"]].append(cell)
    return dict(groups)


def table(experiment: Experiment, compared: Sequence[Compared], *, shown: Sequence[str]) -> str:
    """In Markdown; figures are means over seeds with their standard deviation."""
    head = ["real images", "arm", *shown, f"gain in {experiment.figure}, 95 % interval"]
    head += ["p", "p, Holm", "one-tailed t, Bonferroni", "seeds"]
    lines = [head, ["---"] * len(head)]
    for one in compared:
        figures = [
            "{:.3f} ± {:.3f}".format(*one.figures[name]) if name in one.figures else ""
            for name in shown
        ]
        size = "all" if one.size == ALL else str(one.size)
        label = f"**{one.label}**" if (one.size, one.label) == experiment.primary else one.label
        lines.append([size, label, *figures, *gain_cells(one)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def gain_cells(one: Compared) -> list[str]:
    if one.gain is None:
        return [""] * 5
    told = one.gain
    return [
        f"{told.value:+.3f} ({told.low:+.3f} to {told.high:+.3f})",
        f"{told.p_two_sided:.4f}",
        f"{one.p_holm:.4f}",
        f"{one.p_bonferroni:.4f}",
        str(told.seeds),
    ]


def as_json(compared: Sequence[Compared]) -> list[dict[str, Any]]:
    return [asdict(one) for one in compared]
