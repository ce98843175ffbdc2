"""The methods of learning from readings: what each is called, takes and says, in one table."""

from dataclasses import dataclass

from django.db.models import TextChoices

from generation.specs import PAIR_METHODS

COMMON_SETTINGS = (
    "steps",
    "batch_size",
    "accumulate",
    "learning_rate",
    "rank",
    "ema_decay",
    "precision",
    "recompute",
    "adapted",
    "seed",
)


class Method(TextChoices):
    DPO_MARGIN = "dpo_margin", "Margin-weighted DPO (default)"
    DPO_PAPER = "dpo_paper", "Rank-weighted DPO (Prakash et al. 2024)"
    REWARD_WEIGHTED = "reward_weighted", "Reward-weighted likelihood"
    KTO = "kto", "KTO, from accepted and rejected images"
    DRAFT = "draft", "DRaFT, climbing a reward learnt from the scores"

    @property
    def learns_from_pairs(self) -> bool:
        return self.value in PAIR_METHODS


@dataclass(frozen=True, kw_only=True)
class MethodFacts:
    """``settings`` are its own of a ``FineTuneSpec``, beside those that all methods have.

    ``sentence`` says what it does, where one is chosen; ``figures`` what the figures of its
    training mean. ``learns_from_real``: it practises on real images where a cohort is given.
    """

    settings: tuple[str, ...]
    sentence: str
    figures: str
    learns_from_real: bool = False


OF_PAIRS = (
    "Accuracy is the share of pairs in which the preferred image gained more on the parent than "
    "the other one."
)
FACTS = {
    Method.DPO_MARGIN: MethodFacts(
        settings=("beta", "denoising_weight", "region_weight", "safeguarded", "whole_cases"),
        sentence="Each pair counts by how far its scores lie apart, and the model keeps "
        "practising what was preferred; safe on small snapshots.",
        figures=OF_PAIRS,
        learns_from_real=True,
    ),
    Method.DPO_PAPER: MethodFacts(
        settings=("beta", "region_weight", "safeguarded", "whole_cases"),
        sentence="The published loss, with each image weighted by its own score; a loser scored "
        "0 then teaches nothing, and 5 against 4 pushes harder than 2 against 0.",
        figures=OF_PAIRS,
    ),
    Method.REWARD_WEIGHTED: MethodFacts(
        settings=("temperature",),
        sentence="Imitates what was scored, the better the more, and real images if given some; "
        "wants a lower learning rate than the default.",
        figures="Errors are those of the noise in rated and in real images.",
        learns_from_real=True,
    ),
    Method.KTO: MethodFacts(
        settings=("beta", "accepted_from"),
        sentence="Learns from single images that were accepted or rejected, or scored above or "
        "below a limit; needs some of both.",
        figures="Accuracy is the share of images that gained on the parent if they are good, "
        "and lost if they are bad.",
    ),
    Method.DRAFT: MethodFacts(
        settings=("anchor_weight",),
        sentence="Changes the model towards what the reward model likes that measures "
        "candidates, or a small one that is fitted to the scores where such readers taught "
        "none. Strong, and it finds the reward's weaknesses: look at the images that come of it.",
        figures="Reward is the score that the reward foretells; the anchor is how far the model "
        "has gone from its parent.",
    ),
}
SETTINGS = (
    *COMMON_SETTINGS,
    *dict.fromkeys(name for facts in FACTS.values() for name in facts.settings),
)
"""What may be set of a ``FineTuneSpec``; the rest follows from snapshot, parent and cohort."""


def settings_of(method: str) -> tuple[str, ...]:
    """Returns what may be set for a method."""
    return (*COMMON_SETTINGS, *FACTS[Method(method)].settings)


def method_choices() -> list[tuple[str, str]]:
    """Returns slugs and labels; migrations name this function, so a new method needs none."""
    return list(Method.choices)
