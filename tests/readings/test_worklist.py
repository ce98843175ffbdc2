"""The work list: pools, phases, pauses, bookmarks, skips."""

import pytest
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.readings.claims import claim
from feedback_app.readings.models import Bookmark
from feedback_app.readings.worklist import Assignment, assignments_of
from feedback_app.studies.models import Phase, Study
from tests.readings.answers import read
from tests.readings.rooms import assign, make_room, pool, real, synthetic

pytestmark = pytest.mark.django_db


def only(reader: User) -> Assignment:
    (assignment,) = assignments_of(reader)
    return assignment


def test_a_pool_is_there_before_anything_is_claimed(
    rosa: User, ravi: User, otto: User, rosa_client: Client
) -> None:
    pool(rosa, ravi)
    found = only(rosa)
    assert (found.is_pool, found.is_to_do, found.total, found.read) == (True, True, None, 0)
    assert (found.first, found.next, found.has_more, found.percent) == (None, None, True, 0)
    assert assignments_of(otto) == []
    assert rosa_client.get(reverse("readings:worklist")).status_code == 200


def test_a_pool_goes_on_with_what_is_held(rosa: User) -> None:
    study = pool(rosa)
    first = claim(study, rosa)
    assert first is not None
    read(first)
    held = claim(study, rosa)
    assert held is not None
    found = only(rosa)
    assert (found.read, found.first, found.next) == (1, first.pk, held.pk)


def test_a_pool_is_done_when_the_reader_has_read_every_case(rosa: User, ravi: User) -> None:
    study = pool(rosa, ravi)
    while slot := claim(study, rosa):
        read(slot)
    assert not only(rosa).is_to_do
    assert only(ravi).is_to_do


def test_a_paused_study_says_so_and_waits(rosa: User, rosa_client: Client) -> None:
    study = make_room("rate", rosa, cases=[[synthetic(1)]])
    assign(study, rosa)
    for made in (study, pool(rosa)):
        Study.objects.filter(pk=made.pk).update(state="paused")
    assert [(each.is_paused, each.is_to_do) for each in assignments_of(rosa)] == [(True, False)] * 2
    assert rosa_client.get(reverse("readings:worklist")).status_code == 200


def test_both_phases_are_counted_and_the_unaware_one_comes_first(rosa: User) -> None:
    cases = [[real(1)], [synthetic(2)]]
    study = make_room("real_or_synthetic", rosa, cases=cases, has_phases=True)
    slots = assign(study, rosa, phases=[Phase.UNAWARE, Phase.AWARE])
    found = only(rosa)
    assert (found.total, found.next) == (4, slots[0].pk)
    for slot in slots[:2]:
        read(slot)
    assert (only(rosa).read, only(rosa).next) == (2, slots[2].pk)


def test_a_skipped_case_counts_as_read(rosa: User) -> None:
    slots = assign(make_room("rate", rosa, cases=[[synthetic(1)], [synthetic(2)]]), rosa)
    read(slots[0], scores=[], skip_reason="not_my_field")
    assert (only(rosa).read, only(rosa).next) == (1, slots[1].pk)


def test_bookmarks_are_listed_with_their_place(rosa: User) -> None:
    slots = assign(make_room("rate", rosa, cases=[[synthetic(n)] for n in range(3)]), rosa)
    for slot in (slots[2], slots[0]):
        Bookmark.objects.create(slot=slot)
    assert [(mark.slot, mark.position) for mark in only(rosa).bookmarks] == [
        (slots[0].pk, 1),
        (slots[2].pk, 3),
    ]


def test_bookmarks_in_a_pool_are_numbered_as_they_were_read(rosa: User) -> None:
    study = pool(rosa)
    for number in range(2):
        slot = claim(study, rosa)
        assert slot is not None
        read(slot)
        if number:
            Bookmark.objects.create(slot=slot)
    assert [mark.position for mark in only(rosa).bookmarks] == [2]


def test_the_list_says_what_is_asked_how_long_it_takes_and_until_when(
    rosa: User, rosa_client: Client
) -> None:
    study = make_room("rate", rosa, cases=[[synthetic(1)], [synthetic(2)], [synthetic(3)]])
    first, *_ = assign(study, rosa)
    Study.objects.update(due_on="2020-01-31")
    address = reverse("readings:worklist")
    page = rosa_client.get(address)
    assert "about 2 min to go, at the pace of others" in page.content.decode()
    assert "Rate one image" in page.content.decode()
    assert "Was to be read by Friday 31 January" in page.content.decode()
    seen = {"seen": page.context["seen"]}
    htmx = {"HX-Request": "true"}
    assert rosa_client.get(address, seen, headers=htmx).status_code == 204
    read(first, active_ms=90_000)
    changed = rosa_client.get(address, seen, headers=htmx).content.decode()
    assert "about 3 min to go" in changed
    assert "at the pace of others" not in changed
    assert "autofocus" not in changed
    assert "<html" not in changed


def test_nothing_is_said_of_the_second_phase_before_it(rosa: User) -> None:
    cases = [[synthetic(1)], [real(2)]]
    study = make_room("real_or_synthetic", rosa, cases=cases, has_phases=True)
    slots = assign(study, rosa, phases=[Phase.UNAWARE, Phase.AWARE])
    assert (only(rosa).shows, only(rosa).asked) == ("Rate one image", "realism")
    for slot in slots[:3]:
        read(slot)
    assert "real from synthetic" in only(rosa).shows
