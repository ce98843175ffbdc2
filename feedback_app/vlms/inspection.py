"""Whether a folder holds a VLM that can be loaded, before it is registered; without torch."""

from pathlib import Path

from feedback_app.images.versions.inspection import inspect_weights
from generation.vlm.model.folders import require_loadable


def inspect_vlm(folder: Path) -> str:
    """The family of a VLM; raises RemediableError, which names file and reason, for all else."""
    family: str = require_loadable(folder)["model_type"]
    inspect_weights(folder)
    return family
