"""A reader who is taken out of a study: others read for them, and nothing of theirs is lost."""

import pytest
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import AuditEvent, User
from feedback_app.readings.claims import claim, release_lapsed
from feedback_app.readings.models import Reading
from feedback_app.readings.worklist import assignments_of
from feedback_app.studies.models import CaseRole, Slot, Study
from feedback_app.studies.progress import progress_of
from feedback_app.studies.services import create_study, open_study, remove_reader
from feedback_app.studies.services.cases import add_cases_from_batch, pick_anchors
from generation.errors import RemediableError
from tests.readings.answers import read
from tests.readings.rooms import pool
from tests.studies.making import make_batch

pytestmark = pytest.mark.django_db


def shared_out(*readers: User, anchors: int = 0) -> Study:
    """Each reader has cases of their own, of which the first is read."""
    study = create_study(name="November", mode="rate", readers=readers, shuffle_seed=7)
    add_cases_from_batch(study, make_batch(prompts=3, each=4))
    if anchors:
        pick_anchors(study, list(study.cases.values_list("pk", flat=True)[:anchors]))
    study = open_study(study)
    for reader in readers:
        slot = study.slots.filter(reader=reader).order_by("position").first()
        assert slot is not None
        read(slot)
    return study


def test_open_cases_go_to_those_with_least_to_read(
    cora_client: Client, rosa: User, ravi: User, otto: User
) -> None:
    study = shared_out(rosa, ravi, otto)
    own = study.slots.filter(reader=otto)
    (held,) = own.unread()[:1]
    address = reverse("studies:remove-reader", args=[study.pk, otto.pk])
    page = cora_client.post(address, follow=True).content.decode()
    assert "3 of their open cases go to others" in page
    assert {row.reader: row.total for row in progress_of(study)} == {rosa: 6, ravi: 5} or {
        row.reader: row.total for row in progress_of(study)
    } == {rosa: 5, ravi: 6}
    kept = Study.objects.with_progress().get(pk=study.pk)
    assert (kept.slot_count, kept.read_count) == (12, 3)  # type: ignore[attr-defined]
    read_cases = set(study.slots.planned().values_list("case", flat=True))
    assert read_cases == set(study.cases.values_list("pk", flat=True))
    (assignment,) = assignments_of(otto)
    assert (assignment.total, assignment.has_more) == (1, False)
    assert AuditEvent.objects.filter(action="study.reader_removed").count() == 1
    read(held)  # what they had open still
    assert Reading.objects.filter(reader=otto).count() == 2
    assert cora_client.post(address).status_code == 404


def test_cases_that_all_read_are_not_handed_on(rosa: User, ravi: User) -> None:
    study = shared_out(rosa, ravi, anchors=4)
    open_ordinary = study.slots.filter(reader=ravi, case__role=CaseRole.ORDINARY).unread().count()
    open_all = study.slots.filter(reader=ravi).unread().count()
    left = remove_reader(study, ravi)
    assert (left.handed_on, left.dropped) == (open_ordinary, open_all - open_ordinary)
    assert not Slot.objects.filter(study=study).unread().exclude(reader=rosa).exists()
    with pytest.raises(RemediableError, match="Nobody else"):
        remove_reader(study, rosa)
    with pytest.raises(RemediableError, match="does not read"):
        remove_reader(study, ravi)


def test_a_pools_seats_come_free_again(rosa: User, ravi: User) -> None:
    study = pool(rosa, ravi, cases=3, overlap=1)
    claimed = claim(study, rosa)
    assert claimed is not None
    assert remove_reader(study, rosa).handed_on == 1
    assert release_lapsed(study=study) == 1
    assert Slot.objects.filter(study=study, reader=None).count() == 3
    assert assignments_of(rosa) == []


def test_a_program_takes_a_reader_out(cora_client: Client, rosa: User, ravi: User) -> None:
    study = shared_out(rosa, ravi)
    address = reverse("api:study-remove-reader", args=[study.pk])
    answer = cora_client.post(address, {"reader": "ravi"}, content_type="application/json")
    assert answer.json() == {"handed_on": 5, "dropped": 0}
    again = cora_client.post(address, {"reader": "ravi"}, content_type="application/json")
    assert again.status_code == 404
