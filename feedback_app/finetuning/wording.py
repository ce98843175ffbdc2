"""Methods, figures and settings of fine-tunes in words."""

from collections.abc import Sequence
from typing import Any

from feedback_app.finetuning.models import FineTune, Method
from feedback_app.finetuning.services.finetunes import SETTINGS
from generation.specs import Part

METHOD_SENTENCES = {
    Method.DPO_MARGIN: (
        "Each pair counts by how far its scores lie apart, and the model keeps practising "
        "what was preferred; safe on small snapshots."
    ),
    Method.DPO_PAPER: (
        "The published loss, with each image weighted by its own score; a loser scored 0 "
        "then teaches nothing, and 5 against 4 pushes harder than 2 against 0."
    ),
    Method.REWARD_WEIGHTED: (
        "Imitates what was scored, the better the more, and real images if given some; "
        "wants a lower learning rate than the default."
    ),
    Method.KTO: (
        "Learns from single images that were accepted or rejected, or scored above or below "
        "a limit; needs some of both."
    ),
    Method.DRAFT: (
        "Changes the model towards what the reward model likes that measures candidates, or a "
        "small one that is fitted to the scores where such readers taught none. Strong, "
        "and it finds the reward's weaknesses: look at the images that come of it."
    ),
}
OF_PAIRS = (
    "Accuracy is the share of pairs in which the preferred image gained more on the parent than "
    "the other one."
)
FIGURES_EXPLAINED = {
    Method.DPO_MARGIN: OF_PAIRS,
    Method.DPO_PAPER: OF_PAIRS,
    Method.REWARD_WEIGHTED: "Errors are those of the noise in rated and in real images.",
    Method.KTO: (
        "Accuracy is the share of images that gained on the parent if they are good, and lost "
        "if they are bad."
    ),
    Method.DRAFT: (
        "Reward is the score that the reward foretells; the anchor is how far the model "
        "has gone from its parent."
    ),
}
LABELS = {
    "ema_decay": "Averaging of weights",
    "accumulate": "Parts of a batch",
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
    """A fine-tune's settings in the order of the form."""
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
