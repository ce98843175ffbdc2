"""Cases, reviewed: what readers said reaches the coordinator, and what is disputed comes first."""

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from feedback_app.accounts.models import User
from feedback_app.readings.services import GivenChoice, GivenFlag, GivenRegion
from feedback_app.results.cache import disagreements_of
from feedback_app.results.cases import by_disagreement, disagreements, find_cases
from feedback_app.results.reviewed import review
from feedback_app.studies.models import GoldAnswer, Study
from feedback_app.studies.services import close_study, unblind_study
from tests.readings.answers import choices_for, read
from tests.readings.filling import rated_study
from tests.readings.rooms import assign, make_room, real, synthetic

pytestmark = pytest.mark.django_db
BOX = GivenRegion(shape="box", points=[(4, 6), (20, 26)])


def test_the_most_disputed_case_comes_first(rosa: User, ravi: User) -> None:
    study = rated_study(rosa, ravi, scores=np.array([[3, 3], [0, 5], [2, 4]]))
    assert by_disagreement(find_cases(study), disagreements_of(study)) == [1, 2, 0]
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
    (reviewed,) = review(study, [study.cases.get().pk])
    assert reviewed.verdicts == tuple(
        f"{criterion.name}: A better 1, B better 1" for criterion in study.criteria.all()
    )


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
    address = reverse("readings:results-cases", args=[study.pk])
    page = cora_client.get(address).content.decode()
    assert all(reverse("images:candidate", args=[image.pk]) not in page for image in images)
    assert "telltale" not in page
    assert "right" not in [case.verdicts for case in cora_client.get(address).context["cases"]]
    assert "Into a new study" not in page
    close_study(study)
    unblind_study(study, actor=None)
    cases = cora_client.get(address).context["cases"]
    assert [case.verdicts for case in cases] == [
        ("said synthetic 1 · 1 of 1 right",),
        ("said synthetic 1 · 0 of 1 right",),
    ]


def test_views_of_cases_are_kept_and_ticked_ones_go_on(
    cora_client: Client, rosa: User, ravi: User
) -> None:
    study = rated_study(rosa, ravi, scores=np.array([[3, 3], [0, 5], [2, 4]]))
    address = reverse("readings:results-cases", args=[study.pk])
    kept = f"{address}?order=disagreement&show=flagged"
    cora_client.post(kept, {"action": "keep-view", "name": "Flagged first"})
    page = cora_client.get(
        address, {"order": "disagreement", "number": "2", "reader": str(rosa.pk)}
    )
    assert [view.name for view in page.context["views"]] == ["Flagged first"]
    assert [reviewed.case.position for reviewed in page.context["cases"]] == [1]
    page = cora_client.get(address, {"order": "disagreement"})
    assert [reviewed.case.position for reviewed in page.context["cases"]] == [1, 2, 0]
    third = page.context["cases"][1].case
    answer = cora_client.post(address, {"action": "study", "pick": [third.pk]})
    assert answer["Location"] == reverse("studies:picked")
    picked = [str(one) for one in third.images.values_list("pk", flat=True)]
    assert cora_client.session["picked_candidates"] == picked


def test_a_missed_gold_answer_is_found(rosa: User) -> None:
    study = make_room("rate", rosa, cases=[[synthetic(number)] for number in range(3)])
    criterion = study.criteria.earliest("position")
    for case, value, slot in zip(study.cases.all(), (1, 3, 5), assign(study, rosa), strict=True):
        image = case.images.get()
        GoldAnswer.objects.create(case=case, criterion=criterion, image=image, least=2, most=4)
        read(slot, value=value)
    missed = find_cases(study, show="gold_missed")
    assert [case.position for case in missed] == [0, 2]


def test_which_images_are_real_is_no_answer_that_a_blind_study_finds_missed(rosa: User) -> None:
    study = make_room("real_or_synthetic", rosa, cases=[[synthetic(1)]])
    (case,), (slot,) = study.cases.all(), assign(study, rosa)
    GoldAnswer.objects.create(
        case=case, criterion=study.criteria.get(), image=case.images.get(), least=4, most=4
    )
    read(slot, value=0)
    assert not find_cases(study, show="gold_missed").exists()
    study.unblinded_at = timezone.now()
    assert find_cases(study, show="gold_missed").exists()


def test_a_chosen_image_that_is_not_the_gold_one_is_a_miss(rosa: User) -> None:
    cases = [[synthetic(1), synthetic(2)], [synthetic(3), synthetic(4)]]
    study = make_room("compare", rosa, cases=cases)
    for case, slot in zip(study.cases.all(), assign(study, rosa), strict=True):
        first = case.case_images.get(position=0).image
        GoldAnswer.objects.create(
            case=case, criterion=study.criteria.earliest("position"), image=first
        )
        chosen = slot.image_order.index(case.position)  # the first image, then the second one
        read(slot, choices=choices_for(slot, place=chosen))
    assert [case.position for case in find_cases(study, show="gold_missed")] == [1]


def test_a_candidates_page_has_what_was_said_of_it_where_that_is_not_blind(
    cora_client: Client, rosa: User
) -> None:
    image = synthetic(1)
    rated = make_room("rate", rosa, cases=[[image], [synthetic(2)]], name="Rated")
    blind = make_room("real_or_synthetic", rosa, cases=[[image]], name="Blind")
    for study in (rated, blind):
        for slot in assign(study, rosa):
            read(slot, comment=f"Said in {study.name}, {slot.case.position}.")
    address = reverse("readings:results-candidate", args=[image.pk])
    page = cora_client.get(address).content.decode()
    assert "Said in Rated, 0." in page
    assert "Said in Rated, 1." not in page
    assert "Said in Blind" not in page
    Study.objects.update(unblinded_at=timezone.now())
    page = cora_client.get(address).content.decode()
    assert "Said in Blind, 0." in page
    assert "rather synthetic" in page


@pytest.mark.parametrize("mode", ["compare", "real_or_synthetic"])
def test_images_have_votes_where_nothing_is_scored(
    cora_client: Client, rosa: User, ravi: User, mode: str
) -> None:
    images = [synthetic(1), synthetic(2)][: 2 if mode == "compare" else 1]
    study = make_room(mode, rosa, ravi, cases=[images], unblinded_at=timezone.now())
    for reader in (rosa, ravi):
        (slot,) = assign(study, reader)
        place = slot.image_order.index(0)
        read(slot, choices=choices_for(slot, place=place))
    answer = cora_client.get(reverse("readings:results-images", args=[study.pk]))
    votes = [image.votes for image in answer.context["images"]]
    if mode == "compare":
        assert votes == [("won 2", "won 2"), ("lost 2", "lost 2")]
    else:
        assert votes == [("rather synthetic 2",)]
    assert {image.readings for image in answer.context["images"]} == {2}
    assert "telltale-model" in answer.content.decode()
