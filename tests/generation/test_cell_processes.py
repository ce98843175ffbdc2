"""A cell whose process is killed, and taken up again by another one."""

import json
import signal
import time
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from tests import warm
from tests.generation.cell_trainees import train_in, write_cohort, write_pretrained

pytestmark = pytest.mark.slow


def kill_in_phase(number: int, process: ForkServerProcess, folder: Path) -> None:
    """Once something was kept of that phase."""
    kept = folder / "checkpoint" / f"phase-{number}.pt"
    deadline_s = time.monotonic() + warm.PATIENCE_S
    while not kept.exists() and time.monotonic() < deadline_s:
        time.sleep(0.001)
    process.kill()
    assert warm.exit_code(process) == -signal.SIGKILL, f"it ended before phase {number}"


def read(folder: Path) -> tuple[dict, list]:
    result = json.loads((folder / "result.json").read_text())
    del result["seconds"]
    return result, json.loads((folder / "predictions.json").read_text())


def test_a_cell_killed_in_each_phase_ends_with_the_same_figures(tmp_path: Path) -> None:
    cohort = write_cohort(tmp_path / "cohort")
    for name in ("undisturbed", "killed"):
        write_pretrained(tmp_path / name, cohort)
    assert warm.exit_code(warm.start(train_in, tmp_path / "undisturbed")) == 0
    for phase in range(2):
        kill_in_phase(phase, warm.start(train_in, tmp_path / "killed"), tmp_path / "killed")
    assert warm.exit_code(warm.start(train_in, tmp_path / "killed")) == 0
    assert read(tmp_path / "killed") == read(tmp_path / "undisturbed")
