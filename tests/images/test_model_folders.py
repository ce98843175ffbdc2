"""Folders that are no whole model are refused before they are registered, with the reason."""

import json
import os
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from feedback_app.images.models import ModelVersion
from feedback_app.images.versions.services import register, require_weights
from generation.errors import RemediableError
from tests.tiny_model import save_tiny_model

pytestmark = pytest.mark.django_db
LFS_POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 134621556\n"
WEB_PAGE = "<!doctype html><html><head><title>Sign in</title></head></html>"
UNET = "unet/diffusion_pytorch_model.safetensors"


@pytest.fixture
def folder(tiny_model: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_model, tmp_path / "model")


def changed(path: Path, **values: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def cut(path: Path, share: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])


def with_tensor(path: Path, **entry: Any) -> None:
    """Add a tensor to the header of a file of weights."""
    content = path.read_bytes()
    length = struct.unpack("<Q", content[:8])[0]
    header = json.dumps(json.loads(content[8 : 8 + length]) | {"more": entry}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header + content[8 + length :])


def sharded(folder: Path) -> None:
    """Its index names two shards, of which one is there."""
    (folder / UNET).rename(folder / "unet" / "model-00001-of-00002.safetensors")
    places = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    index = folder / "unet" / "diffusion_pytorch_model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": places}))


CASES: dict[str, tuple[Callable[[Path], object], str]] = {
    "sdxl": (
        lambda folder: changed(
            folder / "model_index.json", _class_name="StableDiffusionXLPipeline"
        ),
        "Stable Diffusion XL",
    ),
    "flux": (
        lambda folder: changed(folder / "model_index.json", _class_name="FluxPipeline"),
        "Flux",
    ),
    "in-painting pipeline": (
        lambda folder: changed(
            folder / "model_index.json", _class_name="StableDiffusionInpaintPipeline"
        ),
        "in-painting",
    ),
    "own code": (
        lambda folder: changed(folder / "model_index.json", unet=["my_unet", "MyUNet"]),
        "'my_unet', not of diffusers",
    ),
    "web page in place of the index": (
        lambda folder: (folder / "model_index.json").write_text(WEB_PAGE),
        "web page",
    ),
    "pointer in place of the index": (
        lambda folder: (folder / "model_index.json").write_text(LFS_POINTER),
        "Git LFS pointer",
    ),
    "list in place of the index": (
        lambda folder: (folder / "model_index.json").write_text("[1]"),
        "no JSON object",
    ),
    "nested beyond any depth": (
        lambda folder: (folder / "vae" / "config.json").write_text("[" * 100_000),
        "vae/config.json: it is not JSON",
    ),
    "not UTF-8": (
        lambda folder: (folder / "vae" / "config.json").write_bytes(b"\xff\xfe{}"),
        "vae/config.json",
    ),
    "pointer in place of weights": (
        lambda folder: (folder / UNET).write_text(LFS_POINTER),
        "git lfs pull",
    ),
    "web page in place of weights": (
        lambda folder: (folder / UNET).write_text(WEB_PAGE),
        "web page",
    ),
    "empty weights": (lambda folder: (folder / UNET).write_bytes(b""), "it is empty"),
    "half a download": (lambda folder: cut(folder / UNET, 0.5), "download is not complete"),
    "cut within the header": (lambda folder: cut(folder / UNET, 0.001), "not a whole safetensors"),
    "no weights": (lambda folder: (folder / UNET).unlink(), "holds no *.safetensors"),
    "a link to nowhere": (
        lambda folder: [(folder / UNET).unlink(), (folder / UNET).symlink_to("nowhere")],
        "a link that leads to none",
    ),
    "a pipe in place of weights": (
        lambda folder: [(folder / UNET).unlink(), os.mkfifo(folder / UNET)],
        "it is no file",
    ),
    "tensors over one another": (
        lambda folder: with_tensor(folder / UNET, dtype="F32", shape=[4], data_offsets=[0, 16]),
        "its header cannot be read",
    ),
    "a tensor of no known kind": (
        lambda folder: with_tensor(folder / UNET, dtype="EVIL", shape=[0], data_offsets=[0, 0]),
        "its header cannot be read",
    ),
    "pickled weights": (
        lambda folder: (folder / UNET).rename(folder / "unet" / "model.bin"),
        "can run code",
    ),
    "a shard missing": (sharded, "model-00002-of-00002.safetensors, which is not there"),
    "no part": (lambda folder: shutil.rmtree(folder / "vae"), "vae/config.json: it is not there"),
    "no tokenizer": (lambda folder: shutil.rmtree(folder / "tokenizer"), "vocab.json"),
    "no scheduler": (lambda folder: shutil.rmtree(folder / "scheduler"), "scheduler_config.json"),
    "in-painting UNet": (
        lambda folder: changed(folder / "unet" / "config.json", in_channels=9),
        "in-painting",
    ),
    "other channels": (
        lambda folder: changed(folder / "vae" / "config.json", latent_channels=16),
        "the autoencoder has 16",
    ),
    "channels in words": (
        lambda folder: changed(folder / "vae" / "config.json", latent_channels="four"),
        "no number above zero",
    ),
    "a class that is a list": (
        lambda folder: changed(folder / "model_index.json", _class_name=["StableDiffusion"]),
        "which is not supported",
    ),
    "shown channels that are a list": (
        lambda folder: changed(folder / "vae" / "config.json", in_channels=[3]),
        "not one or three",
    ),
    "other weights than its configuration": (
        lambda folder: [
            changed(folder / "unet" / "config.json", in_channels=8, out_channels=8),
            changed(folder / "vae" / "config.json", latent_channels=8),
        ],
        "do not fit its configuration",
    ),
    "other text width": (
        lambda folder: changed(folder / "unet" / "config.json", cross_attention_dim=768),
        "text of width 768",
    ),
    "flow matching": (
        lambda folder: changed(
            folder / "scheduler" / "scheduler_config.json", prediction_type="flow_prediction"
        ),
        "flow_prediction",
    ),
    "one part in half precision": (
        lambda folder: (folder / UNET).rename(
            folder / "unet" / "diffusion_pytorch_model.fp16.safetensors"
        ),
        "half-precision",
    ),
    "web page in place of a tokenizer's settings": (
        lambda folder: (folder / "tokenizer" / "tokenizer_config.json").write_text(WEB_PAGE),
        "tokenizer_config.json: it is a web page",
    ),
    "settings with a byte order mark": (
        lambda folder: (folder / "vae" / "config.json").write_bytes(
            b"\xef\xbb\xbf" + (folder / "vae" / "config.json").read_bytes()
        ),
        "not JSON in plain UTF-8",
    ),
    "a part that is no folder's name": (
        lambda folder: changed(folder / "model_index.json", **{"../" + "x" * 300: ["x", "X"]}),
        "which is no folder in it",
    ),
    "a shard whose name is too long": (
        lambda folder: (folder / "unet" / "m.safetensors.index.json").write_text(
            json.dumps({"weight_map": {"a": "x" * 400}})
        ),
        "which is not there",
    ),
    "shards without an index": (
        lambda folder: (folder / UNET).rename(
            folder / "unet" / "diffusion_pytorch_model-00001-of-00002.safetensors"
        ),
        "nor the index of its shards",
    ),
    "another part's weights": (
        lambda folder: shutil.copy(folder / UNET, folder / "vae"),
        "decoder.conv_in.weight is None",
    ),
    "no words": (
        lambda folder: shutil.copy(folder / UNET, folder / "text_encoder" / "model.safetensors"),
        "its words are not there",
    ),
    "more words than the text encoder knows": (
        lambda folder: changed(folder / "text_encoder" / "config.json", vocab_size=7),
        "the text encoder knows 7",
    ),
    "a UNet that wants classes": (
        lambda folder: changed(folder / "unet" / "config.json", num_class_embeds=10),
        "more than a prompt",
    ),
    "a scheduler of flow matching": (
        lambda folder: changed(
            folder / "scheduler" / "scheduler_config.json",
            _class_name="FlowMatchEulerDiscreteScheduler",
        ),
        "flow matching",
    ),
    "no scale": (
        lambda folder: changed(folder / "vae" / "config.json", scaling_factor=float("nan")),
        "scaling_factor is nan",
    ),
    "no size": (
        lambda folder: changed(folder / "unet" / "config.json", sample_size=None),
        "sample_size is None",
    ),
    "two sizes": (
        lambda folder: changed(folder / "unet" / "config.json", sample_size=[32, 64]),
        "sample_size is",
    ),
    "a size in words": (
        lambda folder: changed(folder / "unet" / "config.json", sample_size="large"),
        "sample_size is 'large'",
    ),
    "no size at all": (
        lambda folder: changed(folder / "unet" / "config.json", sample_size=0),
        "0 pixels",
    ),
    "a size beyond all": (
        lambda folder: changed(folder / "unet" / "config.json", sample_size=10**9),
        "pixels cannot be made",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_could_not_be_loaded_is_refused_with_its_reason(folder: Path, case: str) -> None:
    spoil, reason = CASES[case]
    spoil(folder)
    with pytest.raises(RemediableError) as caught:
        register("m", str(folder))
    assert reason in str(caught.value)
    assert caught.value.remedy
    assert not ModelVersion.objects.exists()


def test_a_control_net_of_three_channels_is_refused(tmp_path: Path) -> None:
    folder = save_tiny_model(tmp_path / "model", follows_masks=True)
    assert register("follows", str(folder)).follows_masks
    changed(folder / "controlnet" / "config.json", conditioning_channels=3)
    with pytest.raises(RemediableError, match="takes 3 channels"):
        register("m", str(folder))


def test_page_and_command_say_the_reason(folder: Path, ada_client: Client) -> None:
    (folder / "model_index.json").write_text(WEB_PAGE)
    page = ada_client.post(
        reverse("images:register-version"), {"name": "m", "location": str(folder)}
    )
    assert page.status_code == 400
    assert "web page" in page.content.decode()
    with pytest.raises(CommandError, match="web page"):
        call_command("register_model", str(folder), name="m")


@pytest.mark.parametrize("pixels", [0, -8, 31, 33, 2056, 10**12])
def test_a_resolution_that_no_image_can_have_is_refused(tiny_model: Path, pixels: int) -> None:
    with pytest.raises(CommandError, match="resolution"):
        call_command("register_model", str(tiny_model), name="m", resolution=pixels)


@pytest.mark.parametrize("location", ["\0", "x" * 5_000, "~nobody-has-this-name/model", "a\nb"])
def test_a_place_that_cannot_be_is_named_not_fallen_over(location: str) -> None:
    with pytest.raises(RemediableError, match="no model at"):
        register("m", location)


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\0b"])
def test_a_name_that_cannot_be_kept_is_refused(tiny_model: Path, name: str) -> None:
    with pytest.raises(RemediableError, match="1 to 100 characters"):
        register(name, str(tiny_model))


SETTINGS: dict[str, Callable[[Path], object]] = {
    "scheduler": lambda folder: changed(
        folder / "scheduler" / "scheduler_config.json", prediction_type="epsilon"
    ),
    "autoencoder": lambda folder: changed(folder / "vae" / "config.json", scaling_factor=0.5),
    "tokenizer": lambda folder: changed(
        folder / "tokenizer" / "tokenizer_config.json", model_max_length=7
    ),
    "text encoder": lambda folder: changed(
        folder / "text_encoder" / "config.json", hidden_act="gelu"
    ),
}


@pytest.mark.parametrize("part", SETTINGS)
def test_a_model_is_its_weights_and_its_settings(tiny_model: Path, folder: Path, part: str) -> None:
    SETTINGS[part](folder)
    one, other = register("one", str(tiny_model)), register("other", str(folder))
    assert one.sha256 != other.sha256
    with pytest.raises(RemediableError, match="already"):
        register("one", str(folder))


def test_names_and_versions_of_libraries_change_nothing(tiny_model: Path, folder: Path) -> None:
    changed(folder / "unet" / "config.json", _diffusers_version="0.99", _name_or_path="/home/x")
    changed(folder / "text_encoder" / "config.json", transformers_version="9.9")
    assert register("one", str(tiny_model)).sha256 == register("other", str(folder)).sha256


def test_settings_that_changed_since_are_noticed_before_an_image_is_made(folder: Path) -> None:
    version = register("m", str(folder))
    require_weights(version)
    changed(folder / "vae" / "config.json", scaling_factor=0.5)
    with pytest.raises(RemediableError, match="no longer those"):
        require_weights(version)


def test_versions_of_earlier_releases_keep_their_hash_of_weights_alone(folder: Path) -> None:
    from feedback_app.images.versions.folders import hash_weights_alone

    version = register("m", str(folder))
    ModelVersion.objects.update(sha256=hash_weights_alone(str(folder)))
    version.refresh_from_db()
    require_weights(version)
    assert register("m", str(folder)) == version


def test_a_relative_path_is_made_absolute(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny_model.parent)
    version = register("m", tiny_model.name)
    assert version.location == str(tiny_model.resolve())


@pytest.mark.parametrize("case", ["eps_config", "html_index", "lfs_pointer", "sd3_like", "sdxl"])
def test_models_as_people_have_them(hard_cases: Path, case: str) -> None:
    """Kind 6 of the inputs that people brought: see tests/cases/README.md."""
    folder = hard_cases / "models"
    good = register("ok", str(folder / "ok"))
    if case == "eps_config":
        assert register("m", str(folder / case)).sha256 != good.sha256
        return
    with pytest.raises(RemediableError) as caught:
        register("m", str(folder / case))
    expected = {
        "html_index": "web page",
        "lfs_pointer": "Git LFS pointer",
        "sd3_like": "Stable Diffusion 3",
        "sdxl": "Stable Diffusion XL",
    }
    assert expected[case] in str(caught.value)
