"""A VLM's training that is killed in each of its stages, and one that two processes share."""

import signal
import socket
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tests import warm
from tests.generation.vlm.tiny_vlms import write_backbone, write_instructions
from tests.generation.vlm.vlm_trainees import train

pytestmark = pytest.mark.slow

Given = tuple[Path, Path]
"""Instructions and a backbone."""


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Given:
    folder = tmp_path_factory.mktemp("vlm")
    return write_instructions(folder / "instructions"), write_backbone(folder / "eye")


@pytest.fixture(scope="module")
def model(given: Given, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed")
    assert warm.exit_code(warm.start(train, *given, folder)) == 0
    return folder / "model"


@pytest.fixture(scope="module")
def undisturbed(model: Path) -> dict[str, torch.Tensor]:
    return weights_of(model.parent)


def weights_of(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model" / "model.safetensors")


def test_a_training_killed_in_each_stage_ends_with_the_same_weights(
    given: Given, undisturbed: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    for step in (2, 5, 8, 11):  # the second of each stage's three
        process = warm.start(train, *given, tmp_path, killed_at=step)
        assert warm.exit_code(process) == -signal.SIGKILL, f"it ended before step {step}"
    assert warm.exit_code(warm.start(train, *given, tmp_path)) == 0
    steps = [line.split() for line in (tmp_path / "steps").read_text().splitlines()]
    twice = (2, 5, 8, 11)  # begun when it was killed, done after
    assert [int(done) for _, done in steps] == sorted([*range(1, 13), *twice])
    assert list(dict(steps)) == ["language", "encoder", "bridge", "instructions"]
    ended = weights_of(tmp_path)
    assert ended.keys() == undisturbed.keys()
    assert all(ended[name].equal(undisturbed[name]) for name in undisturbed)


@pytest.mark.parametrize("part", ["language", "pictures"])
def test_two_processes_train_the_vlm_that_one_does(
    part: str, given: Given, model: Path, tmp_path: Path
) -> None:
    """Norms of what learns agree to a hundredth, since sums are taken in another order.

    The stages that look at pictures begin with the same words here: of six made-up pictures,
    the encoder makes something else of words that differ in their fourth digit.
    """
    none = dict.fromkeys(("encoder_steps", "bridge_steps", "instruction_steps"), 0)
    settings = none if part == "language" else {"base": str(model), "language_steps": 0}
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = [{"rank": rank, "count": 2, "port": port} for rank in range(2)]
    started = [
        warm.start(train, *given, tmp_path / "shared", **settings, **one) for one in shared
    ] + [warm.start(train, *given, tmp_path / "alone", **settings)]
    assert [warm.exit_code(process) for process in started] == [0, 0, 0]
    two, one = weights_of(tmp_path / "shared"), weights_of(tmp_path / "alone")
    assert all(two[name].equal(one[name]) for name in one if "vision_tower" in name)
    for learnt in ("language_model", "multi_modal_projector"):
        together, alone = (torch.cat([weights[name].float().flatten() for name in sorted(weights)
                                      if learnt in name]) for weights in (two, one))  # fmt: skip
        assert (together - alone).norm() < 1e-2 * alone.norm(), learnt
