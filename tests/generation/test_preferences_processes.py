"""Training that is killed and taken up again, and training shared by two processes."""

import random
import signal
import socket
import time
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest
import torch

from tests import warm
from tests.generation.trainees import STEPS, train

pytestmark = pytest.mark.slow


def start(folder: Path, **options: int) -> ForkServerProcess:
    folder.mkdir(exist_ok=True)
    return warm.start(train, folder, **options)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, torch.Tensor]:
    folder = tmp_path_factory.mktemp("undisturbed")
    finish(start(folder))
    return torch.load(folder / "end-0.pt")


def finish(process: ForkServerProcess) -> None:
    assert warm.exit_code(process) == 0


def kill_at(step: int, process: ForkServerProcess, folder: Path) -> None:
    deadline = time.monotonic() + warm.PATIENCE_S
    while steps_done(folder) < step and time.monotonic() < deadline:
        time.sleep(0.001)
    process.kill()
    assert warm.exit_code(process) == -signal.SIGKILL, f"it ended before step {step}"


def steps_done(folder: Path) -> int:
    try:
        return int((folder / "step").read_text() or 0)
    except FileNotFoundError:
        return 0


def test_a_training_killed_three_times_ends_with_the_same_weights(
    undisturbed: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    steps = [random.randint(1, 7), random.randint(8, 14), random.randint(15, STEPS - 2)]
    for step in steps:
        kill_at(step, start(tmp_path), tmp_path)
    finish(start(tmp_path))
    ended = torch.load(tmp_path / "end-0.pt")
    assert ended["weights"].equal(undisturbed["weights"]), f"killed at {steps}"
    assert len(ended["losses"]) < STEPS
    assert ended["losses"][-1] == undisturbed["losses"][-1]


def test_two_processes_learn_what_one_does(
    undisturbed: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    """Losses agree to a thousandth, weights in their norm to a hundredth.

    Sums are taken in another order, and AdamW turns the rounding of a gradient near zero
    into a step of its own.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    two = [start(tmp_path, rank=rank, count=2, port=port) for rank in range(2)]
    for process in two:
        finish(process)
    first, second = (torch.load(tmp_path / f"end-{rank}.pt") for rank in range(2))
    assert first["weights"].equal(second["weights"])
    assert first["losses"] == second["losses"]
    assert first["losses"] == pytest.approx(undisturbed["losses"], rel=1e-3)
    difference = first["weights"] - undisturbed["weights"]
    assert difference.norm() < 1e-2 * undisturbed["weights"].norm()
