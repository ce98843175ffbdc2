"""What the judge sees of a version's candidates, and how far it agrees with readers.

For each phrase that prompts named of some candidates and not of others: the area under the ROC
curve between the two, and how often the judge's likeliest phrase is the one that was asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from django.db.models import Avg

from feedback_app.finetuning.services.image_means import teaching_readings
from feedback_app.images.blobs.models import Measure
from feedback_app.images.scorers.judges import phrases_seen
from feedback_app.images.scorers.models import JUDGES
from feedback_app.images.versions.models import ModelVersion
from feedback_app.readings.models import Score
from feedback_app.studies.models import CriterionKind
from generation.conditioning.facts import facts_of, phrases_of
from generation.statistics.areas import auroc_by_placements
from generation.statistics.intervals import Interval, cluster_bootstrap, share

NEWEST = 4_000
"""Candidates of a version that are looked at, the newest; as many are told apart as it takes."""
FEWEST = 8
"""Candidates that were asked for a phrase, and that were not, for it to be judged."""
CHANCE = 0.5
ACCEPTABLE = 3.0
"""The mean score from which readers are counted as having accepted an image."""
FEWEST_READ = 10
RESAMPLES = 500


@dataclass(frozen=True, kw_only=True)
class PhraseFigures:
    """One phrase: candidates asked for it, others, and how well the judge tells them apart."""

    phrase: str
    asked: int
    others: int
    area: Interval

    @property
    def is_followed(self) -> bool:
        """Whether it was shown that prompts with the phrase change what is seen."""
        low = self.area.low if np.isfinite(self.area.low) else self.area.value
        return low > CHANCE

    @property
    def in_words(self) -> str:
        area = self.area
        if not np.isfinite(area.low):
            return f"{area.value:.2f}"
        return f"{area.value:.2f} ({area.low:.2f} to {area.high:.2f})"


@dataclass(frozen=True, kw_only=True)
class AttributeFigures:
    """``agrees``: the likeliest phrase is one that was asked for; ``reached``: it is as likely
    as on all but a twentieth of real images. None where that is not known.
    """

    attribute: str
    candidates: int
    agrees: Interval | None
    reached: Interval
    phrases: tuple[PhraseFigures, ...]

    @property
    def is_judged(self) -> bool:
        return bool(self.phrases)

    @property
    def is_followed(self) -> bool:
        return any(one.is_followed for one in self.phrases)


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How the judge's probabilities go with readers' mean scores of the same candidates."""

    attribute: str
    images: int
    correlation: Interval
    kappa: Interval


def what_is_followed(version: ModelVersion) -> list[AttributeFigures]:
    """Returns the judge's figures over a version's newest candidates, attribute by attribute."""
    found = []
    for kind in JUDGES:
        rows = list(
            Measure.objects.newest_of(kind.measure)
            .filter(image__candidate__recipe__model_version=version)
            .values_list("value", "details", "image__candidate__recipe__prompt")[:NEWEST]
        )
        if rows:
            found.append(_of_attribute(kind.measure.removeprefix("visible-"), rows))
    return found


def _of_attribute(
    attribute: str, rows: Sequence[tuple[float, Mapping[str, Any], str]]
) -> AttributeFigures:
    wanted = [phrases_of(attribute, facts_of(prompt)) for _, _, prompt in rows]
    seen = [phrases_seen(details, value) for value, details, _ in rows]
    whole = [(found, asked) for found, asked in zip(seen, wanted, strict=True) if len(found) > 1]
    agreeing = sum(max(found, key=found.__getitem__) in asked for found, asked in whole)
    names = sorted({name for asked in wanted for name in asked})
    figures = [_of_phrase(name, seen, wanted) for name in names]
    return AttributeFigures(
        attribute=attribute,
        candidates=len(rows),
        agrees=share(agreeing, len(whole)) if whole else None,
        reached=share(sum(bool(details.get("is_reached")) for _, details, _ in rows), len(rows)),
        phrases=tuple(one for one in figures if one),
    )


def _of_phrase(
    name: str, seen: Sequence[Mapping[str, float]], wanted: Sequence[Sequence[str]]
) -> PhraseFigures | None:
    """Returns None where too few candidates were asked for it, or too few were not."""
    known = [(found[name], name in asked) for found, asked in zip(seen, wanted, strict=True)
             if name in found]  # fmt: skip
    scores = np.array([value for value, _ in known])
    asked = np.array([is_asked for _, is_asked in known], dtype=bool)
    if min(asked.sum(), (~asked).sum()) < FEWEST:
        return None
    area = auroc_by_placements(scores[asked], scores[~asked])
    return PhraseFigures(phrase=name, asked=int(asked.sum()), others=int((~asked).sum()), area=area)


def _readers_means() -> dict[UUID, float]:
    """Returns, by image, the mean ordinal score of people, as far as it may teach: nothing
    retracted, no blind gate.
    """
    readings = teaching_readings(simulated=False)
    scores = Score.objects.filter(reading__in=readings, criterion__kind=CriterionKind.ORDINAL)
    rows = scores.values_list("image").annotate(mean=Avg("value"))
    return {image: float(mean) for image, mean in rows}


def agreement_with_readers(version: ModelVersion) -> list[Agreement]:
    """For each attribute judged of candidates that people scored, ten at least."""
    means = _readers_means()
    found = []
    for kind in JUDGES:
        rows = (
            Measure.objects.newest_of(kind.measure)
            .filter(image__in=list(means), image__candidate__recipe__model_version=version)
            .values_list("image", "value", "details", "image__candidate__recipe__prompt")
        )
        judged = [(image, value, bool(details.get("is_reached")), prompt)
                  for image, value, details, prompt in rows]  # fmt: skip
        if len(judged) >= FEWEST_READ:
            scores = np.array([means[image] for image, *_ in judged])
            found.append(
                _agreement(
                    kind.measure.removeprefix("visible-"),
                    scores,
                    values=np.array([value for _, value, *_ in judged]),
                    reached=np.array([reached for *_, reached, _ in judged]),
                    prompts=[prompt for *_, prompt in judged],
                )
            )
    return found


def _agreement(
    attribute: str,
    scores: np.ndarray,
    *,
    values: np.ndarray,
    reached: np.ndarray,
    prompts: Sequence[str],
) -> Agreement:
    """Spearman's correlation and Cohen's kappa; intervals draw whole prompts anew."""
    accepted = scores >= ACCEPTABLE
    ranks, of_values = _ranks(scores), _ranks(values)
    return Agreement(
        attribute=attribute,
        images=len(scores),
        correlation=_resampled(lambda rows: _correlation(ranks[rows], of_values[rows]), prompts),
        kappa=_resampled(lambda rows: _kappa(accepted[rows], reached[rows]), prompts),
    )


def _resampled(statistic: Any, prompts: Sequence[str]) -> Interval:
    return cluster_bootstrap(statistic, np.array(prompts), seed=0, resamples=RESAMPLES)


def _ranks(values: np.ndarray) -> np.ndarray:
    """Equal values share the mean of their ranks."""
    ordered = np.sort(values)
    left, right = (np.searchsorted(ordered, values, side=side) for side in ("left", "right"))
    return np.asarray((left + right + 1) / 2)


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    if one.std() == 0 or other.std() == 0:
        return float("nan")
    return float(np.corrcoef(one, other)[0, 1])


def _kappa(one: np.ndarray, other: np.ndarray) -> float:
    agreed = float((one == other).mean())
    chance = float(one.mean() * other.mean() + (1 - one.mean()) * (1 - other.mean()))
    return (agreed - chance) / (1 - chance) if chance < 1 else float("nan")
