"""Cases, reviewed: what readers said reaches the coordinator, and what is disputed comes first."""

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.readings.services import GivenChoice, GivenFlag, GivenRegion
from feedback_app.results.cases import by_disagreement, disagreements, find_cases, review
from tests.readings.answers import read
from tests.readings.filling import rated_study
from tests.readings.rooms import assign, make_room, real, synthetic

pytestmark = pytest.mark.django_db
BOX = GivenRegion(shape="box", points=[(4, 6), (20, 26)])


def test_the_most_disputed_case_comes_first(rosa: User, ravi: User) -> None:
    study = rated_study(rosa, ravi, scores=np.array([[3, 3], [0, 5], [2, 4]]))
    keys = by_disagreement(study, find_cases(study))
    positions = {case.pk: case.position for case in study.cases.all()}
    assert [positions[key] for key in keys] == [1, 2, 0]
    assert sorted(disagreements(study).values()) == [0, 2, 5]


def test_choices_for_opposite_images_are_as_far_apart_as_their_strengths(
    rosa: User, ravi: User
) -> None:
    study = make_room("compare", rosa, ravi, cases=[[synthetic(1), synthetic(2)]])
    for reader, strength, place_of in ((rosa, 3, 0), (ravi, 1, 1)):
        (slot,) = assign(study, reader)
        choices = [
            GivenChoice(
                criterion=criterion.slug,
                verdict="better",
                place=slot.image_order.index(place_of),
                strength=strength,
            )
            for criterion in slot.criteria()
        ]
        read(slot, choices=choices)
    assert set(disagreements(study).values()) == {4}


def test_what_was_said_is_on_the_page(cora_client: Client, rosa: User, ravi: User) -> None:
    study = make_room("rate", rosa, ravi, cases=[[synthetic(1)], [synthetic(2)]])
    first, second = assign(study, rosa)
    flag = GivenFlag(place=0, flag="noise", grade="major", regions=[BOX])
    read(first, value=4, flags=[flag], comment="Ribs end <b>nowhere</b>.")
    read(first, value=2, flags=[flag], comment="Ribs end <b>nowhere</b>.")
    read(second, scores=[], skip_reason="technical")
    page = cora_client.get(reverse("readings:results-cases", args=[study.pk])).content.decode()
    for said in (
        "Ribs end &lt;b&gt;nowhere&lt;/b&gt;.",
        "Noise, major, 1 region",
        "It does not display properly",
        "revised 1 x",
        'points="4,6 20,6 20,26 4,26"',
    ):
        assert said in page


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, [0, 1, 2]),
        ({"show": "commented"}, [0]),
        ({"show": "skipped"}, [1]),
        ({"show": "flagged"}, [2]),
        ({"show": "regions"}, [2]),
        ({"flag": "noise"}, [2]),
        ({"flag": "clavicles"}, []),
    ],
)
def test_cases_are_found_by_what_was_said(
    rosa: User, asked: dict[str, str], expected: list[int]
) -> None:
    study = make_room("rate", rosa, cases=[[synthetic(number)] for number in range(4)])
    slots = assign(study, rosa)
    read(slots[0], comment="Hm.")
    read(slots[1], scores=[], skip_reason="technical")
    read(slots[2], flags=[GivenFlag(place=0, flag="noise", grade="minor", regions=[BOX])])
    found = find_cases(study, **asked)  # type: ignore[arg-type]
    assert [case.position for case in found] == expected


def test_a_page_of_cases_asks_the_database_the_same_however_many_there_are(
    rosa: User, ravi: User, django_assert_max_num_queries: object
) -> None:
    study = rated_study(rosa, ravi, scores=np.arange(24).reshape(12, 2) % 6)
    keys = list(find_cases(study).values_list("pk", flat=True))
    with django_assert_max_num_queries(18):  # type: ignore[operator]
        assert len(review(study, keys)) == 12


def test_a_blind_study_names_no_source(cora_client: Client, rosa: User) -> None:
    images = [synthetic(1), real(2)]
    study = make_room("real_or_synthetic", rosa, cases=[[image] for image in images])
    for slot in assign(study, rosa):
        read(slot)
    page = cora_client.get(reverse("readings:results-cases", args=[study.pk])).content.decode()
    assert all(reverse("images:candidate", args=[image.pk]) not in page for image in images)
    assert "telltale" not in page
