import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline
from peft import LoraConfig

from generation.diffusion.loading import load_pipeline
from generation.errors import RemediableError
from generation.specs import ModelSource
from tests.tiny_model import save_tiny_model


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("tiny"))


def _adapter(base: Path, folder: Path, *, seed: int) -> Path:
    """Save an adapter that does change the UNet: both of its factors are random."""
    unet = load_pipeline(ModelSource(base=str(base))).unet
    unet.add_adapter(LoraConfig(r=2, lora_alpha=2, target_modules=["to_q", "to_v"]))
    torch.manual_seed(seed)
    with torch.no_grad():
        for name, parameter in unet.named_parameters():
            if "lora_" in name:
                parameter.normal_()
    unet.save_lora_adapter(folder)
    return folder


def _query_weight(pipeline: StableDiffusionPipeline) -> torch.Tensor:
    weights: torch.Tensor = pipeline.unet.state_dict()[
        "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q.weight"
    ]
    return weights


def test_a_half_precision_folder_comes_in_float32_throughout(tiny: Path, tmp_path: Path) -> None:
    load_pipeline(ModelSource(base=str(tiny)), dtype=torch.float16).save_pretrained(tmp_path)
    pipeline = load_pipeline(ModelSource(base=str(tmp_path)))
    parts = (pipeline.unet, pipeline.vae, pipeline.text_encoder)
    assert {part.dtype for part in parts} == {torch.float32}


def test_a_folder_with_half_precision_variants_only_loads(tiny: Path, tmp_path: Path) -> None:
    pipeline = load_pipeline(ModelSource(base=str(tiny)), dtype=torch.float16)
    pipeline.save_pretrained(tmp_path, variant="fp16")
    assert load_pipeline(ModelSource(base=str(tmp_path))).unet.dtype == torch.float32


def test_adapters_are_merged_one_after_the_other_and_none_stays_live(
    tiny: Path, tmp_path: Path
) -> None:
    first = _adapter(tiny, tmp_path / "first", seed=1)
    second = _adapter(tiny, tmp_path / "second", seed=2)
    weights = {
        adapters: _query_weight(
            load_pipeline(ModelSource(base=str(tiny), adapters=tuple(map(str, adapters))))
        )
        for adapters in ((), (first,), (second,), (first, second))
    }
    base = weights[()]
    changes = {adapters: weight - base for adapters, weight in weights.items()}
    assert changes[first,].abs().max() > 0.01
    assert torch.allclose(changes[first, second], changes[first,] + changes[second,], atol=1e-5)
    merged = load_pipeline(ModelSource(base=str(tiny), adapters=(str(first),)))
    assert not any("lora" in name for name in merged.unet.state_dict())


def test_a_merged_model_takes_a_new_adapter(tiny: Path, tmp_path: Path) -> None:
    first = _adapter(tiny, tmp_path / "first", seed=1)
    unet = load_pipeline(ModelSource(base=str(tiny), adapters=(str(first),))).unet
    unet.add_adapter(LoraConfig(r=2, target_modules=["to_q"]))
    assert unet.active_adapters() == ["default"]


@pytest.mark.parametrize("base", ["/nowhere/model", "./nowhere", "nowhere"])
def test_an_unknown_model_path_is_named_with_a_remedy(base: str) -> None:
    with pytest.raises(RemediableError, match=base) as caught:
        load_pipeline(ModelSource(base=base))
    assert caught.value.remedy


def test_a_folder_that_is_no_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(RemediableError, match=r"model_index\.json"):
        load_pipeline(ModelSource(base=str(tmp_path)))


def test_a_model_with_a_part_missing_is_named(tiny: Path, tmp_path: Path) -> None:
    pipeline = load_pipeline(ModelSource(base=str(tiny)))
    pipeline.save_pretrained(tmp_path)
    (tmp_path / "unet" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(RemediableError, match=str(tmp_path)):
        load_pipeline(ModelSource(base=str(tmp_path)))


def test_a_hub_id_that_cannot_be_had_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(RemediableError, match="nobody/no-such-model"):
        load_pipeline(ModelSource(base="nobody/no-such-model"))


def test_a_hub_id_is_loaded_at_its_revision(tiny: Path, tmp_path: Path) -> None:
    revision = "4f2a" * 10
    stored = tmp_path / "hub" / "models--somebody--tiny" / "snapshots" / revision
    shutil.copytree(tiny, stored)
    code = (
        "from generation.diffusion.loading import load_pipeline\n"
        "from generation.specs import ModelSource\n"
        f"print(load_pipeline(ModelSource(base='somebody/tiny@{revision}')).unet.config.sample_size)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().isdigit()


def test_a_missing_adapter_is_named(tiny: Path, tmp_path: Path) -> None:
    source = ModelSource(base=str(tiny), adapters=(str(tmp_path / "gone"),))
    with pytest.raises(RemediableError, match="gone"):
        load_pipeline(source)
