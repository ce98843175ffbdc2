"""Single-file checkpoints as folders in the diffusers format, by diffusers' own loader."""

import pickle
import zipfile
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline
from safetensors import safe_open

from generation.errors import RemediableError, is_of_surroundings
from generation.specs import ConversionSpec, require_family

Shapes = dict[str, tuple[int, ...]]
NOT_READABLE = "Fetch the file again, in full; or save it as safetensors where it came from."


def convert(spec: ConversionSpec, target: Path) -> None:
    """Writes the checkpoint's parts to ``target`` in single precision, and the tokenizer."""
    path = Path(spec.checkpoint)
    require_family(shapes_in(path), name=path.name)
    try:
        pipeline = StableDiffusionPipeline.from_single_file(
            str(path),
            config=spec.config,
            local_files_only=True,
            torch_dtype=torch.float32,
            safety_checker=None,
            feature_extractor=None,
            image_encoder=None,
            requires_safety_checker=False,
        )
        _require_every_weight(pipeline)
        pipeline.save_pretrained(target, safe_serialization=True)
    except Exception as error:  # diffusers raises many kinds where tensors and settings differ
        if isinstance(error, RemediableError) or is_of_surroundings(error):
            raise
        raise RemediableError(
            f"{path.name} does not fit the configuration in {spec.config}: "
            f"{str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__}",
            remedy="Name the configuration of the very model that the checkpoint was made from.",
        ) from error


def shapes_in(path: Path) -> Shapes:
    """Returns the shapes of a file's tensors by their names; nothing in it is ever run."""
    if path.suffix == ".safetensors":
        with safe_open(path, framework="pt") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    try:
        content = torch.load(
            path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path)
        )
    except pickle.UnpicklingError as error:
        raise RemediableError(
            f"{path.name} holds more than weights, which could run code when loaded.",
            remedy="Take the safetensors file of the same model: most are published as one, too.",
        ) from error
    except (RuntimeError, EOFError, ValueError) as error:
        raise RemediableError(
            f"{path.name} is no whole checkpoint: {str(error).splitlines()[0]}",
            remedy=NOT_READABLE,
        ) from error
    while isinstance(content, dict) and isinstance(content.get("state_dict"), dict):
        content = content["state_dict"]
    if not isinstance(content, dict):
        raise RemediableError(f"{path.name} holds no weights by name.", remedy=NOT_READABLE)
    return {
        str(name): tuple(tensor.shape)
        for name, tensor in content.items()
        if isinstance(tensor, torch.Tensor)
    }


def _require_every_weight(pipeline: StableDiffusionPipeline) -> None:
    for part in ("unet", "vae", "text_encoder"):
        for name, weight in getattr(pipeline, part).named_parameters():
            if weight.is_meta:
                raise ValueError(f"it has no {name} of the {part}")
