"""Submitting readings: whole, once, for all."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.http import Http404

from feedback_app.accounts.models import User
from feedback_app.readings.models import Flag, Reading, Score
from feedback_app.readings.services import (
    GivenFlag,
    GivenScore,
    InvalidReading,
    KeyAlreadyUsed,
    StudyNotOpen,
    submit,
)
from feedback_app.studies.models import Slot
from feedback_app.studies.services import close_study
from tests.readings.answers import scores_for
from tests.studies.making import make_study

pytestmark = pytest.mark.django_db


@pytest.fixture
def slot(rosa: User, ravi: User) -> Slot:
    """Rosa's first of two."""
    study = make_study(rosa, ravi)
    return Slot.objects.get(study=study, reader=rosa, position=0)


def test_a_reading_is_stored_with_all_its_parts(slot: Slot, rosa: User) -> None:
    reading = submit(
        slot=slot,
        reader=rosa,
        idempotency_key=uuid.uuid4(),
        scores=scores_for(slot, value=4),
        flags=[GivenFlag(place=2, flag="clavicles", grade="major")],
        comment="Odd.",
        active_ms=12_345,
    )
    assert (reading.revision, reading.comment, reading.active_ms) == (1, "Odd.", 12_345)
    assert not reading.is_simulated
    assert reading.scores.count() == 8
    assert reading.flags.get().kind.name == "Clavicles"


def test_places_count_images_as_the_slot_shows_them(slot: Slot, rosa: User) -> None:
    Slot.objects.filter(pk=slot.pk).update(image_order=[2, 0, 3, 1])
    slot.refresh_from_db()
    scores = [
        GivenScore(place=score.place, criterion=score.criterion, value=score.place)
        for score in scores_for(slot)
    ]
    reading = submit(slot=slot, reader=rosa, idempotency_key=uuid.uuid4(), scores=scores)
    unshuffled = [place.image_id for place in slot.case.case_images.order_by("position")]
    values = {score.image_id: score.value for score in reading.scores.all()}
    assert [values[image] for image in unshuffled] == [1, 3, 0, 2]


def test_the_same_key_again_returns_the_stored_reading(slot: Slot, rosa: User) -> None:
    key = uuid.uuid4()
    first = submit(slot=slot, reader=rosa, idempotency_key=key, scores=scores_for(slot))
    again = submit(slot=slot, reader=rosa, idempotency_key=key, scores=scores_for(slot))
    assert first == again
    assert Reading.objects.count() == 1


def test_a_lost_answer_is_given_again_though_the_study_was_closed(slot: Slot, rosa: User) -> None:
    key = uuid.uuid4()
    first = submit(slot=slot, reader=rosa, idempotency_key=key, scores=scores_for(slot))
    close_study(slot.study)
    again = submit(slot=slot, reader=rosa, idempotency_key=key, scores=scores_for(slot))
    assert first == again


def test_a_key_of_another_case_is_refused(slot: Slot, rosa: User) -> None:
    key = uuid.uuid4()
    submit(slot=slot, reader=rosa, idempotency_key=key, scores=scores_for(slot))
    other = Slot.objects.get(study=slot.study, reader=rosa, position=1)
    with pytest.raises(KeyAlreadyUsed):
        submit(slot=other, reader=rosa, idempotency_key=key, scores=scores_for(other))


def test_a_key_of_other_answers_is_refused_not_forgotten(slot: Slot, rosa: User) -> None:
    key = uuid.uuid4()
    flags = [GivenFlag(place=2, flag="clavicles", grade="major")]
    first: dict[str, Any] = {"scores": scores_for(slot), "flags": flags, "comment": "Odd."}
    submit(slot=slot, reader=rosa, idempotency_key=key, **first)
    submit(slot=slot, reader=rosa, idempotency_key=key, **first)
    others: list[dict[str, Any]] = [
        {"scores": scores_for(slot, value=4)},
        {"flags": []},
        {"comment": "Even."},
    ]
    for other in others:
        with pytest.raises(KeyAlreadyUsed):
            submit(slot=slot, reader=rosa, idempotency_key=key, **first | other)
    assert Reading.objects.count() == 1


def test_another_key_is_the_next_revision(slot: Slot, rosa: User) -> None:
    for value in (3, 4):
        submit(
            slot=slot,
            reader=rosa,
            idempotency_key=uuid.uuid4(),
            scores=scores_for(slot, value=value),
        )
    assert list(Reading.objects.values_list("revision", flat=True)) == [1, 2]
    assert Reading.objects.current().get().revision == 2


def test_somebody_elses_slot_is_not_there(slot: Slot, ravi: User, otto: User, cora: User) -> None:
    for other in (ravi, otto, cora):
        with pytest.raises(Http404):
            submit(slot=slot, reader=other, idempotency_key=uuid.uuid4(), scores=scores_for(slot))
    assert not Reading.objects.exists()


def test_a_closed_study_takes_no_reading(slot: Slot, rosa: User) -> None:
    close_study(slot.study)
    with pytest.raises(StudyNotOpen):
        submit(slot=slot, reader=rosa, idempotency_key=uuid.uuid4(), scores=scores_for(slot))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda scores: scores[1:], "1 of 8 scores are missing"),
        (lambda scores: [], "8 of 8 scores are missing"),
        (lambda scores: [*scores, scores[0]], "scored twice"),
        (lambda scores: [*scores, GivenScore(4, "realism", 3)], "Image 4 has no criterion"),
        (lambda scores: [*scores, GivenScore(0, "beauty", 3)], "beauty"),
        (lambda scores: [*scores[1:], GivenScore(0, "realism", 6)], "6 is no score"),
        (lambda scores: [*scores[1:], GivenScore(0, "realism", -1)], "-1 is no score"),
        (lambda scores: [*scores[1:], GivenScore(0, "realism", True)], "True is no score"),
    ],
)
def test_incomplete_or_impossible_scores_are_refused(
    slot: Slot, rosa: User, spoil: object, message: str
) -> None:
    with pytest.raises(InvalidReading, match=message):
        submit(
            slot=slot,
            reader=rosa,
            idempotency_key=uuid.uuid4(),
            scores=spoil(scores_for(slot)),  # type: ignore[operator]
        )
    assert not Reading.objects.exists()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([GivenFlag(0, "beauty", "minor")], "no flag “beauty”"),
        ([GivenFlag(4, "clavicles", "minor")], "for image 4"),
        ([GivenFlag(0, "clavicles", "huge")], "minor or major"),
        ([GivenFlag(0, "clavicles", "minor"), GivenFlag(0, "clavicles", "major")], "twice"),
    ],
)
def test_unknown_flags_are_refused(
    slot: Slot, rosa: User, flags: list[GivenFlag], message: str
) -> None:
    with pytest.raises(InvalidReading, match=message):
        submit(
            slot=slot,
            reader=rosa,
            idempotency_key=uuid.uuid4(),
            scores=scores_for(slot),
            flags=flags,
        )


def test_an_overlong_comment_is_refused(slot: Slot, rosa: User) -> None:
    with pytest.raises(InvalidReading, match="2,001 characters"):
        submit(
            slot=slot,
            reader=rosa,
            idempotency_key=uuid.uuid4(),
            scores=scores_for(slot),
            comment="x" * 2_001,
        )


def test_a_simulated_reader_leaves_a_marked_reading() -> None:
    robot = User.objects.create_user("robot", is_simulated=True)
    slot = make_study(robot).slots.first()
    assert slot is not None
    reading = submit(slot=slot, reader=robot, idempotency_key=uuid.uuid4(), scores=scores_for(slot))
    assert reading.is_simulated
    assert not Reading.objects.by_people().exists()


def test_the_database_itself_refuses_to_change_or_remove_a_reading(slot: Slot, rosa: User) -> None:
    submit(
        slot=slot,
        reader=rosa,
        idempotency_key=uuid.uuid4(),
        scores=scores_for(slot),
        flags=[GivenFlag(0, "clavicles", "minor")],
    )
    for model, change in (
        (Reading, {"comment": "other"}),
        (Score, {"value": 5}),
        (Flag, {"grade": "major"}),
    ):
        table = model._meta.db_table
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            model.objects.update(**change)
        with (
            pytest.raises(IntegrityError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(f"DELETE FROM {table}")


def test_the_database_itself_refuses_a_score_above_five(slot: Slot, rosa: User) -> None:
    reading = submit(slot=slot, reader=rosa, idempotency_key=uuid.uuid4(), scores=scores_for(slot))
    criterion = slot.study.criteria.all()[0]
    with pytest.raises(IntegrityError, match="at_most_five"), transaction.atomic():
        Score.objects.create(
            reading=reading, image=slot.images_in_order()[0], criterion=criterion, value=6
        )


def _submit_in_own_connection(slot: Slot, reader: User, key: uuid.UUID) -> int:
    try:
        return submit(
            slot=slot, reader=reader, idempotency_key=key, scores=scores_for(slot)
        ).revision
    finally:
        connection.close()


@pytest.mark.usefixtures("committed")
def test_a_reading_posted_many_times_at_once_is_stored_once(slot: Slot, rosa: User) -> None:
    key = uuid.uuid4()
    with ThreadPoolExecutor(6) as pool:
        revisions = list(pool.map(lambda _: _submit_in_own_connection(slot, rosa, key), range(6)))
    assert revisions == [1] * 6
    assert Reading.objects.count() == 1


@pytest.mark.usefixtures("committed")
def test_revisions_posted_at_once_get_numbers_of_their_own(slot: Slot, rosa: User) -> None:
    keys = [uuid.uuid4() for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        revisions = list(pool.map(lambda key: _submit_in_own_connection(slot, rosa, key), keys))
    assert sorted(revisions) == [1, 2, 3, 4, 5, 6]
