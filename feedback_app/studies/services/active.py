"""Active orders: what a reading of each case would teach, and which reward model says so."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any
from uuid import UUID

import numpy as np
from django.db import connection, transaction
from django.db.models import FilteredRelation, Max, Q, QuerySet
from django.utils import timezone

from feedback_app.accounts import audit
from feedback_app.accounts.models import User
from feedback_app.images.models import Measure, Scorer, ScorerKind
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run
from feedback_app.studies.models import ActiveOrder, CaseImage, CaseRole, Study, StudyState
from generation.errors import RemediableError
from generation.rewards.acquisition import preference_disagreement

CASES_AT_ONCE = 500
"""Readers' claims wait while so many are valued anew: some hundredths of a second."""
REFRESHED = {StudyState.OPEN, StudyState.PAUSED}

Details = Mapping[str, Any] | None
"""What a measure by the reward model says besides its value; None without one."""


def values_of(places: QuerySet[CaseImage], reward_model: Scorer) -> dict[UUID, float | None]:
    """Returns what a reading of each ordinary case would teach; None where an image is not
    measured.
    """
    measures = FilteredRelation(
        "image__measures",
        condition=Q(
            image__measures__scorer=reward_model.measure,
            image__measures__version=reward_model.version,
        ),
    )
    rows = (
        places.filter(case__role=CaseRole.ORDINARY)
        .annotate(measure=measures)
        .order_by("case__position", "position")
        .values_list("case", "measure__details")
    )
    of_cases = groupby(rows.iterator(), key=lambda row: row[0])
    return {case: value_of([details for _, details in images]) for case, images in of_cases}


def value_of(images: Sequence[Details]) -> float | None:
    """Returns the heads' disagreement about which of several images is better, or about a single
    score.

    The first is a mean variance of probabilities, 0 to 0.25; the second a standard deviation
    in points of the 0-5 scale. A study has cases of one kind.
    """
    known = [details for details in images if details and "utilities" in details]
    if len(known) < len(images):
        return None
    if len(known) == 1:
        return float(known[0]["disagreement"])
    return preference_disagreement(np.array([details["utilities"] for details in known]).T)


def begin_order(study: Study, *, seats: int, values: Collection[float | None]) -> None:
    """Logs the order with which a study opens."""
    assert study.reward_model is not None
    study.seat_count = seats
    ActiveOrder.objects.create(
        study=study, reward_model=study.reward_model, unmeasured=_count_none(values)
    )


def count_measured(images_of_cases: Sequence[Sequence[UUID]], reward_model: Scorer) -> int:
    """Returns how many planned cases have all their images measured."""
    every = {image for images in images_of_cases for image in images}
    measured = set(
        reward_model_measures(reward_model)
        .filter(image__in=every, details__has_key="utilities")
        .values_list("image", flat=True)
    )
    return sum(measured.issuperset(images) for images in images_of_cases)


@transaction.atomic
def start_valuing(study: Study, reward_model: Scorer, *, actor: User | None = None) -> Run:
    """Have what is still free read in the order of another reward model's values."""
    order = ActiveOrder.objects.select_for_update(no_key=True).filter(study=study).first()
    if order is None or study.state not in REFRESHED:
        raise RemediableError(
            f"The study “{study.name}” draws nothing by a reward model now.",
            remedy="Choose an open pool whose order is active.",
        )
    if reward_model.kind != ScorerKind.REWARD_MODEL:
        raise RemediableError(
            f"The scorer “{reward_model}” is no reward model.", remedy="Choose a reward model."
        )
    if order.is_being_valued:
        raise RemediableError(
            f"The cases of “{study.name}” are being valued just now.",
            remedy="Wait until that is done, or cancel its run.",
        )
    return _begin_valuing(order, reward_model, actor=actor)


def _begin_valuing(
    order: ActiveOrder,
    reward_model: Scorer,
    *,
    after: Iterable[Run] = (),
    actor: User | None = None,
) -> Run:
    study = order.study
    order.run = runs.start(
        "value_cases",
        title=f"Value the cases of {study.name} by {reward_model}",
        spec={"study": str(study.pk), "reward_model": reward_model.pk},
        total=study.cases.count(),
        after=after,
        created_by=actor,
    )
    order.save(update_fields=["run"])
    audit.record(
        "study.reward_model_changed",
        actor=actor,
        target=study.name,
        target_id=study.pk,
        details={"reward_model": str(reward_model)},
    )
    return order.run


def value_anew(
    study_id: UUID, reward_model: Scorer, *, report: Callable[[int], object]
) -> tuple[int, int]:
    """Value what is free anew, some cases at a time; what was given keeps its value.

    Returns how many cases were looked at, and how many of them are not measured.
    """
    orders = ActiveOrder.objects.filter(study=study_id)
    orders.update(reward_model=reward_model)
    done = unmeasured = 0
    for places in _parts(study_id):
        values = values_of(places, reward_model)
        with transaction.atomic():
            orders.select_for_update(no_key=True).get()
            _write_values(values)
        done += len(values)
        unmeasured += _count_none(values.values())
        report(done)
    orders.update(unmeasured=unmeasured, valued_at=timezone.now())
    return done, unmeasured


def follow_reward_model(reward_model: Scorer, *, after: Run) -> int:
    """Have pools whose order is active go by a newer reward model once ``after`` has measured.

    Returns how many. Only where readers of the same kind taught it, people or simulated ones:
    what simulated readers taught never takes the place of what people did.
    """
    orders = ActiveOrder.objects.filter(
        study__state__in=REFRESHED,
        reward_model__taught_by_simulated_readers=reward_model.taught_by_simulated_readers,
        reward_model__created_at__lt=reward_model.created_at,
    )
    for order in orders.select_related("study", "run"):
        earlier = order.run if order.is_being_valued else None
        _begin_valuing(order, reward_model, after=[after, earlier] if earlier else [after])
    return len(orders)


def reward_model_measures(reward_model: Scorer) -> QuerySet[Measure]:
    return Measure.objects.filter(scorer=reward_model.measure, version=reward_model.version)


def _parts(study_id: UUID) -> Iterator[QuerySet[CaseImage]]:
    places = CaseImage.objects.filter(case__study=study_id)
    last = places.aggregate(last=Max("case__position"))["last"]
    for first in range(0, last + 1, CASES_AT_ONCE):
        yield places.filter(case__position__range=(first, first + CASES_AT_ONCE - 1))


def _write_values(values: Mapping[UUID, float | None]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_UPDATE, {"cases": list(values), "values": list(values.values())})


_UPDATE = """
    UPDATE studies_slot SET value = valued.value
    FROM unnest(%(cases)s::uuid[], %(values)s::float8[]) AS valued(case_id, value)
    WHERE studies_slot.case_id = valued.case_id AND reader_id IS NULL
"""


def _count_none(values: Collection[float | None]) -> int:
    return sum(value is None for value in values)
