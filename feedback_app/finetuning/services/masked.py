"""The lines of a snapshot that have masks, and who can learn from them."""

import json
from typing import Any

from feedback_app.finetuning.models import Method, Snapshot
from feedback_app.images.models import ModelVersion
from generation.errors import RemediableError
from generation.specs import PARTS, Part

Line = dict[str, Any]
"""A preference, which has a winner, or a rating; images and masks go by their hashes."""


def lines_of(snapshot: Snapshot) -> list[Line]:
    return [json.loads(line) for line in snapshot.blob.read().splitlines()]


def masks_of(line: Line) -> dict[str, str]:
    masks: dict[str, str] = line.get("masks", {})
    return masks


def lines_for(snapshot: Snapshot, parent: ModelVersion) -> list[Line]:
    """Returns those that the parent can learn from: without masks where it does not follow any."""
    return [line for line in lines_of(snapshot) if parent.follows_masks or not masks_of(line)]


def count_masked(snapshot: Snapshot) -> int:
    return sum(bool(masks_of(line)) for line in lines_of(snapshot))


def count_left_out(snapshot: Snapshot, parent: ModelVersion) -> int:
    return 0 if parent.follows_masks else count_masked(snapshot)


def default_parts(snapshot: Snapshot, parent: ModelVersion) -> tuple[Part, ...]:
    """The ControlNet learns too where there is one, and something for it to learn."""
    return PARTS if parent.follows_masks and count_masked(snapshot) else ("unet",)


def require_unmasked(snapshot: Snapshot, parent: ModelVersion, *, method: str) -> None:
    """Refuse where all that the method learns from has masks, which the parent does not follow."""
    if parent.follows_masks:
        return
    of_pairs = Method(method).learns_from_pairs
    wanted = [line for line in lines_of(snapshot) if ("winner" in line) == of_pairs]
    if wanted and all(masks_of(line) for line in wanted):
        what = "pairs" if of_pairs else "rated images"
        raise RemediableError(
            f"All {what} of the snapshot “{snapshot}” are of images that follow masks, and "
            f"the model version “{parent}” does not follow any: it has no ControlNet.",
            remedy="Start from a version that follows masks, as the one that made them does.",
        )


def require_parts(parts: tuple[Part, ...], snapshot: Snapshot, parent: ModelVersion) -> None:
    """Refuse to teach a ControlNet that is not there, or that nothing would be learnt by."""
    if "controlnet" not in parts:
        return
    if not parent.follows_masks:
        raise RemediableError(
            f"The model version “{parent}” has no ControlNet that could learn.",
            remedy="Have the model alone learn, or start from a version that follows masks.",
        )
    if not count_masked(snapshot):
        raise RemediableError(
            f"No image of the snapshot “{snapshot}” follows a mask, so its ControlNet would "
            "learn nothing.",
            remedy="Have the model alone learn, or read images that follow masks.",
        )
