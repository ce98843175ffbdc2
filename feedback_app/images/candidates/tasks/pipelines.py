"""The pipelines that this worker keeps in memory, the one used last first."""

from functools import lru_cache
from typing import Any

from django.conf import settings
from django.dispatch import receiver

from feedback_app.images.versions.models import ModelVersion
from feedback_app.images.versions.services import require_weights
from feedback_app.runs.children import child_starting
from generation.diffusion.loading import load_pipeline
from generation.specs import ModelSource
from generation.training.devices import dtype_for, named_device, release_memory

KEPT = 2


def pipeline_of(version: ModelVersion) -> Any:
    """Returns the version's pipeline; loaded anew where its weights are others than those in
    memory.
    """
    weights = tuple(ancestor.sha256 for ancestor in version.ancestry)
    return _load(version, version.source, weights, settings.TORCH_DEVICE)


@lru_cache(maxsize=KEPT)
def _load(
    version: ModelVersion, source: ModelSource, weights: tuple[str, ...], device_name: str
) -> Any:
    require_weights(version)
    device = named_device(device_name)
    return load_pipeline(source, device=str(device), dtype=dtype_for(device))


@receiver(child_starting)
def release_pipelines(**_: Any) -> None:
    """Make room on the device for a training process."""
    _load.cache_clear()
    release_memory()
