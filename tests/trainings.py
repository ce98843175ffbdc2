"""Trainings in the test's own process: the same commands, without importing torch anew each time.

Child processes themselves are tested in ``tests/runs/test_children.py``, and with whole
trainings in the tests of pretraining, of a ControlNet and of a night with a gate.
"""

import importlib
import json
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

from feedback_app.runs.progress import Progress
from generation.errors import RemediableError

STARTERS = (
    "feedback_app.finetuning.tasks.run_child",
    "feedback_app.images.scorers.tasks.proxies.run_child",
)


def run_here(progress: Progress, *, module: str, run_dir: Path) -> dict[str, Any]:
    """What ``run_child`` does, without the child and its progress."""
    with patch.object(sys, "argv", [module, str(run_dir)]):
        status = importlib.import_module(module).main()
    if status:
        told = json.loads((run_dir / "error.json").read_text())
        raise RemediableError(told["error"], remedy=told["remedy"])
    result: dict[str, Any] = json.loads((run_dir / "result.json").read_text())
    return result
