"""How simulated readers read reports: against what is known of the image, sentence by sentence.

What is known is the cohort's own report. A text is as complete as it has of its sentences, as
correct as its own sentences are among them, and as concise as it needs no more words.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from feedback_app.readings.report_models import POINTS_MAX, ReportReason
from feedback_app.readings.services import GivenPreference, GivenReport
from feedback_app.readings.services.reports import edits_of
from feedback_app.studies.drafting import OWN_REPORT, texts_of
from feedback_app.studies.models import CriterionKind, Slot

BEST = 5.0
ACCEPTED_FROM = 4.0
POINTS_A_STEP = 2
"""A whole step of quality, of 5, is worth so many of the 10 points."""
LOOKING_S = 12.0
SECONDS_A_WORD = 1.5
UNKNOWN = "Nothing is known of this image."
SENTENCE_ENDS = re.compile(r"[.;\n]+")


@dataclass(frozen=True)
class Quality:
    """Each from 0 to 5."""

    completeness: float
    correctness: float
    conciseness: float

    def of_criterion(self, slug: str) -> float:
        """Any other criterion is judged by all three."""
        mean = (self.completeness + self.correctness + self.conciseness) / 3
        return float(getattr(self, slug, mean))


@dataclass(frozen=True)
class Reported:
    """What a simulated reader says of reports; nothing where none are asked about."""

    report: GivenReport | None = None
    preferences: Sequence[GivenPreference] = ()
    active_ms: int = 0


def quality_of(text: str, known: str) -> Quality:
    said, wanted = _sentences(text), _sentences(known)
    right = len(said & wanted)
    return Quality(
        completeness=BEST * right / max(1, len(wanted)),
        correctness=BEST * right / max(1, len(said)),
        conciseness=BEST * min(1.0, len(known.split()) / max(1, len(text.split()))),
    )


def read_reports(slot: Slot, *, leniency: float, noise: float, rng: Random) -> Reported:
    """Leniency lets more drafts pass, and cancels out of which of two is better."""
    criteria = slot.criteria()
    if not any(criterion.is_of_reports for criterion in criteria):
        return Reported()
    image = slot.images_in_order()[0].pk
    known = texts_of(OWN_REPORT, [image]).get(image, "")
    shown = [text.text for text in slot.texts_in_order()]
    if criteria[0].kind == CriterionKind.REPORT:
        felt = leniency + rng.gauss(0, noise)
        report = _sign(shown[0] if shown else None, known, felt=felt)
        words = edits_of(shown[0] if shown else "", report.text).words
        seconds = (LOOKING_S + SECONDS_A_WORD * words) * math.exp(rng.gauss(0, noise))
        return Reported(report=report, active_ms=round(1_000 * seconds))
    left, right = (quality_of(text, known) for text in shown)
    return Reported(
        preferences=[
            GivenPreference(
                one.slug,
                _points(
                    right.of_criterion(one.slug) - left.of_criterion(one.slug), rng, noise=noise
                ),
            )
            for one in criteria
        ]
    )


def _sign(draft: str | None, known: str, *, felt: float) -> GivenReport:
    """Returns the draft where it will do, else what is known, with the reasons that lie between
    them.
    """
    if draft is None:
        return GivenReport(known or UNKNOWN)
    quality = quality_of(draft, known)
    if min(quality.completeness, quality.correctness) + felt >= ACCEPTED_FROM or not known:
        return GivenReport(draft, is_accepted=True)
    reasons = [
        *([ReportReason.FALSE_FINDING.value] if quality.correctness < BEST else []),
        *([ReportReason.MISSED_FINDING.value] if quality.completeness < BEST else []),
    ]
    if known == draft:
        return GivenReport(draft, is_accepted=True)
    return GivenReport(known, reasons or [ReportReason.STYLE.value])


def _points(better_by: float, rng: Random, *, noise: float) -> int:
    """Both reports are felt with noise of their own."""
    felt = better_by + rng.gauss(0, noise) - rng.gauss(0, noise)
    return round(max(-POINTS_MAX, min(POINTS_MAX, POINTS_A_STEP * felt)))


def _sentences(text: str) -> frozenset[str]:
    parts = (" ".join(part.lower().split()) for part in SENTENCE_ENDS.split(text))
    return frozenset(part for part in parts if part)
