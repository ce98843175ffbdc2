"""How far linear probes on the VLM's frozen eye move from split to split of the patients.

    python -m benchmarks.vlm_probes INSTRUCTIONS SEEN [--eye bundled] [--splits 20]

Each split holds a drawn quarter of the patients back, as ``benchmarks.vlm`` does; the last line
of a question is the split that the instructions were built with, and what lies below it. ``SEEN``
keeps what the eye saw of each picture. It says whether a figure on one split is low because of
the model, or because of the patients that this split holds back.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from benchmarks.vlm import FIGURES, TEST_SHARE, Figure
from generation.specs import BUNDLED
from generation.statistics.intervals import Interval
from generation.statistics.ranking import auroc_of_groups
from generation.vlm.benchmark.probe import probe
from generation.vlm.instructions.folders import picture_folders
from generation.vlm.model.rows import Row, read_rows
from generation.vlm.model.seen import Seen, see
from generation.vlm.model.vlms import OwnVlm, load_vlm


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("instructions", type=Path)
    parser.add_argument("seen", type=Path)
    parser.add_argument("--eye", default=BUNDLED)
    parser.add_argument("--splits", type=int, default=20)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    learnt = [row for row in read_rows(arguments.instructions, "train") if row.images]
    kept = [row for split in ("validation", "test")
            for row in read_rows(arguments.instructions, split) if row.images]  # fmt: skip
    vlm = load_vlm(arguments.eye)
    assert isinstance(vlm, OwnVlm)
    names = sorted({name for row in (*learnt, *kept) for name in row.images})
    folders = picture_folders(arguments.instructions)
    seen = see(vlm.eye, names, folders, arguments.seen, report=lambda *_: None)
    for figure in FIGURES:
        of_figure(figure, seen, learnt, kept, splits=arguments.splits)


def of_figure(
    figure: Figure, seen: Seen, learnt: Sequence[Row], kept: Sequence[Row], *, splits: int
) -> None:
    """Areas over drawn splits, and on the built one with its interval."""
    taught, asked = ([row for row in rows if (row.source, row.task) == (figure.source, figure.task)]
                     for rows in (learnt, kept))  # fmt: skip
    rows = [*taught, *asked]
    cells = seen.of([row.images[0] for row in rows])[:, 0].float().numpy()
    truth = np.array([figure.is_true(row.answer) for row in rows])
    patients = np.array([row.patient for row in rows])
    areas = []
    for seed in range(splits):
        drawn = np.random.default_rng(seed).permutation(np.unique(patients))
        held = np.isin(patients, drawn[: int(TEST_SHARE * len(drawn))])
        areas.append(area(cells, truth, held).value)
    built = area(cells, truth, np.arange(len(rows)) >= len(taught))
    below = np.mean(np.array(areas) < built.value)
    print(f"{figure.name} {figure.source}: mean {np.mean(areas):.3f}, sd {np.std(areas):.3f}, "
          f"{min(areas):.3f} to {max(areas):.3f}; built split {built}, n {len(asked)}, "
          f"{below:.2f} of the drawn ones lie below it", flush=True)  # fmt: skip


def area(cells: np.ndarray, truth: np.ndarray, held: np.ndarray) -> Interval:
    told = probe(cells[~held], truth[~held], cells[held])
    return auroc_of_groups(told[truth[held]], told[~truth[held]])


if __name__ == "__main__":
    main()
