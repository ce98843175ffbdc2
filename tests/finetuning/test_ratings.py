"""Rated images: scores by axis, and what was accepted or rejected outright."""

import uuid

import pytest

from feedback_app.accounts.models import User
from feedback_app.finetuning.services.image_means import axis_of
from feedback_app.finetuning.services.pairs import find_pairs
from feedback_app.finetuning.services.ratings import find_ratings
from feedback_app.finetuning.services.snapshots import write_lines
from feedback_app.readings.services import GivenChoice, GivenScore, submit
from feedback_app.studies.models import CriterionKind, Slot, Study
from tests.readings.answers import read, scores_for
from tests.readings.rooms import assign, make_room, synthetic

pytestmark = pytest.mark.django_db


@pytest.fixture
def rated(rosa: User) -> Study:
    return make_room("rate_k", rosa, cases=[[synthetic(n) for n in range(2)]], prompt="p")


@pytest.fixture
def compared(rosa: User) -> Slot:
    cases = [[synthetic(1), synthetic(2)]]
    return assign(make_room("compare", rosa, cases=cases, prompt="p"), rosa)[0]


def give(slot: Slot, by_slug: dict[str, tuple[int, int]], **options: object) -> None:
    """Scores of the two images for each criterion."""
    assert slot.reader is not None
    submit(
        slot=slot,
        reader=slot.reader,
        idempotency_key=uuid.uuid4(),
        scores=[
            GivenScore(place, slug, values[place])
            for slug, values in by_slug.items()
            for place in range(2)
        ],
        **options,  # type: ignore[arg-type]
    )


def choose(slot: Slot, *verdicts: tuple[str, int | None, int | None]) -> None:
    slugs = ("realism", "fits-the-prompt")
    read(slot, choices=[GivenChoice(s, *v) for s, v in zip(slugs, verdicts, strict=True)])


def verdicts() -> list[bool | None]:
    return [found.is_accepted for found in find_ratings(simulated=False)]


def test_a_criterion_about_the_mask_has_an_axis_of_its_own(rated: Study, rosa: User) -> None:
    rated.criteria.create(
        position=9, kind=CriterionKind.ORDINAL, slug="fits-the-mask", name="Fits the mask",
        question="?", anchors=["a"] * 6,
    )  # fmt: skip
    slot = assign(rated, rosa)[0]
    give(slot, {"realism": (4, 1), "fits-the-prompt": (5, 2), "fits-the-mask": (0, 3)})
    ratings = {found.seen.image_id: found.rating.scores for found in find_ratings(simulated=False)}
    first, second = slot.images_in_order()
    assert ratings == {first.pk: {"text": 4.5, "mask": 0}, second.pk: {"text": 1.5, "mask": 3}}
    (pair,) = find_pairs(simulated=False)
    assert pair.preference.axes == {"text": (4.5, 1.5), "mask": (0, 3)}
    assert (pair.winner.score, pair.loser.score) == (3, 2)


@pytest.mark.parametrize(
    ("slug", "axis"),
    [("fits-the-mask", "mask"), ("realism", "text"), ("unmasked", "text"), ("mask", "mask")],
)
def test_the_slug_tells_the_axis(slug: str, axis: str) -> None:
    assert axis_of(slug) == axis


def test_ties_and_single_images_are_rated_too(rated: Study, rosa: User) -> None:
    give(assign(rated, rosa)[0], {"realism": (3, 3), "fits-the-prompt": (3, 3)})
    assert find_pairs(simulated=False) == []
    found = find_ratings(simulated=False)
    assert [one.rating.scores for one in found] == [{"text": 3}, {"text": 3}]
    assert verdicts() == [None, None]


def test_none_acceptable_rejects_every_image_of_the_case(rated: Study, rosa: User) -> None:
    slot = assign(rated, rosa)[0]
    give(slot, {"realism": (3, 1), "fits-the-prompt": (3, 1)}, none_acceptable=True)
    assert verdicts() == [False, False]


def test_repeats_and_skipped_cases_teach_nothing(rated: Study, rosa: User) -> None:
    first = assign(rated, rosa)[0]
    again = Slot.objects.create(
        study=rated, case=first.case, reader=rosa, position=5, repetition=1, image_order=[1, 0]
    )
    read(again, scores=scores_for(again))
    assert find_ratings(simulated=False) == []


def test_both_bad_on_a_criterion_rejects_both(compared: Slot) -> None:
    choose(compared, ("both_bad", None, None), ("better", 0, 3))
    assert verdicts() == [False, False]


@pytest.mark.parametrize(("strength", "count"), [(1, 0), (2, 2), (3, 2)])
def test_a_clear_choice_accepts_one_and_rejects_the_other(
    compared: Slot, strength: int, count: int
) -> None:
    choose(compared, ("better", 1, strength), ("better", 1, strength))
    found = find_ratings(simulated=False)
    assert len(found) == count
    if found:
        better = compared.images_in_order()[1].pk
        assert {one.seen.image_id: one.is_accepted for one in found}[better] is True
        assert sum(bool(one.is_accepted) for one in found) == 1
        assert all(one.rating.scores == {} for one in found)


def test_a_pair_is_written_as_it_always_was(compared: Slot) -> None:
    choose(compared, ("better", 0, 1), ("better", 0, 1))
    winner, loser = compared.images_in_order()
    assert write_lines(find_pairs(simulated=False), [], reliability={}).decode() == (
        f'{{"loser":"{loser.blob_id}","loser_score":2.25,"prompt":"p","reliability":1.0,'
        f'"winner":"{winner.blob_id}","winner_score":2.75}}\n'
    )
