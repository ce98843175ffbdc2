"""Which folders hold a VLM that can be loaded; nothing here needs torch.

Only classes of transformers itself are used. Code that lies beside weights is never run: a
model that needs it is refused, and its answers may be brought instead.
"""

import json
from pathlib import Path
from typing import Any

from generation.errors import RemediableError
from generation.specs import BUNDLED

BUNDLED_VLM = Path(__file__).parents[2] / "bundled" / "vlm"
EYE = "reading-room-eye"
"""The vision tower of the VLMs that are trained here."""
FAMILIES = {
    "llava": "LLaVA",
    "llava_next": "LLaVA-NeXT",
    "qwen2_vl": "Qwen2-VL",
    "qwen2_5_vl": "Qwen2.5-VL",
    "paligemma": "PaliGemma",
    "gemma3": "Gemma 3 (MedGemma)",
    "idefics3": "Idefics3",
}
"""By the ``model_type`` of a configuration; a tiny model of each is loaded and asked in tests."""
CONFIG = "config.json"
CONFIG_MAX_BYTES = 16 * 1024 * 1024
BRING_ANSWERS = (
    "Run it in an environment of its own, and bring its answers as JSON lines "
    "(docs/vlm-benchmark.md); or name a folder of a supported family: "
    f"{', '.join(FAMILIES.values())}."
)


def place_of(name: str) -> Path:
    """Returns the folder that a VLM's name stands for."""
    return BUNDLED_VLM if name == BUNDLED else Path(name)


def require_loadable(folder: Path) -> dict[str, Any]:
    """Returns the configuration of a VLM that can be loaded; raises RemediableError for all
    else.
    """
    config = _config(folder)
    family = config.get("model_type")
    if not isinstance(family, str) or family not in FAMILIES:
        raise RemediableError(_reason(folder, config, family), remedy=BRING_ANSWERS)
    if not any(folder.glob("*.safetensors")):
        raise RemediableError(
            f"{folder} holds no *.safetensors file.",
            remedy="Save the weights as safetensors: other formats can run code when loaded.",
        )
    return config


def is_trained_here(config: dict[str, Any]) -> bool:
    """Say whether its eye is the one of the VLMs that are trained here."""
    vision = config.get("vision_config")
    return isinstance(vision, dict) and vision.get("model_type") == EYE


def _reason(folder: Path, config: dict[str, Any], family: object) -> str:
    if config.get("auto_map"):
        return (
            f"The model in {folder} ({family!r}) needs code that comes with its weights "
            "(auto_map), which is never run."
        )
    return f"The model in {folder} is of the family {family!r}, which is not supported."


def _config(folder: Path) -> dict[str, Any]:
    path = folder / CONFIG
    try:
        if path.stat().st_size > CONFIG_MAX_BYTES:
            raise ValueError("it is too large for a configuration")
        config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(config, dict):
            raise TypeError("it holds no JSON object")
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise RemediableError(
            f"{folder} holds no VLM: {CONFIG} cannot be read ({error}).",
            remedy="Name the folder that save_pretrained() of a model has written.",
        ) from error
    return config
