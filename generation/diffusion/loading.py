"""Loading a model version: a base model with its ancestors' adapters merged in."""

import re
from pathlib import Path
from typing import Any, TypeAlias

import diffusers
import torch
import transformers
from diffusers import StableDiffusionControlNetPipeline, StableDiffusionPipeline
from huggingface_hub.errors import HfHubHTTPError, HFValidationError

from generation.diffusion.controlnet import FOLDER as CONTROLNET_FOLDER
from generation.diffusion.controlnet import load_controlnet, with_controlnet, without_controlnet
from generation.errors import RemediableError
from generation.specs import BUNDLED, ModelSource

Pipeline: TypeAlias = StableDiffusionPipeline | StableDiffusionControlNetPipeline
"""The second where the model follows masks."""

BUNDLED_FOLDER = Path(__file__).parents[1] / "bundled"
INDEX_FILE = "model_index.json"
ADAPTER_FILE = "pytorch_lora_weights.safetensors"
PREDICTIONS = ("epsilon", "v_prediction")
HUB_ID = re.compile(r"([A-Za-z0-9][\w.-]*/[\w.-]+)(?:@([\w.-]+))?", re.ASCII)
"""``owner/name``, or ``owner/name@revision``."""


def load_pipeline(
    source: ModelSource, *, device: str = "cpu", dtype: torch.dtype = torch.float32
) -> Pipeline:
    """Load a base model, add its adapters, and leave none live.

    An adapter's folder holds a LoRA of the UNet, which is merged, or a ControlNet, which
    takes the place of an earlier one. Whatever precision the weights were saved in, every
    part comes in ``dtype``.
    """
    pipeline = _load_base(source.base, dtype=dtype)
    prediction = pipeline.scheduler.config.prediction_type
    if prediction not in PREDICTIONS:
        raise RemediableError(
            f"the model {source.base} predicts {prediction!r}",
            remedy=f"Use a model whose scheduler's prediction_type is one of {PREDICTIONS}.",
        )
    for folder in map(Path, source.adapters):
        if (folder / CONTROLNET_FOLDER / "config.json").is_file():  # a whole one, no LoRA
            controlnet = load_controlnet(folder / CONTROLNET_FOLDER, dtype=dtype)
            pipeline = with_controlnet(without_controlnet(pipeline), controlnet)
        else:
            merge_adapter(pipeline, folder)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(device)


def library_versions() -> dict[str, str]:
    """Returns the versions of the libraries that pixels follow from."""
    return {
        "torch": torch.__version__,
        "diffusers": diffusers.__version__,
        "transformers": transformers.__version__,
    }


def native_side(pipeline: Pipeline) -> int:
    """Width and height in pixels that the model was trained at."""
    side: int = pipeline.unet.config.sample_size * pipeline.vae_scale_factor
    return side


def merge_adapter(pipeline: Pipeline, folder: Path) -> None:
    """Add a LoRA adapter's change to the weights of the UNet and the ControlNet for good."""
    parts = {folder: pipeline.unet, folder / CONTROLNET_FOLDER: _controlnet(pipeline, folder)}
    taught = {path: part for path, part in parts.items() if (path / ADAPTER_FILE).is_file()}
    if not taught:
        raise RemediableError(
            f"{folder} holds no adapter ({ADAPTER_FILE} or {CONTROLNET_FOLDER}/)",
            remedy="Run the fine-tune again, or restore its folder.",
        )
    for path, part in taught.items():
        part.load_lora_adapter(path, prefix=None, weight_name=ADAPTER_FILE)
        part.fuse_lora()
        part.unload_lora()


def _controlnet(pipeline: Pipeline, folder: Path) -> Any:
    controlnet = getattr(pipeline, "controlnet", None)
    if controlnet is None and (folder / CONTROLNET_FOLDER / ADAPTER_FILE).is_file():
        raise RemediableError(
            f"the adapter in {folder} is for a ControlNet too, and the model has none",
            remedy="Load it upon the version that it was taught from.",
        )
    return controlnet


def base_folder(source: ModelSource) -> Path | None:
    """Give the folder of a source's base model; None where it is one of the hub."""
    location = BUNDLED_FOLDER if source.base == BUNDLED else Path(source.base)
    return location if location.is_dir() else None


def _load_base(base: str, *, dtype: torch.dtype) -> Pipeline:
    location = BUNDLED_FOLDER if base == BUNDLED else Path(base)
    if location.exists():
        return _load_folder(location, dtype=dtype)
    if base == BUNDLED:
        raise RemediableError(
            f"the bundled model is missing from {location}",
            remedy="Check out generation/bundled again, or run manage.py pretrain.",
        )
    hub = HUB_ID.fullmatch(base)
    if hub is None:
        raise RemediableError(
            f"there is no model at {base}",
            remedy="Name a folder in the diffusers format, or a hub id: owner/name@revision.",
        )
    try:
        return _from_pretrained(hub[1], dtype=dtype, variant=None, revision=hub[2])
    except (OSError, ValueError, HfHubHTTPError, HFValidationError) as error:
        raise RemediableError(
            f"the model {base} is neither a folder here nor to be had from the hub: {error}",
            remedy="Check the spelling and the network, or download the model into a folder.",
        ) from error


def _load_folder(folder: Path, *, dtype: torch.dtype) -> Pipeline:
    if not (folder / INDEX_FILE).is_file():
        raise RemediableError(
            f"{folder} is not a model in the diffusers format: it has no {INDEX_FILE}",
            remedy="Convert the model with diffusers' convert scripts and name its folder.",
        )
    weights = [path.name for path in (folder / "unet").glob("*.safetensors")]
    only_half = bool(weights) and all(".fp16." in name for name in weights)
    try:
        pipeline = _from_pretrained(str(folder), dtype=dtype, variant="fp16" if only_half else None)
    except (OSError, ValueError, TypeError, KeyError, RuntimeError) as error:
        raise RemediableError(
            f"the model in {folder} cannot be loaded: {error}",
            remedy="The folder must hold a complete Stable Diffusion pipeline.",
        ) from error
    if not (folder / CONTROLNET_FOLDER).is_dir():
        return pipeline
    return with_controlnet(pipeline, load_controlnet(folder / CONTROLNET_FOLDER, dtype=dtype))


def _from_pretrained(
    location: str, *, dtype: torch.dtype, variant: str | None, revision: str | None = None
) -> StableDiffusionPipeline:
    pipeline: StableDiffusionPipeline = StableDiffusionPipeline.from_pretrained(
        location,
        dtype=dtype,
        variant=variant,
        revision=revision,
        use_safetensors=True,
        safety_checker=None,
        requires_safety_checker=False,
    )
    return pipeline
