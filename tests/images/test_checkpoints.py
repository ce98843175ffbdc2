"""Single-file checkpoints: converted by diffusers' own loader, and never run."""

import os
import pickle
import shutil
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from safetensors.torch import load_file, save_file

from feedback_app.images.models import ModelVersion
from feedback_app.runs.models import Run, State
from generation.diffusion.single_file import convert
from generation.errors import RemediableError
from generation.specs import ConversionSpec
from tests.single_file import tensors_of

WEIGHTS = ("*.safetensors", "*.bin")


@pytest.fixture
def config(tiny_model: Path, tmp_path: Path) -> Path:
    """The settings and the tokenizer of the tiny model, without its weights."""
    return shutil.copytree(tiny_model, tmp_path / "config", ignore=shutil.ignore_patterns(*WEIGHTS))


@pytest.fixture
def checkpoint(tiny_model: Path, tmp_path: Path) -> Path:
    path = tmp_path / "tiny.safetensors"
    save_file({name: value.contiguous() for name, value in tensors_of(tiny_model).items()}, path)
    return path


def weights_in(folder: Path) -> dict[str, torch.Tensor]:
    return {
        f"{path.parent.name}/{name}": value
        for path in folder.rglob("*.safetensors")
        for name, value in load_file(path).items()
    }


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_single_file_becomes_a_model_version_with_the_very_weights(
    checkpoint: Path, config: Path, tiny_model: Path, ada_client: Client, storage: Path
) -> None:
    """Asked for on the page, by the API and by command; done once, here."""
    asked = {"name": "one", "location": str(checkpoint), "config": str(config)}
    page = ada_client.post(reverse("images:register-version"), asked)
    assert page.headers["Location"] == reverse("runs:run", args=[Run.objects.get().pk])
    answer = ada_client.post("/api/model-versions/", asked, content_type="application/json")
    assert (answer.status_code, set(answer.json())) == (202, {"run"})
    call_command("register_model", str(checkpoint), name="tiny", config=str(config), now=True)
    version = ModelVersion.objects.get()
    assert (version.name, version.method, version.resolution) == ("tiny", "converted", 32)
    run = Run.objects.get(state=State.SUCCEEDED)
    (made,) = storage.glob("runs/*/model")
    assert made.parent.name in run.spec["run_dir"]
    assert same(weights_in(made), weights_in(tiny_model))


def test_an_older_file_of_pickled_weights_is_read_as_weights_alone(
    config: Path, tiny_model: Path, tmp_path: Path
) -> None:
    path = tmp_path / "tiny.ckpt"
    torch.save({"state_dict": tensors_of(tiny_model), "global_step": 7}, path)
    convert(ConversionSpec(checkpoint=str(path), config=str(config)), tmp_path / "made")
    assert same(weights_in(tmp_path / "made"), weights_in(tiny_model))


class Evil:
    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("touch ran",)


def test_code_in_a_file_is_never_run(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": Evil()}, tmp_path / "new.ckpt")
    (tmp_path / "old.ckpt").write_bytes(pickle.dumps({"state_dict": Evil()}))
    for name in ("new.ckpt", "old.ckpt"):
        spec = ConversionSpec(checkpoint=str(tmp_path / name), config=str(config))
        with pytest.raises(RemediableError) as caught:
            convert(spec, tmp_path / "made")
        assert name in str(caught.value)
    assert not (tmp_path / "ran").exists()


def test_settings_of_another_model_are_said_not_to_fit(
    checkpoint: Path, config: Path, tmp_path: Path
) -> None:
    path = config / "unet" / "config.json"
    path.write_text(path.read_text().replace("8,\n    16", "16,\n    32"))
    with pytest.raises(RemediableError, match="does not fit the configuration"):
        convert(ConversionSpec(checkpoint=str(checkpoint), config=str(config)), tmp_path / "made")
    assert not (tmp_path / "made").exists()


OTHERS = {
    "conditioner.embedders.1.model.positional_embedding": "Stable Diffusion XL",
    "model.diffusion_model.joint_blocks.0.x_block.mlp.fc1.weight": "Stable Diffusion 3",
    "double_blocks.0.img_attn.norm.key_norm.scale": "Flux",
    "y_embedder.y_proj.fc1.weight": "PixArt",
    "control_model.time_embed.0.weight": "a ControlNet",
    "lora_unet_down_blocks_0.lora_down.weight": "a LoRA adapter",
    "model.diffusion_model.out.2.weight": "no autoencoder and no text encoder",
    "layer.weight": "of no family that is known here",
}


@pytest.mark.django_db
def test_other_families_are_named_as_such(config: Path, tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    for tensor, named in OTHERS.items():
        save_file({tensor: torch.zeros(4)}, path)
        with pytest.raises(CommandError, match=named):
            call_command("register_model", str(path), name="other", config=str(config))
    whole = {f"{part}.x": torch.zeros(4) for part in ("first_stage_model", "cond_stage_model")}
    first = "model.diffusion_model.input_blocks.0.0.weight"
    for channels, named in ((9, "an in-painting model"), (8, "edits images"), (6, "takes 6")):
        save_file({first: torch.zeros(8, channels, 3, 3), **whole}, path)
        with pytest.raises(CommandError, match=named):
            call_command("register_model", str(path), name="other", config=str(config))
    assert not Run.objects.exists()


@pytest.mark.django_db
def test_what_is_missing_is_said_before_anything_is_queued(
    checkpoint: Path, config: Path, tiny_model: Path, tmp_path: Path, ada_client: Client
) -> None:
    asked = {"name": "one", "location": str(checkpoint)}
    page = ada_client.post(reverse("images:register-version"), asked)
    assert page.status_code == 400
    assert "holds weights and no configuration" in page.content.decode()
    whole = checkpoint.read_bytes()
    for content, reason in (
        (whole[: len(whole) // 2], "download is not complete"),
        (b"<!doctype html>", "web page"),
        (struct.pack("<Q", 2) + b"{}", "of no family"),
    ):
        checkpoint.write_bytes(content)
        with pytest.raises(CommandError, match=reason):
            call_command("register_model", str(checkpoint), name="one", config=str(config))
    checkpoint.write_bytes(whole)
    for folder, reason in (
        (tmp_path / "nowhere", "There is no folder"),
        (tmp_path, "has no model_index.json"),
    ):
        with pytest.raises(CommandError, match=reason):
            call_command("register_model", str(checkpoint), name="one", config=str(folder))
    with pytest.raises(CommandError, match="has its own configuration"):
        call_command("register_model", str(tiny_model), name="one", config=str(config))
    assert not Run.objects.exists()
