"""Methods, figures and settings of fine-tunes in words."""

from collections.abc import Sequence
from typing import Any

from feedback_app.finetuning.methods import SETTINGS, Method
from feedback_app.finetuning.models import FineTune
from generation.specs import Part

LABELS = {
    "ema_decay": "Averaging of weights",
    "accumulate": "Parts of a batch",
    "region_weight": "Weight of marked regions",
    "safeguarded": "Hold losers back where they would harm winners",
    "whole_cases": "Take whole cases: all pairs of a case at once, so many cases a step",
    "recompute": "Compute activations again instead of keeping them: less memory, more time",
    "accepted_from": "Accepted from score",
    "anchor_weight": "Weight of the anchor",
    "adapted": "What learns",
}
PART_LABELS: dict[Part, str] = {"unet": "Model", "controlnet": "ControlNet"}
YES_NO = {True: "yes", False: "no"}


def in_words(parts: Sequence[Part]) -> str:
    return " + ".join(PART_LABELS[part] for part in parts)


def described(fine_tune: FineTune) -> list[tuple[str, Any]]:
    """Returns a fine-tune's settings in the order of the form."""
    stored = {name: fine_tune.settings[name] for name in SETTINGS if name in fine_tune.settings}
    lines = [
        (LABELS.get(name, name.replace("_", " ")), _shown(value)) for name, value in stored.items()
    ]
    if fine_tune.method == Method.DRAFT:
        climbed = fine_tune.reward_model
        lines.append(("Reward", climbed.name if climbed else "fitted to the snapshot's scores"))
    return lines


def _shown(value: Any) -> Any:
    if isinstance(value, bool):
        return YES_NO[value]
    return in_words(value) if isinstance(value, list) else value
