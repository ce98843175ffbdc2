"""``python -m benchmarks.augmentation DATA WORK``: see the package.

``--seeds`` takes fewer than all; ``--only`` takes one experiment of them.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import torch

from benchmarks.augmentation import cohorts, report
from benchmarks.augmentation.cells import row_of, spec_of, train_once
from benchmarks.augmentation.grid import EXPERIMENTS, SEEDS, Experiment
from benchmarks.augmentation.pools import best_of, make_pool, measure_pool
from benchmarks.rows import describe_machine
from generation.specs import TrainingImage

RESULTS = Path(__file__).with_name("results.json")
TABLE = Path(__file__).with_name("README.md")
ROWS = {"classification": cohorts.nih_rows, "segmentation": cohorts.lung_rows}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.augmentation", description=__doc__)
    parser.add_argument("data", type=Path, help="with the folders nih and covid_lungs")
    parser.add_argument("work", type=Path, help="where images and cells are kept")
    parser.add_argument("--seeds", type=int, default=len(SEEDS))
    parser.add_argument("--only", choices=sorted(ROWS))
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for experiment in EXPERIMENTS:
        if arguments.only in (None, experiment.task):
            train_all(experiment, arguments.data, arguments.work, seeds=SEEDS[: arguments.seeds])


def train_all(experiment: Experiment, data: Path, work: Path, *, seeds: Sequence[int]) -> None:
    """Every cell, seed by seed, as lines of JSON in ``work``."""
    rows = ROWS[experiment.task](data)
    manifest = cohorts.write_rows(rows, work / f"{experiment.cohort}.jsonl")
    pools = make_pools(experiment, rows, work)
    lines = work / f"{experiment.task}.jsonl"
    lines.write_text("")
    for seed in seeds:
        for setting in experiment.settings:
            spec = spec_of(setting, seed, manifest=manifest, rows=rows, pools=pools)
            result = train_once(spec, work)
            row = row_of(setting, seed, result) | {"label": setting.label}
            with lines.open("a") as file:
                file.write(json.dumps(row) + "\n")
            figure = result["figures"][experiment.figure]
            print(
                f"seed {seed}, {setting.size or 'all'} real, {setting.label}: "
                f"{experiment.figure} {figure:.3f}, {result['seconds']:.0f} s",
                flush=True,
            )


def make_pools(
    experiment: Experiment, rows: Sequence[TrainingImage], work: Path
) -> dict[str, Path]:
    """Manifests by name: each pool, and its best half by the proxy's measure."""
    training = [row for row in rows if row.split == "train"]
    manifests = {}
    for pool in experiment.pools:
        folder = work / "pools" / pool.name
        made = make_pool(pool, training, folder)
        best = best_of(made, measure_pool(made, folder), share=0.5)
        manifests[pool.name] = folder / "manifest.jsonl"
        manifests[f"{pool.name}, best half"] = cohorts.write_rows(best, folder / "best-half.jsonl")
    return manifests


if __name__ == "__main__":
    main()
