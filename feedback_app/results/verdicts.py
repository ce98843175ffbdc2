"""What readers' answers to a case come to, in words: who is better, how many said synthetic."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from feedback_app.readings.models import Reading, Verdict
from feedback_app.studies.models import Criterion, CriterionKind


def sum_up(
    readings: Iterable[Reading], letters: Mapping[UUID, str], *, real: Mapping[UUID, bool] | None
) -> tuple[str, ...]:
    """Returns a line a question of choices or of sources; first readings that count alone.

    ``real`` says of each image whether it is; None while the study is blind.
    """
    counting = [one for one in readings if not one.is_skipped and not one.slot.repetition]
    return (
        *_choices(counting, letters),
        *_preferences(counting),
        *_sources(counting, letters, real),
    )


def _choices(readings: Sequence[Reading], letters: Mapping[UUID, str]) -> Iterable[str]:
    votes: dict[Criterion, Counter[str]] = defaultdict(Counter)
    for reading in readings:
        for choice in reading.choices.all():
            winner = f"{letters[choice.image_id]} better" if choice.image_id else ""
            votes[choice.criterion][winner or str(Verdict(choice.verdict).label).lower()] += 1
    return _by_criterion(votes)


def _preferences(readings: Sequence[Reading]) -> Iterable[str]:
    """Yields which of two reports is better, A and B in the case's own order."""
    votes: dict[Criterion, Counter[str]] = defaultdict(Counter)
    for reading in readings:
        for one in reading.preferences.all():
            votes[one.criterion][one.in_words().partition(" by ")[0]] += 1
    return _by_criterion(votes)


def _sources(
    readings: Sequence[Reading], letters: Mapping[UUID, str], real: Mapping[UUID, bool] | None
) -> Iterable[str]:
    """Yields the lower half of the answers says that an image is real, the upper that it is not."""
    votes: dict[UUID, Counter[str]] = defaultdict(Counter)
    for reading in readings:
        for score in reading.scores.all():
            if score.criterion.kind == CriterionKind.CONFIDENCE:
                votes[score.image_id][_said(score.value, score.criterion)] += 1
    for image, said in votes.items():
        on = f"{letters[image]}: " if len(letters) > 1 else ""
        right = ""
        if real is not None:
            is_right = said["real" if real[image] else "synthetic"]
            right = f" · {is_right} of {said.total()} right"
        yield f"{on}said {_counted(said)}{right}"


def _said(value: int, criterion: Criterion) -> str:
    middle = (len(criterion.anchors) - 1) / 2
    if value == middle:
        return "cannot tell"
    return "real" if value < middle else "synthetic"


def _by_criterion(votes: Mapping[Criterion, Counter[str]]) -> Iterable[str]:
    for criterion in sorted(votes, key=lambda one: one.position):
        yield f"{criterion.name}: {_counted(votes[criterion])}"


def _counted(votes: Counter[str]) -> str:
    return ", ".join(f"{what} {count}" for what, count in votes.most_common())
