"""Registering a judge of candidates, an attribute each, where it is good enough."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.db import transaction

from feedback_app.images.scorers.models import Scorer, ScorerKind
from feedback_app.images.scorers.services import register_scorer
from generation.conditioning.facts import NO_OTHER
from generation.errors import RemediableError
from generation.vlm.model.folders import BUNDLED_VLM

BUNDLED_NAME = "bundled-judge"
FACTS = "judge.json"
LEAST = {
    ScorerKind.VISIBLE_VIEW: ("view PA", 0.964),
    ScorerKind.VISIBLE_SEX: ("sex male", 0.816),
    ScorerKind.VISIBLE_AGE: ("age 65 and over", 0.676),
    ScorerKind.VISIBLE_FINDING: ("pneumonia", 0.797),
    ScorerKind.VISIBLE_ABSENCE: (NO_OTHER, 0.65),
    ScorerKind.VISIBLE_SIDE: ("side left", 0.8),
}
"""The phrase by which an attribute is judged, and the area under the ROC curve that it needs.

It is .03 less than linear probes reached on real images through the bundled autoencoder, over
twenty splits by patient; of absence over five. A side is right half of the time by chance, and has
to reach its bar on a source that it was not taught on, too.
"""


@transaction.atomic
def register_judge(name: str, folder: Path) -> tuple[list[Scorer], dict[ScorerKind, float | None]]:
    """Give the scorers that measure from now on, and the figures of those that are too weak."""
    areas = _areas(folder)
    scorers, refused = [], {}
    for kind, (phrase, least) in LEAST.items():
        found = areas.get(phrase)
        if found is None or found < least:
            refused[kind] = found
            continue
        figures = {"auroc": found, "phrase": phrase}
        scorers.append(register_scorer(f"{name}-{kind.value}", folder, kind=kind, figures=figures))
    return scorers, refused


def register_bundled_judge() -> None:
    """Let the judge that comes with the project measure, where no other does."""
    if not Scorer.objects.filter(kind__in=LEAST).exists():
        register_judge(BUNDLED_NAME, BUNDLED_VLM / "judge")


def _areas(folder: Path) -> dict[str, float]:
    try:
        facts: dict[str, Any] = json.loads((folder / FACTS).read_text(encoding="utf-8"))
        return {str(phrase): float(area) for phrase, area in facts["auroc"].items()}
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise RemediableError(
            f"{folder} holds no judge: {error!r}",
            remedy="Teach one with python -m generation.commands.teach_judge.",
        ) from error


CONTRARIES = {"view PA": "view AP", "sex male": "sex female"}


def phrases_seen(details: Mapping[str, Any], value: float) -> dict[str, float]:
    """Returns what a judge's measure gave each phrase of its attribute.

    Of measures that kept the asked one alone it is that one and, where it has one, its contrary.
    """
    if "phrases" in details:
        return dict(details["phrases"])
    found = {details["phrase"]: value}
    for one, other in CONTRARIES.items():
        if details["phrase"] in (one, other):
            found[other if details["phrase"] == one else one] = 1 - value
    return found


def likeliest(details: Mapping[str, Any], value: float) -> str:
    """Returns the phrase that the judge sees most of; empty where it was asked for one alone."""
    found = phrases_seen(details, value)
    return max(found, key=found.__getitem__) if len(found) > 1 else ""
