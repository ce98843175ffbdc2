"""How far a study is, assigned or from a pool."""

import uuid
from typing import Any

import pytest
from django.utils import timezone

from feedback_app.accounts.models import User
from feedback_app.readings.models import Reading
from feedback_app.studies.models import Allocation, Slot, Study
from feedback_app.studies.progress import progress_of
from feedback_app.studies.services import Design, add_cases, design_study, open_study
from tests.studies.making import make_batch, make_study

pytestmark = pytest.mark.django_db


def _read(slot: Slot, reader: User, *, revision: int = 1) -> None:
    Reading.objects.create(
        slot=slot, reader=reader, revision=revision, idempotency_key=uuid.uuid4()
    )


def _counts(study: Study) -> tuple[int, int, int]:
    counted: Any = Study.objects.with_progress().get(pk=study.pk)
    return counted.case_count, counted.slot_count, counted.read_count


def test_a_revised_reading_counts_once(rosa: User, ravi: User) -> None:
    study = make_study(rosa, ravi, prompts=3)
    slot = study.slots.filter(reader=rosa)[0]
    Slot.objects.filter(pk=slot.pk).update(lease_until=timezone.now())
    for revision in (1, 2):
        _read(slot, rosa, revision=revision)
    assert _counts(study) == (3, 6, 1)
    assert Study.objects.unread_slots() == 5
    slot.refresh_from_db()
    assert slot.is_read
    assert slot.lease_until is None
    told = [(row.reader, row.read, row.total, row.percent) for row in progress_of(study)]
    assert told == [(ravi, 0, 3, 0), (rosa, 1, 3, 33)]


def test_a_draft_has_cases_and_nothing_to_read(rosa: User) -> None:
    study = design_study(Design(name="November", readers=(rosa,)))
    add_cases(study, [make_batch()])
    assert _counts(study) == (2, 0, 0)


def test_a_slot_of_a_pool_that_lost_its_seat_is_not_waited_for(rosa: User) -> None:
    design = Design(name="Pool", mode="rate", readers=(rosa,), allocation=Allocation.POOL)
    study = design_study(design)
    add_cases(study, [make_batch(prompts=1, each=4)])
    open_study(study)
    lapsed, kept = study.slots.all()[:2]
    Slot.objects.filter(pk=lapsed.pk).update(reader=rosa, seat=None)
    Slot.objects.create(
        study=study, case=lapsed.case, position=9, seat=0, image_order=lapsed.image_order
    )
    Slot.objects.filter(pk=kept.pk).update(reader=rosa)
    _read(kept, rosa)
    assert _counts(study) == (4, 4, 1)
    row = progress_of(study)[0]
    assert (row.read, row.total) == (1, None)
