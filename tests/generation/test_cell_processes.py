"""A cell whose process is killed, and taken up again by another one."""

import json
import multiprocessing
import signal
import time
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from tests.generation import cell_trainees
from tests.generation.cell_trainees import train_in, write_cohort, write_pretrained

pytestmark = pytest.mark.slow
PATIENCE_S = 120


def start(folder: Path) -> ForkServerProcess:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([cell_trainees.__name__])
    process = context.Process(target=train_in, args=(folder,))
    process.start()
    return process


def finish(process: ForkServerProcess) -> None:
    process.join(PATIENCE_S)
    assert process.exitcode == 0


def kill_in_phase(number: int, process: ForkServerProcess, folder: Path) -> None:
    """Once something was kept of that phase."""
    kept = folder / "checkpoint" / f"phase-{number}.pt"
    deadline_s = time.monotonic() + PATIENCE_S
    while not kept.exists() and time.monotonic() < deadline_s:
        time.sleep(0.001)
    process.kill()
    process.join(PATIENCE_S)
    assert process.exitcode == -signal.SIGKILL, f"it ended before phase {number}"


def read(folder: Path) -> tuple[dict, list]:
    result = json.loads((folder / "result.json").read_text())
    del result["seconds"]
    return result, json.loads((folder / "predictions.json").read_text())


def test_a_cell_killed_in_each_phase_ends_with_the_same_figures(tmp_path: Path) -> None:
    cohort = write_cohort(tmp_path / "cohort")
    for name in ("undisturbed", "killed"):
        write_pretrained(tmp_path / name, cohort)
    finish(start(tmp_path / "undisturbed"))
    for phase in range(2):
        kill_in_phase(phase, start(tmp_path / "killed"), tmp_path / "killed")
    finish(start(tmp_path / "killed"))
    assert read(tmp_path / "killed") == read(tmp_path / "undisturbed")
