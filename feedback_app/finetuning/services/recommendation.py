"""Which method to begin with, from how much was read and of what kind.

The thresholds follow what is published of each method, not what was measured here.
"""

from dataclasses import dataclass

from feedback_app.finetuning.models import Method, Snapshot

BEST_OF_N = "best_of_n"
"""Trains nothing: make several candidates of a prompt and keep the best by its scores."""

ENOUGH_TO_TRAIN = 30
ENOUGH_VERDICTS = 100
ENOUGH_PAIRS = 300
SMALL_UNTIL = 1_000
"""Numbers of pairs or ratings. With fewer than the first nothing is worth training; with
fewer pairs than the last, what the losers of pairs may do is limited."""


@dataclass(frozen=True, kw_only=True)
class Supply:
    """What a snapshot holds: pairs, rated images with scores, and verdicts said outright."""

    pairs: int
    scored: int
    accepted: int = 0
    rejected: int = 0

    @property
    def verdicts(self) -> int:
        return self.accepted + self.rejected


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """``method`` is one of ``Method`` or ``BEST_OF_N``; ``reason`` is a sentence or two."""

    method: str
    reason: str
    safeguarded: bool = False

    @property
    def trains(self) -> bool:
        return self.method != BEST_OF_N


def supply_of(snapshot: Snapshot) -> Supply:
    rated = snapshot.rated_images
    return Supply(
        pairs=snapshot.pairs.count(),
        scored=rated.exclude(scores={}).count(),
        accepted=rated.filter(is_accepted=True).count(),
        rejected=rated.filter(is_accepted=False).count(),
    )


def recommend(supply: Supply) -> Recommendation:
    """DRaFT is never recommended: it can exploit its reward, which somebody has to watch."""
    pairs, scored, verdicts = supply.pairs, supply.scored, supply.verdicts
    if max(pairs, scored, verdicts) < ENOUGH_TO_TRAIN:
        return Recommendation(
            method=BEST_OF_N,
            reason=f"{_counts(supply)} are too few to train on. Make several candidates of each "
            "prompt and keep the best by their scores, until there are more readings.",
        )
    if pairs >= ENOUGH_PAIRS:
        is_small = pairs < SMALL_UNTIL
        guard = ", with the safeguard that keeps so few from doing harm" if is_small else ""
        return Recommendation(
            method=Method.DPO_MARGIN.value,
            reason=f"{pairs:,} pairs are enough to learn from what was preferred{guard}.",
            safeguarded=is_small,
        )
    has_both = min(supply.accepted, supply.rejected) > 0
    if verdicts >= ENOUGH_VERDICTS and verdicts > scored and has_both:
        return Recommendation(
            method=Method.KTO.value,
            reason=f"{verdicts:,} images were accepted or rejected outright, and only {pairs:,} "
            "pairs were read: KTO learns from single verdicts.",
        )
    if scored >= ENOUGH_TO_TRAIN:
        return Recommendation(
            method=Method.REWARD_WEIGHTED.value,
            reason=f"{scored:,} scored images and {pairs:,} pairs: with so few, imitating what "
            "scored well is the steadiest.",
        )
    if pairs >= ENOUGH_TO_TRAIN:
        return Recommendation(
            method=Method.DPO_MARGIN.value,
            reason=f"The snapshot holds {pairs:,} pairs and few scores or none; so few pairs "
            "need the safeguard.",
            safeguarded=True,
        )
    return Recommendation(
        method=Method.KTO.value if has_both else BEST_OF_N,
        reason=f"{verdicts:,} images were accepted or rejected outright, and little else was read."
        if has_both
        else f"All {verdicts:,} verdicts are alike, so there is nothing to tell apart.",
    )


def _counts(supply: Supply) -> str:
    rated = max(supply.scored, supply.verdicts)
    return f"{supply.pairs:,} pairs and {rated:,} rated images"
