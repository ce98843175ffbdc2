"""A training in stages, from a spec to a model folder.

Each stage keeps its state in the checkpoint folder and is taken up where it was left, so the
whole may be killed and started again at any time.
"""

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from generation.diffusion.assembly import replace_folder
from generation.training import processes
from generation.training.checkpoints import Report

Spec = TypeVar("Spec")

Progress = Callable[[int, int, str, Mapping[str, float]], None]
"""Called with steps done, steps in all, what is being done, and figures."""


@dataclass(frozen=True)
class StagedTraining(Generic[Spec]):
    """One run of such a training: what to do, where its state is, and where progress goes."""

    spec: Spec
    checkpoint: Path
    progress: Progress

    @property
    def total(self) -> int:
        """Returns the steps of all stages together."""
        raise NotImplementedError

    def run(self, model: Path) -> None:
        """Do all stages, and leave their result in the folder ``model``."""
        raise NotImplementedError

    def report(self, stage: str, *, after: int) -> Report:
        """Report steps of a stage as steps of the whole; the first process alone does."""

        def report_step(step: int, figures: Mapping[str, float]) -> None:
            if processes.rank() == 0:
                self.progress(after + step, self.total, stage, figures)

        return report_step

    def publish(self, model: Path, save: Callable[[Path], Any]) -> None:
        """Let ``save`` fill a folder, and put it in the place of ``model``, whole or not at all."""
        partial = self.checkpoint / "model"
        shutil.rmtree(partial, ignore_errors=True)
        save(partial)
        replace_folder(partial, model)
