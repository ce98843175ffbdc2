"""Measuring candidates by the active scorers, as they are made and afterwards."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from feedback_app.images.blobs.models import Image, Measure
from feedback_app.images.blobs.pixels import pixels_of
from feedback_app.images.candidates.conditioning import conditioning_masks
from feedback_app.images.candidates.models import Candidate
from feedback_app.images.candidates.tasks.plain_measures import measure_pictures
from feedback_app.images.measures import OF_PICTURES
from feedback_app.images.scorers.models import JUDGES, Scorer, ScorerKind
from feedback_app.images.scorers.services import start_measuring
from feedback_app.images.scorers.tasks.networks import UnreadableScorer, load_scorer
from feedback_app.remedies import in_one_line
from feedback_app.runs.kinds import handles
from feedback_app.runs.progress import Progress
from generation.conditioning.facts import absence, attribute_of, facts_of
from generation.measures.agreement import label_agreement, mask_agreement

AT_ONCE = 16
Picture = np.ndarray[Any, Any]
Found = tuple[float, dict[str, Any]]
"""A value with its details."""


@handles("measure")
def measure_all(progress: Progress) -> dict[str, object]:
    """Measure every candidate that has not been; again, nothing is left."""
    return {"measured": measure_all_pictures(progress) | measure_by_scorers(progress)}


def measure_all_pictures(progress: Progress) -> dict[str, object]:
    """Returns what needs nothing but the picture, of every candidate without it."""
    images = Image.objects.filter(candidate__isnull=False)
    made: dict[str, object] = {}
    for kind in OF_PICTURES:
        count = 0
        for measured in measure_pictures(kind, images):
            count += measured
            progress.update(count, note=f"Measuring {kind.label.lower()}")
        made[kind.name] = count
    return made


def measure_by_scorers(progress: Progress) -> dict[str, object]:
    """Returns what every active scorer says of the candidates that it has not measured."""
    scorers = list(Scorer.objects.active())
    waiting = {scorer.pk: unmeasured(scorer) for scorer in scorers}
    total, done = sum(len(keys) for keys in waiting.values()), 0
    made: dict[str, object] = {}
    for scorer in scorers:
        keys, count = waiting[scorer.pk], 0
        try:
            for part in _parts(keys):
                count += measure_by(scorer, part)
                done += len(part)
                progress.update(done, total=total, note=f"Measuring by {scorer.name}")
        except UnreadableScorer as error:
            progress.log(in_one_line(error))
        else:
            Scorer.objects.filter(pk=scorer.pk).update(owes_measures=False)
        made[scorer.name] = count
    return made


def measure_new(keys: Sequence[str], *, log: Callable[[str], None]) -> None:
    """Measure the candidates of these recipes by every active scorer that has not yet.

    A scorer that cannot be read leaves its measures out, and ``log`` says so. Once it can be
    read again, a run of its own makes up for them.
    """
    for scorer in Scorer.objects.active():
        try:
            for part in _parts(unmeasured(scorer, keys=keys)):
                measure_by(scorer, part)
        except UnreadableScorer as error:
            log(in_one_line(error))
            Scorer.objects.filter(pk=scorer.pk).update(owes_measures=True)
        else:
            if Scorer.objects.filter(pk=scorer.pk, owes_measures=True).update(owes_measures=False):
                start_measuring()


def unmeasured(scorer: Scorer, *, keys: Sequence[str] | None = None) -> list[str]:
    """Recipes' keys of candidates without a measure by this scorer."""
    candidates = Candidate.objects.exclude(
        image__measures__in=Measure.objects.filter(scorer=scorer.measure, version=scorer.version)
    )
    if keys is not None:
        candidates = candidates.filter(recipe__in=keys)
    if scorer.kind == ScorerKind.SEGMENTER:
        candidates = candidates.filter(recipe__masks__kind=scorer.target)
    return list(candidates.order_by("recipe_id").values_list("recipe_id", flat=True))


def _parts(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for first in range(0, len(keys), AT_ONCE):
        yield keys[first : first + AT_ONCE]


def measure_by(scorer: Scorer, keys: Sequence[str]) -> int:
    """Measure these recipes' candidates; how many could be."""
    candidates = list(
        Candidate.objects.filter(recipe__in=keys)
        .select_related("image__blob", "recipe")
        .prefetch_related("recipe__masks__blob")
        .order_by("recipe_id")
    )
    if not candidates:
        return 0
    find = FINDERS[ScorerKind(scorer.kind)]
    found = find(scorer, candidates, [pixels_of(candidate.image) for candidate in candidates])
    measures = [
        Measure(
            image=candidate.image,
            scorer=scorer.measure,
            version=scorer.version,
            value=result[0],
            details=result[1],
        )
        for candidate, result in zip(candidates, found, strict=True)
        if result is not None
    ]
    Measure.objects.bulk_create(measures, ignore_conflicts=True)
    return len(measures)


def by_classifier(
    scorer: Scorer, candidates: Sequence[Candidate], pictures: Sequence[Picture]
) -> list[Found | None]:
    """Returns None for a prompt of which the classifier knows no finding."""
    classifier = load_scorer(scorer)
    results: list[Found | None] = []
    rows = classifier.probabilities(pictures).tolist()
    for candidate, row in zip(candidates, rows, strict=True):
        found = dict(zip(classifier.config.findings, row, strict=True))
        value = label_agreement(found, candidate.recipe.findings)
        rounded = {finding: round(probability, 4) for finding, probability in found.items()}
        results.append(None if value is None else (value, {"probabilities": rounded}))
    return results


def by_segmenter(
    scorer: Scorer, candidates: Sequence[Candidate], pictures: Sequence[Picture]
) -> list[Found | None]:
    """Returns None for a candidate that was not conditioned on a mask of the segmenter's kind."""
    wanted = [
        dict(conditioning_masks(candidate.recipe)).get(scorer.target) for candidate in candidates
    ]
    chosen = [index for index, mask in enumerate(wanted) if mask is not None]
    results: list[Found | None] = [None] * len(candidates)
    if chosen:
        drawn = load_scorer(scorer).probabilities([pictures[index] for index in chosen]) > 0.5
        masks = [mask for mask in wanted if mask is not None]
        for index, value in zip(chosen, mask_agreement(drawn, masks), strict=True):
            results[index] = (value, {"kind": scorer.target})
    return results


def by_reward_model(
    scorer: Scorer, candidates: Sequence[Candidate], pictures: Sequence[Picture]
) -> list[Found | None]:
    """Returns the score to expect of readers, 0 to 5, and how far the heads disagree about it."""
    prompts = [candidate.recipe.prompt for candidate in candidates]
    return [
        (
            found.score,
            {
                "disagreement": round(found.disagreement, 4),
                "utility": round(found.utility, 4),
                "utilities": [round(utility, 4) for utility in found.utilities],
            },
        )
        for found in load_scorer(scorer).predict(pictures, prompts)
    ]


def by_judge(
    scorer: Scorer, candidates: Sequence[Candidate], pictures: Sequence[Picture]
) -> list[Found | None]:
    """Returns how likely what the prompt names can be seen; None where it names nothing that is
    known.

    What the other phrases of the attribute get is kept beside it: by that a version's candidates
    are told from each other, whatever their prompts named.
    """
    judge = load_scorer(scorer)
    attribute = scorer.kind.removeprefix("visible-")
    results: list[Found | None] = []
    for candidate, found in zip(candidates, judge.probabilities(pictures), strict=True):
        wanted = facts_of(candidate.recipe.prompt)
        seen = judge.attribute(attribute, wanted, found)
        beside = {name: round(value, 6) for name, value in found.items()
                  if attribute_of(name) == attribute}  # fmt: skip
        if attribute == "absence":
            beside = {name: round(value, 6) for name, value in absence(wanted, found).items()}
        results.append(seen and (seen.probability, asdict(seen) | {"phrases": beside}))
    return results


FINDERS: dict[
    ScorerKind,
    Callable[[Scorer, Sequence[Candidate], Sequence[Picture]], list[Found | None]],
] = {
    ScorerKind.CLASSIFIER: by_classifier,
    ScorerKind.SEGMENTER: by_segmenter,
    ScorerKind.REWARD_MODEL: by_reward_model,
    **dict.fromkeys(JUDGES, by_judge),
}
