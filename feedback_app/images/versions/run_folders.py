"""Run folders of child processes that are told all they need by a spec alone."""

import uuid
from pathlib import Path
from typing import Any

from django.conf import settings

from feedback_app.images.blobs.places import put
from feedback_app.images.blobs.services import naming_a_full_disk
from generation.specs import write_spec


def new_run_folder() -> Path:
    """Make an empty folder under a name of its own."""
    folder: Path = settings.RUNS_ROOT / str(uuid.uuid4())
    with naming_a_full_disk("a run's folder"):
        folder.mkdir(parents=True)
    return folder


def run_folder_with(spec: Any) -> Path:
    """Make a run folder that holds a spec, where every worker finds it."""
    folder = new_run_folder()
    with naming_a_full_disk("a run's spec"):
        write_spec(spec, folder / "spec.json")
    put(folder)
    return folder
