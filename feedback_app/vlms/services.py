"""Registering VLM versions, and starting their training."""

from pathlib import Path

from django.db import transaction

from feedback_app.accounts.models import User
from feedback_app.images.versions.folders import (
    folder_named,
    hash_adapter,
    hash_vlm,
    keep_weights,
    location_of,
    path_of,
)
from feedback_app.images.versions.run_folders import run_folder_with
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run
from feedback_app.vlms.inspection import inspect_vlm
from feedback_app.vlms.models import VlmVersion
from generation.errors import RemediableError
from generation.specs import BUNDLED, VlmSpec
from generation.vlm.model.folders import place_of

BUNDLED_NAME = "bundled-vlm"


@transaction.atomic
def register_vlm(
    name: str,
    location: str,
    *,
    parent: VlmVersion | None = None,
    run: Run | None = None,
    created_by: User | None = None,
) -> VlmVersion:
    """Register the VLM of a folder, or ``bundled``; the same one again changes nothing.

    Raises RemediableError where it cannot be loaded, or the name is another one's.
    """
    folder = folder_of(location)
    family, sha256 = inspect_vlm(folder), hash_vlm(folder)
    kept = BUNDLED if location == BUNDLED else keep_weights(folder, sha256=sha256)
    version, is_new = VlmVersion.objects.get_or_create(
        name=name,
        defaults={
            "location": kept,
            "sha256": sha256,
            "family": family,
            "parent": parent,
            "run": run,
            "created_by": created_by,
        },
    )
    if not is_new and version.sha256 not in {sha256, hash_adapter(str(folder))}:
        raise RemediableError(
            f"There is a VLM version “{name}” already, with other weights.",
            remedy="Give this one another name.",
        )
    if version.location != kept:  # the same weights, in another place now
        version.location = kept
        version.save(update_fields=["location"])
    return version


def require_vlm(version: VlmVersion) -> Path:
    """Returns the folder of a version; raises where what lies there is not what was registered.

    Versions of earlier releases are known by their weights alone.
    """
    folder = folder_of(version.location)
    if version.sha256 not in {hash_vlm(folder), hash_adapter(str(folder))}:
        raise RemediableError(
            f"The weights of “{version.name}” are no longer those that were registered.",
            remedy=f"Put them back into {version.location}, or register them anew.",
        )
    return folder


def register_bundled_vlm() -> None:
    """Register the VLM that comes with the project; one of an earlier release stays as it is."""
    if not VlmVersion.objects.filter(name=BUNDLED_NAME).exists():
        register_vlm(BUNDLED_NAME, BUNDLED)


def folder_of(location: str) -> Path:
    """Returns the folder that a location stands for; a RemediableError where there is none."""
    folder = place_of(location) if location == BUNDLED else folder_named(location)
    if folder is None:
        raise RemediableError(
            f"There is no VLM at {location!r}.",
            remedy=f"Name “{BUNDLED}”, or a folder on this server.",
        )
    return folder


def find_vlm(name: str) -> VlmVersion:
    """Returns the VLM version of this name."""
    version = VlmVersion.objects.filter(name=name).first()
    if version is None:
        names = ", ".join(VlmVersion.objects.values_list("name", flat=True)) or "none"
        raise RemediableError(
            f"There is no VLM version {name!r}.",
            remedy=f"Registered: {names}. manage.py register_vlm registers others.",
        )
    return version


def start_training(
    name: str, spec: VlmSpec, *, parent: VlmVersion | None, created_by: User | None
) -> Run:
    """Write the run folder, and queue the training of a VLM to be called ``name``."""
    if VlmVersion.objects.filter(name=name).exists():
        raise RemediableError(
            f"There is a VLM version “{name}” already.", remedy="Choose another name."
        )
    run_dir = run_folder_with(spec)
    return runs.start(
        "train_vlm",
        title=f"Train the VLM {name}",
        spec={
            "run_dir": location_of(run_dir),
            "name": name,
            "parent": parent.name if parent else "",
        },
        created_by=created_by,
    )


def register_trained(run: Run) -> VlmVersion:
    """Register what a finished training has left in its run folder; twice changes nothing."""
    parent = run.spec["parent"]
    return register_vlm(
        run.spec["name"],
        str(path_of(run.spec["run_dir"]) / "model"),
        parent=find_vlm(parent) if parent else None,
        run=run,
        created_by=run.created_by,
    )
