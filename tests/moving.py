"""Moving an installation's storage under the feet of a test."""

import shutil
from pathlib import Path

from pytest_django import Settings


def moved(storage: Path, settings: Settings, *, to: Path) -> None:
    shutil.move(storage, to)
    settings.DATA_ROOT = to
    settings.MEDIA_ROOT = to / "blobs"
    settings.RUNS_ROOT = to / "runs"
    settings.MODELS_ROOT = to / "models"
