"""Pairs from choices, and what is no pair: skips, repeats, confidence."""

import pytest

from feedback_app.accounts.models import User
from feedback_app.finetuning.services.marked import require_marks
from feedback_app.finetuning.services.pairs import find_pairs
from feedback_app.finetuning.services.snapshots import take_snapshot
from feedback_app.readings.services import GivenChoice, GivenFlag, GivenRegion
from feedback_app.studies.models import Phase, Slot, Study
from generation.errors import RemediableError
from tests.readings.answers import read, scores_for
from tests.readings.rooms import assign, make_room, real, synthetic

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair(rosa: User) -> Slot:
    """Two images on two criteria, shown the other way round than they are in the case."""
    cases = [[synthetic(1), synthetic(2)]]
    study = make_room("compare", rosa, cases=cases, prompt="an effusion")
    slot = assign(study, rosa)[0]
    Slot.objects.filter(pk=slot.pk).update(image_order=[1, 0])
    slot.refresh_from_db()
    return slot


def choose(slot: Slot, *verdicts: tuple[str, int | None, int | None]) -> None:
    slugs = ("realism", "fits-the-prompt")
    read(
        slot,
        choices=[
            GivenChoice(slug, verdict, place, strength)
            for slug, (verdict, place, strength) in zip(slugs, verdicts, strict=True)
        ],
    )


def gap_of(slot: Slot) -> tuple[int, float]:
    """The winner's position in its case, and how far it is ahead."""
    (found,) = find_pairs(simulated=False)
    winner = slot.case.case_images.get(image=found.winner.image_id)
    assert found.loser.image_id != found.winner.image_id
    return winner.position, round(found.winner.score - found.loser.score, 6)


@pytest.mark.parametrize(("strength", "gap"), [(1, 0.5), (2, 1.5), (3, 3.0)])
def test_a_stronger_choice_is_a_wider_gap(pair: Slot, strength: int, gap: float) -> None:
    choose(pair, ("better", 0, strength), ("better", 0, strength))
    assert gap_of(pair) == (1, gap)


def test_the_gap_is_the_mean_over_the_criteria(pair: Slot) -> None:
    choose(pair, ("better", 1, 3), ("equal", None, None))
    assert gap_of(pair) == (0, 1.5)


def test_criteria_that_disagree_are_weighed(pair: Slot) -> None:
    choose(pair, ("better", 0, 3), ("better", 1, 2))
    assert gap_of(pair) == (1, 0.75)


def test_a_pair_has_its_prompt_and_files(pair: Slot) -> None:
    choose(pair, ("better", 0, 1), ("better", 0, 1))
    preference = find_pairs(simulated=False)[0].preference
    images = pair.images_in_order()
    assert (preference.winner, preference.loser) == (images[0].blob_id, images[1].blob_id)
    assert preference.prompt == "an effusion"
    assert (preference.winner_score, preference.loser_score) == (2.75, 2.25)


@pytest.mark.parametrize(
    "verdicts",
    [
        [("equal", None, None), ("both_bad", None, None)],
        [("better", 0, 2), ("better", 1, 2)],
    ],
)
def test_no_preference_gives_no_pair(
    pair: Slot, verdicts: list[tuple[str, int | None, int | None]]
) -> None:
    choose(pair, *verdicts)
    assert find_pairs(simulated=False) == []


def test_only_the_last_revision_of_a_choice_counts(pair: Slot) -> None:
    choose(pair, ("better", 0, 3), ("better", 0, 3))
    choose(pair, ("better", 1, 1), ("better", 1, 1))
    assert gap_of(pair) == (0, 0.5)


def test_a_case_skipped_in_the_end_gives_no_pair(pair: Slot) -> None:
    choose(pair, ("better", 0, 3), ("better", 0, 3))
    read(pair, choices=[], skip_reason="recognised")
    assert find_pairs(simulated=False) == []


def rate_two(rosa: User) -> Study:
    cases = [[synthetic(n) for n in range(2)]]
    return make_room("rate_k", rosa, cases=cases)


def give_different_scores(slot: Slot) -> None:
    scores = scores_for(slot)
    read(slot, scores=[type(one)(one.place, one.criterion, one.place) for one in scores])


def test_a_repeated_reading_adds_no_second_pair(rosa: User) -> None:
    study = rate_two(rosa)
    first = assign(study, rosa)[0]
    again = Slot.objects.create(
        study=study, case=first.case, reader=rosa, position=5, repetition=1, image_order=[1, 0]
    )
    give_different_scores(again)
    assert find_pairs(simulated=False) == []
    give_different_scores(first)
    assert len(find_pairs(simulated=False)) == 1


def test_confidence_is_no_score(rosa: User) -> None:
    cases = [[synthetic(1), real(2)]]
    study = make_room("real_or_synthetic", rosa, cases=cases, has_phases=True)
    unaware, aware = assign(study, rosa, phases=[Phase.UNAWARE, Phase.AWARE])
    give_different_scores(unaware)
    assert len(find_pairs(simulated=False)) == 1
    give_different_scores(aware)
    assert len(find_pairs(simulated=False)) == 1


def test_marks_go_with_the_images_that_they_were_made_on(pair: Slot) -> None:
    """As fractions of the image, and with nothing in the line where there is no mark."""
    flag = pair.study.flag_kinds.first()
    assert flag is not None
    corners = [(0.0, 0.0), (8.0, 4.0)]
    flags = [GivenFlag(1, flag.slug, "major", [GivenRegion("box", corners)])]
    choices = [GivenChoice(slug, "better", 0, 2) for slug in ("realism", "fits-the-prompt")]
    read(pair, choices=choices, flags=flags)
    (found,) = find_pairs(simulated=False)
    image = found.loser.image_id
    width, height = pair.case.images.values_list("width", "height").get(pk=image)
    (mark,) = found.preference.loser_marks
    assert (mark.flag, mark.grade, found.preference.winner_marks) == (flag.slug, "major", ())
    assert mark.corners[2] == (round(8 / width, 6), round(4 / height, 6))
    snapshot = take_snapshot(name="Marked", simulated=False)
    lines = snapshot.blob.read()
    assert (lines.count(b'"loser_marks":'), lines.count(b'"marks":')) == (1, 1)
    assert b'"winner_marks"' not in lines
    require_marks(0.5, snapshot)
    read(pair, choices=choices)
    with pytest.raises(RemediableError, match="No reader marked"):
        require_marks(0.5, take_snapshot(name="Taken back", simulated=False))
