"""Reading in a real browser: by keyboard, by mouse, through reloads."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from feedback_app.accounts.models import User
from feedback_app.readings.models import Reading
from feedback_app.studies.models import Slot
from tests.browser.reading import (
    all_sent,
    at_case,
    expect_chosen,
    press_all,
    values_of,
)

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("committed")]

SIZES = [(1920, 1080), (1280, 800)]


def test_a_case_is_read_by_keyboard_alone(
    page: Page, slots: list[Slot], rosa: User, log_in: Callable[[User], None]
) -> None:
    log_in(rosa)
    page.goto(reverse("readings:worklist"))
    page.keyboard.press("Enter")  # the first study's button has the focus
    at_case(page, slots[0])
    press_all(page, "50413223")
    page.keyboard.press("f")
    page.keyboard.type("clav")
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("c")
    page.keyboard.type("Zebra in field 5, image F?")
    page.keyboard.press("Escape")
    page.keyboard.press("Enter")
    at_case(page, slots[1])
    all_sent(page)
    reading = Reading.objects.get()
    assert reading.slot == slots[0]
    assert values_of(reading, "realism") == [5, 4, 3, 2]
    assert values_of(reading, "fits-the-prompt") == [0, 1, 2, 3]
    flag = reading.flags.get()
    assert (flag.kind.name, flag.grade) == ("Clavicles", "major")
    assert flag.image == slots[0].images_in_order()[3]
    assert reading.comment == "Zebra in field 5, image F?"
    assert 0 < reading.active_ms < 60_000


def test_a_reload_in_the_middle_keeps_case_and_answers(room: Page, slots: list[Slot]) -> None:
    press_all(room, "512")
    room.keyboard.press("c")
    room.keyboard.type("Half way")
    room.keyboard.press("Escape")
    room.reload()
    at_case(room, slots[0])
    expect_chosen(room, ["5", "1", "2"])
    expect(room.locator("#comment-field")).to_have_value("Half way")
    press_all(room, "34433")
    room.keyboard.press("Enter")
    at_case(room, slots[1])
    all_sent(room)
    assert values_of(Reading.objects.get(), "realism") == [5, 2, 4, 3]


def test_going_back_and_revising_makes_a_second_revision(room: Page, slots: list[Slot]) -> None:
    press_all(room, "33333333")
    room.keyboard.press("Enter")
    at_case(room, slots[1])
    room.keyboard.press("z")
    at_case(room, slots[0])
    expect_chosen(room, ["3"] * 8)
    expect(room.locator("#hint")).to_have_text("Submitted")
    room.keyboard.press("0")
    expect(room.locator("#submit")).to_contain_text("Submit change")
    room.keyboard.press("Enter")
    at_case(room, slots[1])
    all_sent(room)
    first, second = Reading.objects.order_by("revision")
    assert (first.revision, values_of(first, "realism")) == (1, [3, 3, 3, 3])
    assert (second.revision, values_of(second, "realism")) == (2, [0, 3, 3, 3])


def test_going_back_without_a_change_makes_no_revision(room: Page, slots: list[Slot]) -> None:
    press_all(room, "33333333")
    room.keyboard.press("Enter")
    at_case(room, slots[1])
    room.keyboard.press("z")
    at_case(room, slots[0])
    room.keyboard.press("Enter")
    at_case(room, slots[1])
    all_sent(room)
    assert Reading.objects.count() == 1


def test_enter_on_an_incomplete_case_says_what_is_missing_and_goes_there(room: Page) -> None:
    press_all(room, "44")
    room.keyboard.press("ArrowDown")
    room.keyboard.press("Enter")
    expect(room.locator("#hint")).to_have_text("6 to score")
    expect(room.locator(".strip.wanted")).to_have_count(6)
    expect(room.locator(".strip.focused")).to_have_attribute("aria-label", "Image B: Realism")
    assert not Reading.objects.exists()


def test_arrows_and_tab_move_between_images_and_criteria(room: Page) -> None:
    focused = room.locator(".strip:focus")
    for key, label in (
        ("ArrowRight", "Image B: Realism"),
        ("ArrowDown", "Image B: Fits the prompt"),
        ("ArrowDown", "Image D: Realism"),
        ("ArrowLeft", "Image C: Realism"),
        ("ArrowUp", "Image A: Fits the prompt"),
        ("Tab", "Image B: Realism"),
        ("Shift+Tab", "Image A: Fits the prompt"),
    ):
        room.keyboard.press(key)
        expect(focused).to_have_attribute("aria-label", label)


def test_keys_are_dead_in_a_text_field_and_held_keys_score_once(room: Page) -> None:
    room.keyboard.press("c")
    room.keyboard.type("zif 012345 ?=")
    expect_chosen(room, [])
    expect(room.locator("#comment-field")).to_have_value("zif 012345 ?=")
    room.keyboard.press("Escape")
    for _ in range(5):
        room.keyboard.down("4")
    room.keyboard.up("4")
    expect_chosen(room, ["4"])


def test_the_key_map_opens_and_closes_with_its_key(room: Page) -> None:
    room.keyboard.press("?")
    expect(room.locator("#help")).to_be_visible()
    room.keyboard.press("3")
    room.keyboard.press("?")
    expect(room.locator("#help")).to_be_hidden()
    expect_chosen(room, [])


def test_everything_can_be_done_by_mouse(room: Page, slots: list[Slot]) -> None:
    for strip in room.locator(".strip").all():
        strip.locator(".cell").nth(2).click()
    room.locator(".tile").nth(1).locator(".add-flag").click()
    room.locator("#flag-picker li", has_text="Uniform noise").get_by_text("minor").click()
    room.locator("#flag-picker .close").click()
    expect(room.locator(".tile").nth(1).locator(".chip")).to_contain_text("Uniform noise")
    room.locator("#anchors button").nth(4).click()
    room.locator("#submit").click()
    at_case(room, slots[1])
    room.locator("#back").click()
    at_case(room, slots[0])
    all_sent(room)
    reading = Reading.objects.get()
    assert reading.flags.get().image == slots[0].images_in_order()[1]
    assert sorted(reading.scores.values_list("value", flat=True)) == [2] * 7 + [4]


def test_the_last_case_ends_with_thanks(room: Page, slots: list[Slot]) -> None:
    for slot in slots:
        at_case(room, slot)
        press_all(room, "33333333")
        room.keyboard.press("Enter")
    expect(room.locator("#message")).to_contain_text("All 3 cases are read")
    all_sent(room)
    assert Reading.objects.count() == 3
    room.keyboard.press("Enter")
    expect(room).to_have_url(re.compile("/read/$"))


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_four_images_fit_without_scrolling_and_nothing_moves_from_case_to_case(
    room: Page, slots: list[Slot], width: int, height: int
) -> None:
    room.set_viewport_size({"width": width, "height": height})

    def layout() -> list[Any]:
        parts = room.locator(
            ".frame, .strip, .legend button, #submit, #prompt-text, .room-head > *"
        )
        return [part.bounding_box() for part in parts.all() if part.is_visible()]

    scrolls = (
        "() => [document.scrollingElement.scrollHeight, document.scrollingElement.scrollWidth]"
    )
    assert room.evaluate(scrolls) == [height, width]
    frames = [frame.bounding_box() for frame in room.locator(".frame").all()]
    assert all(box and box["y"] + box["height"] <= height for box in frames)
    submit_box = room.locator("#submit").bounding_box()
    assert submit_box is not None
    assert submit_box["y"] + submit_box["height"] <= height
    before = layout()
    press_all(room, "33333333")
    room.keyboard.press("Enter")
    at_case(room, slots[1])
    assert layout() == before


def test_reading_time_leaves_out_hidden_tabs_and_idleness(room: Page) -> None:
    times = room.evaluate(
        """async () => {
            const { Clock } = await import('/static/js/reading/clock.js');
            let now = 0;
            const clock = new Clock(() => now);
            const sign = (kind) => window.dispatchEvent(new Event(kind));
            const hide = (hidden) => {
                Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });
                document.dispatchEvent(new Event('visibilitychange'));
            };
            const times = [];
            now += 20_000; sign('pointermove'); times.push(clock.read());   // reading
            now += 600_000; sign('keydown'); times.push(clock.read());      // away: 60 s count
            now += 5_000; hide(true); times.push(clock.read());
            now += 30_000; hide(false); times.push(clock.read());           // another tab
            now += 1_000; times.push(clock.read());
            return times;
        }"""
    )
    assert times == [20_000, 80_000, 85_000, 85_000, 86_000]
