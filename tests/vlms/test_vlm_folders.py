"""Folders that are no whole VLM are refused before they are registered, with the reason."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from feedback_app.vlms.models import VlmVersion
from feedback_app.vlms.services import register_vlm, require_vlm
from generation.errors import RemediableError
from generation.vlm.model.folders import BUNDLED_VLM

pytestmark = pytest.mark.django_db
LFS_POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 134621556\n"
WEB_PAGE = "<!doctype html><html><head><title>Sign in</title></head></html>"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(BUNDLED_VLM, tmp_path / "vlm", ignore=shutil.ignore_patterns("judge"))


def changed(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


CASES: dict[str, tuple[Callable[[Path], object], str]] = {
    "family in a list": (
        lambda folder: changed(folder / "config.json", model_type=["llava"]),
        "which is not supported",
    ),
    "web page in place of settings": (
        lambda folder: (folder / "generation_config.json").write_text(WEB_PAGE),
        "it is a web page",
    ),
    "pointer in place of the tokenizer": (
        lambda folder: (folder / "tokenizer.json").write_text(LFS_POINTER),
        "Git LFS pointer",
    ),
    "no tokenizer": (
        lambda folder: (folder / "tokenizer.json").unlink(),
        "none of tokenizer.json",
    ),
    "no processor": (
        lambda folder: (folder / "processor_config.json").unlink(),
        "none of processor_config.json",
    ),
    "quantised": (
        lambda folder: changed(folder / "config.json", quantization_config={"bits": 4}),
        "quantised",
    ),
    "half a download": (
        lambda folder: (folder / "model.safetensors").write_bytes(
            (folder / "model.safetensors").read_bytes()[:1_000_000]
        ),
        "download is not complete",
    ),
    "another model's weights": (
        lambda folder: shutil.copy(
            BUNDLED_VLM.parent / "unet" / "diffusion_pytorch_model.safetensors",
            folder / "model.safetensors",
        ),
        "not those of a VLM",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_could_not_be_loaded_is_refused_with_its_reason(folder: Path, case: str) -> None:
    spoil, reason = CASES[case]
    spoil(folder)
    with pytest.raises(RemediableError, match=reason):
        register_vlm("v", str(folder))
    assert not VlmVersion.objects.exists()


@pytest.mark.parametrize("location", ["x" * 400, "~nobody-has-this-name/vlm", "a\0b"])
def test_a_place_that_cannot_be_is_named_not_fallen_over(location: str) -> None:
    with pytest.raises(RemediableError, match="no VLM at"):
        register_vlm("v", location)


def test_a_vlm_is_its_weights_and_its_settings(folder: Path, tmp_path: Path) -> None:
    version = register_vlm("v", str(folder))
    elsewhere = folder.rename(tmp_path / "elsewhere")
    assert register_vlm("v", str(elsewhere)) == version
    version.refresh_from_db()
    assert require_vlm(version) == elsewhere
    changed(elsewhere / "processor_config.json", image_processor={"size": 7})
    with pytest.raises(RemediableError, match="already, with other weights"):
        register_vlm("v", str(elsewhere))
    with pytest.raises(RemediableError, match="no longer those"):
        require_vlm(version)
