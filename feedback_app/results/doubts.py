"""What speaks against learning from a study's readings, for the forms that would."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from feedback_app.charts.numbers import with_interval
from feedback_app.readings.models import Reading
from feedback_app.results.cache import figures_for, state_of
from feedback_app.results.figures import Figures
from feedback_app.studies.models import Study, StudyState

ALPHA_LOW = 0.2
"""Up to it readers agree slightly at best, by the words of Landis and Koch."""
STUDIES_MAX = 20


@dataclass(frozen=True)
class Doubted:
    study: Study
    sentences: tuple[str, ...]


def doubted(studies: Collection[Study]) -> list[Doubted]:
    """Returns the studies against whose readings something speaks, with what it is."""
    found = []
    for study in list(studies)[:STUDIES_MAX]:
        sentences = tuple(doubts_of(figures_for(study, state=state_of(study))))
        if sentences:
            found.append(Doubted(study, sentences))
    return found


def doubts_of(figures: Figures) -> Iterator[str]:
    """Agreement that is near chance first, then what readers should be asked about."""
    for scores in figures.scores:
        alpha = scores.agreement.alpha
        if alpha.is_known and alpha.value <= ALPHA_LOW:
            yield (
                f"Readers hardly agree on {scores.question.name}: "
                f"alpha {with_interval(alpha)} over {alpha.count} shared "
                f"case{'' if alpha.count == 1 else 's'}."
            )
    yield from figures.alarms


def studies_to_learn_from(
    chosen: Collection[UUID], *, snapshot: UUID | None, simulated: bool
) -> list[Study]:
    """Returns those of a snapshot; or the chosen ones; or, where none is chosen, all with
    readings.
    """
    opened = Study.objects.exclude(state=StudyState.DRAFT)
    if snapshot is not None:
        pairs = Reading.objects.filter(pairs__snapshot=snapshot)
        rated = Reading.objects.filter(rated_images__snapshot=snapshot)
        taken = Q(slots__readings__in=pairs) | Q(slots__readings__in=rated)
        return list(opened.filter(taken).distinct())
    if chosen:
        return list(opened.filter(pk__in=chosen))
    read = Reading.objects.filter(is_simulated=simulated).order_by().values("slot__study")
    return list(opened.filter(pk__in=read))
