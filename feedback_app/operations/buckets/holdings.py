"""What an installation has in its storage: files by their hash, and folders by their name."""

from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.db import models
from django.db.models import QuerySet

from feedback_app.images.blobs.places import CHECKPOINT
from feedback_app.images.versions.folders import IN_STORAGE
from feedback_app.runs.models import Run, State

OURS = "feedback_app."
LOCATIONS = ("location", "folder", "data")
"""Fields that say where weights and data lie."""


def named_folders() -> set[str]:
    """Returns the folders below DATA_ROOT that rows speak of, by their path in it."""
    return {
        location.removeprefix(IN_STORAGE)
        for model in apps.get_models()
        if model.__module__.startswith(OURS)
        for field in model._meta.concrete_fields
        if field.name in LOCATIONS and isinstance(field, models.CharField | models.TextField)
        for location in QuerySet(model)
        .filter(**{f"{field.name}__startswith": IN_STORAGE})
        .values_list(field.name, flat=True)
    }


def run_folders() -> set[str]:
    """Returns the folders of all runs, and checkpoints of those that may be taken up again."""
    found = set()
    for pk, state, place in Run.objects.order_by().values_list("pk", "state", "spec__run_dir"):
        names = {f"{Path(settings.RUNS_ROOT).name}/{pk}"}
        if isinstance(place, str) and place.startswith(IN_STORAGE):
            names.add(place.removeprefix(IN_STORAGE))
        found |= names
        if state != State.SUCCEEDED:
            found |= {f"{name}/{CHECKPOINT}" for name in names}
    return found


def folders_here() -> Iterator[str]:
    """Yields the folders on this host's disk that a bucket should have, the outer ones first."""
    root = Path(settings.DATA_ROOT)
    tops = ("models", "runs", "uploads")
    children = {
        path.relative_to(root).as_posix()
        for top in tops
        if (root / top).is_dir()
        for path in (root / top).iterdir()
        if not path.name.startswith(".")
    }
    checkpoints = {f"{name}/{CHECKPOINT}" for name in children if name.startswith("runs/")}
    for name in sorted(children | checkpoints | named_folders()):
        if (root / name).is_dir():
            yield name
