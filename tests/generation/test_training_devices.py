"""One setting names the device that everything is computed on."""

import subprocess
import sys

import pytest
import torch

from generation.errors import RemediableError
from generation.training.devices import SETTING, best_device, device, named_device


def test_the_setting_names_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SETTING, "meta")
    assert device() == torch.device("meta")


@pytest.mark.parametrize("value", ["auto", ""])
def test_without_a_choice_the_best_device_is_taken(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SETTING, value)
    assert device() == best_device()


def test_an_unknown_name_says_what_may_be_named() -> None:
    with pytest.raises(RemediableError, match="no torch device") as error:
        named_device("gpu-of-mine")
    assert "cuda" in error.value.remedy


def test_a_gpu_that_is_not_there_is_refused_before_anything_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(RemediableError, match="no CUDA device"):
        named_device("cuda:1")


def test_training_knows_the_device_without_loading_diffusers() -> None:
    code = "import sys, generation.training.devices; sys.exit('diffusers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
