"""Every mode and the flow between cases in a real browser, by keyboard alone and by mouse alone."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from feedback_app.accounts.models import User
from feedback_app.readings.models import Choice, Reading
from feedback_app.studies.models import Phase, Slot
from tests.browser.reading import (
    all_sent,
    at_case,
    enter,
    expect_chosen,
    press_all,
    values_of,
)
from tests.readings.rooms import assign, make_room, real, synthetic

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("committed")]

LogIn = Callable[[User], None]


def choice(reading: Reading, criterion: str) -> Choice:
    return reading.choices.get(criterion__slug=criterion)


# Each mode by keyboard alone and by mouse alone


@pytest.mark.parametrize("each", [1, 2, 6])
def test_images_are_rated_by_keyboard_alone(
    page: Page, opened: Callable[..., list[Slot]], each: int
) -> None:
    first, second = opened("rate" if each == 1 else "rate_k", each=each)
    press_all(page, "51" * each)
    page.keyboard.press("Enter")
    at_case(page, second)
    all_sent(page)
    reading = Reading.objects.get()
    assert reading.slot == first
    assert values_of(reading, "realism") == [5] * each
    assert values_of(reading, "fits-the-prompt") == [1] * each


def test_an_image_is_rated_by_mouse_alone(page: Page, opened: Callable[..., list[Slot]]) -> None:
    _, second = opened("rate")
    for strip, value in zip(page.locator(".strip").all(), (4, 0), strict=True):
        strip.locator(".cell").nth(value).click()
    page.locator("#submit").click()
    at_case(page, second)
    all_sent(page)
    assert values_of(Reading.objects.get(), "realism") == [4]


def test_two_images_are_compared_by_keyboard_alone(
    page: Page, opened: Callable[..., list[Slot]]
) -> None:
    first, second, third = opened("compare", each=2, cases=3)
    expect(page.locator(".letter")).to_have_text(["A", "B"])
    press_all(page, "26")  # A clearly, B clearly
    page.keyboard.press("Enter")
    at_case(page, second)
    press_all(page, "40")  # equal, both bad
    page.keyboard.press("Enter")
    at_case(page, third)
    all_sent(page)
    better = Reading.objects.get(slot=first)
    shown = first.images_in_order()
    assert (choice(better, "realism").image, choice(better, "realism").strength) == (shown[0], 2)
    assert choice(better, "fits-the-prompt").image == shown[1]
    neither = Reading.objects.get(slot=second)
    assert choice(neither, "realism").verdict == "equal"
    assert choice(neither, "fits-the-prompt").verdict == "both_bad"


def test_two_images_are_compared_by_mouse_alone(
    page: Page, opened: Callable[..., list[Slot]]
) -> None:
    first, second = opened("compare", each=2)
    page.get_by_role("radio", name="7: B is much better").first.click()
    page.get_by_role("radio", name="3: A is slightly better").last.click()
    page.locator("#submit").click()
    at_case(page, second)
    page.locator("#back").click()
    at_case(page, first)
    expect(page.locator(".cell[aria-checked=true]")).to_have_text(["7 B much", "3 A slightly"])
    all_sent(page)
    reading = Reading.objects.get()
    assert choice(reading, "realism").image == first.images_in_order()[1]
    assert choice(reading, "realism").strength == 3
    assert choice(reading, "fits-the-prompt").strength == 1


@pytest.fixture
def source_slots(page: Page, rosa: User, log_in: LogIn) -> list[Slot]:
    study = make_room("real_or_synthetic", rosa, cases=[[synthetic(1)], [real(2)]])
    slots = assign(study, rosa)
    log_in(rosa)
    enter(page, slots[0])
    return slots


def test_real_or_synthetic_is_answered_by_keyboard_alone_with_one_to_five(
    page: Page, source_slots: list[Slot]
) -> None:
    expect(page.locator(".prompt")).to_be_hidden()
    press_all(page, "06")  # no such steps
    expect_chosen(page, [])
    page.keyboard.press("5")
    expect(page.locator(".chosen")).to_have_text("surely synthetic")
    page.keyboard.press("Enter")
    at_case(page, source_slots[1])
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(page.locator("#message")).to_contain_text("All 2 cases are read")
    all_sent(page)
    given = [
        values_of(reading, "source")[0] for reading in Reading.objects.order_by("slot__position")
    ]
    assert given == [4, 0]


def test_real_or_synthetic_is_answered_by_mouse_alone(page: Page, source_slots: list[Slot]) -> None:
    page.locator(".cell").nth(1).click()
    page.locator("#submit").click()
    at_case(page, source_slots[1])
    page.locator("#anchors").get_by_text("open").click()
    page.locator("#submit").click()
    all_sent(page)
    given = [
        values_of(reading, "source")[0] for reading in Reading.objects.order_by("slot__position")
    ]
    assert given == [1, 2]


def test_the_aware_phase_begins_with_a_note_that_is_shown_once(
    page: Page, rosa: User, log_in: LogIn
) -> None:
    study = make_room("real_or_synthetic", rosa, cases=[[synthetic(1)]], has_phases=True)
    unaware, aware = assign(study, rosa, phases=(Phase.UNAWARE, Phase.AWARE))
    log_in(rosa)
    enter(page, unaware)
    expect(page.locator("#criterion")).to_have_text("realism")
    expect(page.locator(".prompt")).to_be_hidden()
    press_all(page, "3")
    page.keyboard.press("Enter")
    at_case(page, aware)
    expect(page.locator("#phase")).to_contain_text("some of these images are synthetic")
    page.keyboard.press("4")
    expect_chosen(page, [])
    page.keyboard.press("Enter")
    expect(page.locator("#phase")).to_be_hidden()
    page.keyboard.press("4")
    expect_chosen(page, ["4"])
    page.reload()
    at_case(page, aware)
    expect_chosen(page, ["4"])
    expect(page.locator("#phase")).to_be_hidden()
    page.keyboard.press("z")
    at_case(page, unaware)
    expect(page.locator("#hint")).to_have_text("Locked: this part is over")
    press_all(page, "5")
    expect_chosen(page, ["3"])


@pytest.mark.parametrize(
    ("mode", "each", "width", "height"),
    [
        ("rate", 1, 1280, 800),
        ("rate_k", 5, 1280, 800),
        ("rate_k", 6, 1280, 800),
        ("rate_k", 6, 1920, 1080),
        ("compare", 2, 1280, 800),
    ],
)
def test_nothing_scrolls_and_nothing_moves_from_case_to_case(
    page: Page,
    opened: Callable[..., list[Slot]],
    width: int,
    height: int,
    mode: str,
    each: int,
) -> None:
    page.set_viewport_size({"width": width, "height": height})
    _, second = opened(mode, each=each)
    element = "document.scrollingElement"
    assert page.evaluate(f"[{element}.scrollWidth, {element}.scrollHeight]") == [width, height]
    panels = (
        "Array.from(document.querySelectorAll('.panel'),"
        " (one) => one.scrollHeight - one.clientHeight)"
    )
    assert max(page.evaluate(panels)) <= 0
    parts = page.locator(".frame, .strip, .cell, .legend button, .room-head > *")
    before = [part.bounding_box() for part in parts.all()]
    press_all(page, "3" * page.locator(".strip").count())
    page.keyboard.press("Enter")
    at_case(page, second)
    assert [part.bounding_box() for part in parts.all()] == before
