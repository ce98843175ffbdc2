"""Which method to begin with, from how much was read and of what kind.

The thresholds follow from ``benchmarks/methods.csv``, which ``manage.py compare_methods``
wrote for the bundled model at 30 to 1,000 readings. Margin-weighted DPO beat the parent at every
size, from 136 pairs on, by the readers' taste and by a second one; KTO did from 120 rated images.
Weighting by scores or ranks, and the safeguard, made worse children than their parent by the
second taste at every size, at a low learning rate too.
"""

from dataclasses import dataclass

from feedback_app.finetuning.models import Method, Snapshot

BEST_OF_N = "best_of_n"
"""Trains nothing: make several candidates of a prompt and keep the best by its scores."""

ENOUGH_PAIRS = 100
ENOUGH_RATED = 100
"""Below, nothing was measured, and keeping the best of several costs no training."""


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
    if supply.pairs >= ENOUGH_PAIRS:
        return Recommendation(
            method=Method.DPO_MARGIN.value,
            reason=f"{supply.pairs:,} pairs are enough to learn from what was preferred.",
        )
    rated = max(supply.scored, supply.verdicts)
    if rated < ENOUGH_RATED:
        return Recommendation(
            method=BEST_OF_N,
            reason=f"{_counts(supply)} are too few to train on. Make several candidates of each "
            "prompt and keep the best by their scores, until there are more readings.",
        )
    if supply.verdicts > supply.scored and not min(supply.accepted, supply.rejected):
        return Recommendation(
            method=BEST_OF_N,
            reason=f"All {supply.verdicts:,} verdicts are alike, so there is nothing to tell "
            "apart.",
        )
    return Recommendation(
        method=Method.KTO.value,
        reason=f"{rated:,} images were rated or accepted or rejected, and only "
        f"{supply.pairs:,} pairs were read: KTO learns from single images.",
    )


def _counts(supply: Supply) -> str:
    rated = max(supply.scored, supply.verdicts)
    return f"{supply.pairs:,} pairs and {rated:,} rated images"
