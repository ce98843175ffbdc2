"""What each mode asks, and which answers it takes."""

import uuid
from typing import Any

import pytest

from feedback_app.accounts.models import User
from feedback_app.readings.models import Reading
from feedback_app.readings.services import (
    GivenChoice,
    GivenFlag,
    GivenRegion,
    GivenScore,
    InvalidReading,
    KeyAlreadyUsed,
    StudyNotOpen,
    submit,
)
from feedback_app.studies.models import Phase, Slot
from tests.readings.answers import choices_for, read, scores_for
from tests.readings.rooms import assign, make_room, real, synthetic

pytestmark = pytest.mark.django_db

BOX = GivenRegion("box", [(1.0, 2.0), (10.5, 20.25)])
TRIANGLE = GivenRegion("polygon", [(0.0, 0.0), (32.0, 0.0), (32.0, 32.0)])


@pytest.fixture
def pair(rosa: User) -> Slot:
    """Two images to compare; the second of the case is shown first."""
    images = [synthetic(101), synthetic(102)]
    study = make_room("compare", rosa, cases=[images], name="Pairs")
    slot = assign(study, rosa)[0]
    Slot.objects.filter(pk=slot.pk).update(image_order=[1, 0])
    slot.refresh_from_db()
    return slot


@pytest.fixture
def three(rosa: User) -> Slot:
    """Three images to rate."""
    images = [synthetic(number) for number in range(3)]
    return assign(make_room("rate_k", rosa, cases=[images]), rosa)[0]


@pytest.fixture
def phases(rosa: User) -> dict[str, Slot]:
    """One real image, first unaware, then aware."""
    study = make_room("real_or_synthetic", rosa, cases=[[real(1)]], has_phases=True)
    slots = assign(study, rosa, phases=[Phase.UNAWARE, Phase.AWARE])
    return {slot.phase: slot for slot in slots}


def image_at(slot: Slot, place: int) -> Any:
    return slot.case.case_images.get(position=slot.image_order[place]).image


def test_a_choice_is_stored_for_the_image_that_was_shown_there(pair: Slot) -> None:
    choices = [
        GivenChoice("realism", "better", place=0, strength=3),
        GivenChoice("fits-the-prompt", "both_bad"),
    ]
    reading = read(pair, choices=choices)
    stored = {choice.criterion.slug: choice for choice in reading.choices.all()}
    assert stored["realism"].image == pair.case.case_images.get(position=1).image
    assert stored["realism"].strength == 3
    assert stored["fits-the-prompt"].image is None


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (None, "1 of 2 choices are missing"),
        (GivenChoice("beauty", "equal"), "no comparison “beauty”"),
        (GivenChoice("fits-the-prompt", "equal"), "answered twice"),
        (GivenChoice("realism", "better", place=0), "None is no strength"),
        (GivenChoice("realism", "better", place=0, strength=4), "4 is no strength"),
        (GivenChoice("realism", "better", place=2, strength=1), "Image 2 is not in this case"),
        (GivenChoice("realism", "better", strength=1), "Image None"),
        (GivenChoice("realism", "equal", place=0), "names an image"),
        (GivenChoice("realism", "both_bad", strength=1), "names an image or a strength"),
        (GivenChoice("realism", "best"), "“best” is no verdict"),
    ],
)
def test_impossible_choices_are_refused(
    pair: Slot, choice: GivenChoice | None, message: str
) -> None:
    choices = [GivenChoice("fits-the-prompt", "equal"), *([choice] if choice else [])]
    with pytest.raises(InvalidReading, match=message):
        read(pair, choices=choices)
    assert not Reading.objects.exists()


def test_a_comparison_takes_no_scores_and_a_scale_no_choice(pair: Slot, three: Slot) -> None:
    with pytest.raises(InvalidReading, match="no criterion “realism” to be scored"):
        read(pair, scores=[GivenScore(0, "realism", 3)])
    with pytest.raises(InvalidReading, match="no comparison “realism”"):
        read(three, choices=[GivenChoice("realism", "equal")])


def test_each_phase_asks_its_own_question(phases: dict[str, Slot]) -> None:
    unaware, aware = phases[Phase.UNAWARE], phases[Phase.AWARE]
    assert [score.criterion for score in scores_for(unaware)] == ["realism"]
    assert [score.criterion for score in scores_for(aware)] == ["source"]
    read(unaware, value=5)
    with pytest.raises(InvalidReading, match="no criterion “source”"):
        read(unaware, scores=[GivenScore(0, "source", 2)])
    read(aware, value=4)


def test_a_value_over_the_anchors_is_refused(phases: dict[str, Slot]) -> None:
    with pytest.raises(InvalidReading, match="5 is no score of “source”") as refused:
        read(phases[Phase.AWARE], value=5)
    assert "0 to 4" in refused.value.remedy


def test_none_acceptable_is_stored_with_the_scores(three: Slot) -> None:
    assert read(three, none_acceptable=True).none_acceptable


def test_none_acceptable_still_needs_scores(three: Slot) -> None:
    with pytest.raises(InvalidReading, match="6 of 6 scores are missing"):
        read(three, scores=[], none_acceptable=True)


def test_none_acceptable_is_asked_of_several_images_only(pair: Slot) -> None:
    with pytest.raises(InvalidReading, match="None acceptable"):
        read(pair, none_acceptable=True)


def test_a_case_can_be_skipped_with_a_reason(three: Slot) -> None:
    flags = [GivenFlag(0, "noise", "major")]
    reading = read(three, scores=[], flags=flags, skip_reason="technical")
    assert reading.is_skipped
    assert not reading.scores.exists()
    assert reading.flags.count() == 1


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"skip_reason": "bored", "scores": []}, "no reason to skip"),
        ({"skip_reason": "technical"}, "skipped and answered"),
        ({"skip_reason": "technical", "scores": [], "none_acceptable": True}, "and answered"),
        ({"skip_reason": "other", "scores": []}, "not named"),
        ({"skip_reason": "other", "scores": [], "comment": "  "}, "not named"),
    ],
)
def test_impossible_skips_are_refused(three: Slot, parts: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidReading, match=message):
        read(three, **parts)


def test_regions_are_stored_at_their_coordinates(three: Slot) -> None:
    reading = read(three, flags=[GivenFlag(1, "noise", "minor", [BOX, TRIANGLE])])
    flag = reading.flags.get()
    assert flag.image == image_at(three, 1)
    assert {region.shape: region.points for region in flag.regions.all()} == {
        "box": [[1.0, 2.0], [10.5, 20.25]],
        "polygon": [[0.0, 0.0], [32.0, 0.0], [32.0, 32.0]],
    }


@pytest.mark.parametrize(
    ("shape", "points", "message"),
    [
        ("circle", [(1, 1), (2, 2)], "not “circle”"),
        ("box", [(1, 1)], "two points"),
        ("box", [(1, 1), (2, 2), (3, 3)], "two points"),
        ("box", [(2, 1), (1, 2)], "top left"),
        ("box", [(1, 1), (1, 2)], "top left"),
        ("box", [(1, 1), (32.01, 2)], r"\(32.01, 2\) is outside the image"),
        ("box", [(-0.01, 1), (3, 2)], "outside"),
        ("box", [(1, 1), (float("nan"), 2)], "no point"),
        ("box", [(1, 1), (True, 2)], "no point"),
        ("box", [(1, 1, 1), (2, 2, 2)], "no point"),
        ("polygon", [(1, 1), (2, 2)], "polygon of 2 points"),
        ("polygon", [(1, 1), (2, 2), (3, 3)], "no area"),
        ("polygon", [(n / 10, n % 7) for n in range(201)], "polygon of 201 points"),
    ],
)
def test_impossible_regions_are_refused(
    three: Slot, shape: str, points: list[tuple[float, float]], message: str
) -> None:
    flags = [GivenFlag(0, "noise", "minor", [GivenRegion(shape, points)])]
    with pytest.raises(InvalidReading, match=message):
        read(three, flags=flags)


def test_a_flag_has_a_bounded_number_of_regions(three: Slot) -> None:
    with pytest.raises(InvalidReading, match="33 regions"):
        read(three, flags=[GivenFlag(0, "noise", "minor", [BOX] * 33)])


def test_the_display_is_stored(three: Slot) -> None:
    display = {
        "windows": [{"level": 127.5, "width": 255, "ms": 900}],
        "max_zoom": 3.5,
        "inverted_ms": 0,
    }
    assert read(three, display=display).display == display


@pytest.mark.parametrize(
    "display",
    [
        {"eyes": "two"},
        {"windows": "all"},
        {"windows": [{"level": 1, "width": 2}]},
        {"windows": [{"level": 1, "width": 0, "ms": 3}]},
        {"windows": [{"level": "dark", "width": 5, "ms": 3}]},
        {"windows": [{"level": 1, "width": 5, "ms": 3}] * 65},
        {"max_zoom": float("inf")},
        {"max_zoom": "much"},
        {"inverted_ms": -1},
    ],
)
def test_a_display_of_another_shape_is_refused(three: Slot, display: dict[str, Any]) -> None:
    with pytest.raises(InvalidReading, match="display settings"):
        read(three, display=display)


@pytest.mark.parametrize("state", ["paused", "closed"])
def test_a_study_that_is_not_open_takes_no_reading(three: Slot, state: str) -> None:
    three.study.state = state
    three.study.save()
    with pytest.raises(StudyNotOpen, match=f"is {state}") as refused:
        read(three)
    assert "kept in your browser" in refused.value.remedy


@pytest.mark.parametrize(
    "other",
    [
        {"choices": [GivenChoice("realism", "equal"), GivenChoice("fits-the-prompt", "equal")]},
        {"flags": [GivenFlag(0, "noise", "minor")]},
        {"flags": [GivenFlag(0, "noise", "minor", [TRIANGLE])]},
        {"flags": [GivenFlag(0, "noise", "minor", [BOX, BOX])]},
        {"choices": [], "skip_reason": "technical"},
        {"comment": "Odd."},
    ],
)
def test_a_key_of_any_other_part_is_refused(pair: Slot, rosa: User, other: dict[str, Any]) -> None:
    first = {"choices": choices_for(pair), "flags": [GivenFlag(0, "noise", "minor", [BOX])]}
    key = uuid.uuid4()
    stored = submit(slot=pair, reader=rosa, idempotency_key=key, **first)  # type: ignore[arg-type]
    again = submit(slot=pair, reader=rosa, idempotency_key=key, **first)  # type: ignore[arg-type]
    assert again == stored
    with pytest.raises(KeyAlreadyUsed):
        submit(slot=pair, reader=rosa, idempotency_key=key, **first | other)  # type: ignore[arg-type]
    assert Reading.objects.count() == 1
