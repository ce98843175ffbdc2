"""Trainings without importing torch anew each time: the same commands, by the same run folders.

They run in the test's own process or in a warm one. Fresh child processes are tested in
``tests/runs/test_children.py`` and, with whole trainings, in those of a ControlNet and of
pretraining.
"""

import importlib
import json
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

from feedback_app.runs.progress import Progress
from generation.errors import RemediableError
from tests import warm

STARTERS = (
    "feedback_app.experiments.tasks.run_child",
    "feedback_app.finetuning.tasks.run_child",
    "feedback_app.images.scorers.tasks.proxies.run_child",
    "feedback_app.images.versions.tasks.pretraining.run_child",
    "feedback_app.vlms.tasks.run_child",
)


def run_here(
    progress: Progress, *, module: str, run_dir: Path, is_shared: bool = False
) -> dict[str, Any]:
    """What ``run_child`` does, without the child and its progress."""
    with patch.object(sys, "argv", [module, str(run_dir)]):
        status = importlib.import_module(module).main()
    return _outcome(status, run_dir)


def run_warm(_: Progress, *, module: str, run_dir: Path, is_shared: bool = False) -> dict[str, Any]:
    """What ``run_child`` does, in a process that need not load torch, and without its progress."""
    return _outcome(warm.exit_code(warm.start_command(module, run_dir)), run_dir)


def _outcome(status: int, run_dir: Path) -> dict[str, Any]:
    if status:
        told = json.loads((run_dir / "error.json").read_text())
        raise RemediableError(told["error"], remedy=told["remedy"])
    result: dict[str, Any] = json.loads((run_dir / "result.json").read_text())
    return result
