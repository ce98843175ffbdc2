"""``python -m benchmarks.augmentation DATA WORK``: see the package.

``--only`` is of one experiment; ``--report`` trains nothing and writes what is there.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from benchmarks.augmentation import children, cohorts, covid, kermany, lesions
from benchmarks.augmentation.cells import Setting, kept_result, spec_of, train_once
from benchmarks.augmentation.grid import EXPERIMENTS, SEEDS, Experiment
from benchmarks.augmentation.pools import best_of, make_pool, measure_pool
from benchmarks.augmentation.report import Cell, Predictors, write_report
from generation.specs import CellSpec, TrainingImage

BEST = {"half": 0.5, "quarter": 0.25}
Rows = Sequence[TrainingImage]
ROWS: dict[str, Callable[[Path, Path], Rows]] = {
    "nih": lambda data, work: cohorts.nih_rows(data),
    "covid-lungs": lambda data, work: cohorts.lung_rows(data),
    "kermany": lambda data, work: kermany.arm_rows(data),
    "covid-qu": covid.arm_rows,
}
"""By cohort, from the folders of data and work."""
OWN_POOLS = {"kermany": children.make_pools, "covid-qu": lesions.make_pools}
"""Those of cohorts with a generator of their own."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.augmentation", description=__doc__)
    parser.add_argument("data", type=Path, help="with the folders of the sources")
    parser.add_argument("work", type=Path, help="where images and cells are kept")
    parser.add_argument("--only", choices=[one.name for one in EXPERIMENTS])
    parser.add_argument("--report", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    courses = [
        Course.of(experiment, arguments.data, arguments.work)
        for experiment in EXPERIMENTS
        if arguments.only in (None, experiment.name)
    ]
    if not arguments.report:
        for course in courses:
            course.train()
    write_report(
        [(course.experiment, course.trained()) for course in courses],
        {course.experiment.name: course.heldout(arguments.data) for course in courses},
        {course.experiment.name: course.predictors(arguments.data) for course in courses},
    )


def test_ids(rows: Sequence[TrainingImage]) -> set[str]:
    return {row.image_id for row in rows if row.split == "test"}


@dataclass(frozen=True)
class Course:
    """An experiment with its manifests at hand."""

    experiment: Experiment
    work: Path
    manifest: Path
    rows: Sequence[TrainingImage]
    pools: dict[str, Path]

    @classmethod
    def of(cls, experiment: Experiment, data: Path, work: Path) -> "Course":
        rows = ROWS[experiment.cohort](data, work)
        manifest = cohorts.write_rows(rows, work / f"{experiment.cohort}.jsonl")
        if own := OWN_POOLS.get(experiment.cohort):
            pools = own(experiment.pools, data, work)
        else:
            pools = make_pools(experiment, rows, work)
        return cls(experiment, work, manifest, rows, pools)

    def spec(self, setting: Setting, seed: int) -> CellSpec:
        return spec_of(setting, seed, manifest=self.manifest, rows=self.rows, pools=self.pools)

    def heldout(self, data: Path) -> dict[str, set[str]]:
        """Returns the test images by name of the set, as tables are made of them."""
        if self.experiment.task == "classification":
            return {"test split": test_ids(self.rows)}
        if self.experiment.cohort == "covid-qu":
            sick = [row for row in self.rows if row.findings]
            return {
                "test images with a lesion": test_ids(sick),
                "all test images, healthy ones too": test_ids(self.rows),
            }
        return {
            "all held-out images": test_ids(self.rows),
            "the test split alone, which chose nothing": test_ids(cohorts.strict_lung_rows(data)),
        }

    def predictors(self, data: Path) -> Predictors:
        """Returns what draws lesions without skill, beside what every cell knows."""
        if self.experiment.cohort != "covid-qu":
            return {}
        tested = [row for row in self.rows if row.split == "test"]
        return {"all lungs, drawn": lesions.drawn_lungs_dice(tested, data, self.work)}

    def train(self) -> None:
        figure = self.experiment.figure
        for setting, seed in in_order(self.experiment):
            result = train_once(self.spec(setting, seed), self.work)
            print(
                f"seed {seed}, {setting.size or 'all'} real, {setting.label}: "
                f"{figure} {result['figures'][figure]:.3f}, {result['seconds']:.0f} s",
                flush=True,
            )

    def trained(self) -> list[Cell]:
        cells = []
        for setting, seed in in_order(self.experiment):
            if result := kept_result(self.spec(setting, seed), self.work):
                cells.append(Cell(setting=setting, seed=seed, **result))
        return cells


def in_order(experiment: Experiment) -> Iterator[tuple[Setting, int]]:
    """Tier by tier and seed by seed, so that what is there is comparable."""
    for settings in experiment.in_tiers():
        for seed in SEEDS:
            for setting in settings:
                yield setting, seed


def make_pools(
    experiment: Experiment, rows: Sequence[TrainingImage], work: Path
) -> dict[str, Path]:
    """Manifests by name: each pool, and its best by the proxy's measure."""
    training = [row for row in rows if row.split == "train"]
    manifests = {}
    for pool in experiment.pools:
        folder = work / "pools" / pool.name
        made = make_pool(pool, training, folder)
        measures = measure_pool(made, folder)
        manifests[pool.name] = folder / "manifest.jsonl"
        for name, share in BEST.items():
            best = best_of(made, measures, share=share)
            path = folder / f"best-{name}.jsonl"
            manifests[f"{pool.name}, best {name}"] = cohorts.write_rows(best, path)
    return manifests


if __name__ == "__main__":
    main()
