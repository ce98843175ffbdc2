"""Whether a folder holds a VLM that can be loaded, before it is registered; without torch."""

from pathlib import Path

from feedback_app.images.versions.fitting import Config, unusable
from feedback_app.images.versions.inspection import (
    inspect_weights,
    read_config,
    read_json,
    require_named,
)
from generation.vlm.model.folders import require_loadable

TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json")
PROCESSORS = ("processor_config.json", "preprocessor_config.json")
WORDS, EYES = "embed_tokens.weight", "vis"
"""What stands in the names of the tensors of any VLM: its words, and its vision tower."""


def inspect_vlm(folder: Path) -> str:
    """Returns the family of a VLM; raises RemediableError, which names file and reason, for all
    else.
    """
    read_config(folder / "config.json")
    config = require_loadable(folder)
    for path in sorted(folder.glob("*.json")):
        read_json(path)
    for names in (TOKENIZERS, PROCESSORS):
        if not any((folder / name).is_file() for name in names):
            raise unusable(folder, f"it has none of {', '.join(names)}")
    _require_plain_weights(folder, config)
    family: str = config["model_type"]
    return family


def _require_plain_weights(folder: Path, config: Config) -> None:
    """Weights are those of a language model that sees, and not packed as other packages do."""
    if config.get("quantization_config"):
        raise unusable(folder / "config.json", "its weights are quantised, which is not read here")
    names = inspect_weights(folder)
    require_named(folder, "model")
    if not (any(WORDS in name for name in names) and any(EYES in name for name in names)):
        raise unusable(folder, "its weights are not those of a VLM")
