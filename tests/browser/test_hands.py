"""What a reader's hands can do with the pictures, each by mouse and by keyboard."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from feedback_app.accounts.models import User
from feedback_app.readings.models import Reading
from feedback_app.studies.models import Slot
from tests.browser.reading import (
    SIDE,
    all_sent,
    at_case,
    box_of,
    drag,
    enter,
    expect_chosen,
    in_sight,
    is_pressed,
    painted,
    press_all,
    screen_point,
)
from tests.readings.rooms import assign, make_room, mask_blob, synthetic

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("committed")]

LogIn = Callable[[User], None]
Open = Callable[..., list[Slot]]


# Enlarged


def test_a_double_click_enlarges_an_image_and_another_one_goes_back(room: Page) -> None:
    before = box_of(room.locator(".frame").nth(2))
    room.locator(".frame").nth(2).dblclick()
    assert in_sight(room) == [2]
    assert box_of(room.locator(".frame").nth(2))["height"] > 1.9 * before["height"]
    canvas, frame = (
        box_of(room.locator(".frame canvas").nth(2)),
        box_of(room.locator(".frame").nth(2)),
    )
    assert canvas["height"] == pytest.approx(frame["height"], abs=1)  # it fits its larger frame
    room.keyboard.press("3")
    expect(room.locator(".tile").nth(2).locator(".cell[aria-checked=true]")).to_have_text("3")
    room.locator(".frame").nth(2).dblclick()
    assert in_sight(room) == [0, 1, 2, 3]
    assert box_of(room.locator(".frame").nth(2)) == before


def test_an_image_is_enlarged_by_key_and_follows_the_question_in_focus(room: Page) -> None:
    room.keyboard.press("e")
    assert in_sight(room) == [0]
    room.keyboard.press("ArrowRight")
    assert in_sight(room) == [1]
    room.keyboard.press("e")
    assert in_sight(room) == [0, 1, 2, 3]


def test_the_next_case_is_seen_as_a_whole(room: Page, slots: list[Slot]) -> None:
    room.locator(".enlarge").nth(1).click()
    assert in_sight(room) == [1]
    press_all(room, "33333333")
    room.keyboard.press("Enter")
    at_case(room, slots[1])
    assert in_sight(room) == [0, 1, 2, 3]


def test_an_enlarged_image_of_a_pair_ends_the_flicker(pair: Page) -> None:
    pair.keyboard.press("x")
    pair.keyboard.press("e")
    assert in_sight(pair) == [0]
    expect(pair.locator("#images")).to_have_attribute("data-layout", "side")
    pair.keyboard.press("x")
    expect(pair.locator("#images")).to_have_attribute("data-layout", "flicker")
    assert in_sight(pair) == [0, 1]


# Measured


def test_a_length_is_measured_by_mouse_under_any_zoom(pair: Page) -> None:
    canvas = pair.locator(".frame canvas").first
    pair.mouse.move(*screen_point(canvas, (256, 256)))
    pair.mouse.wheel(0, -300)
    painted(pair)
    pair.locator("#ruler").click()
    expect(pair.locator("#tool-hint")).to_contain_text("Esc puts the ruler away")
    drag(pair, screen_point(canvas, (220, 230)), screen_point(canvas, (280, 310)))
    expect(pair.locator(".ruler-label")).to_have_text("100 px")
    expect(pair.locator("#view")).to_contain_text("W 256  L 128")
    pair.locator("#ruler").click()
    expect(pair.locator(".ruler-label")).to_have_count(0)
    drag(pair, screen_point(canvas, (220, 230)), screen_point(canvas, (280, 310)))
    expect(pair.locator("#view")).not_to_contain_text("W 256  L 128")


def test_a_length_is_measured_by_keyboard(pair: Page) -> None:
    pair.keyboard.press("l")
    for _ in range(5):
        pair.keyboard.press("ArrowRight")
    pair.keyboard.press("Control+ArrowRight")
    pair.keyboard.press("Shift+ArrowDown")
    expect(pair.locator(".ruler-label")).to_have_text(f"{5 * SIDE // 64 + 1} px")
    pair.keyboard.press("3")  # an answer all the same
    expect(pair.locator(".cell[aria-checked=true]")).to_have_count(1)
    pair.keyboard.press("Escape")
    expect(pair.locator(".ruler")).to_have_count(0)
    assert not is_pressed(pair.locator("#ruler"))


# Magnified

LENS_MIDDLE = """(lens) => {
    const side = lens.width;
    return lens.getContext('2d').getImageData(side / 2, side / 2, 1, 1).data[0];
}"""


def test_the_glass_shows_on_both_images_what_is_under_it(pair: Page) -> None:
    pair.locator("#lens").click()
    canvas = pair.locator(".frame canvas").first
    x, y = screen_point(canvas, (100.5, 300.5))
    pair.mouse.move(x, y)
    painted(pair)
    expect(pair.locator(".lens")).to_have_count(2)
    for lens in pair.locator(".lens").all():
        box, frame = box_of(lens), box_of(lens.locator(".."))
        first = box_of(pair.locator(".frame").first)
        assert box["x"] + box["width"] / 2 - frame["x"] == pytest.approx(x - first["x"], abs=2)
    window = "(canvas) => canvas.getContext('2d').getImageData(98, 298, 5, 5).data"
    around = canvas.evaluate(f"(canvas) => Array.from(({window})(canvas))")[::4]
    shown = pair.locator(".lens").first.evaluate(LENS_MIDDLE)
    assert min(around) - 1 <= shown <= max(around) + 1


def test_the_glass_is_taken_and_put_away_by_key(pair: Page) -> None:
    pair.keyboard.press("g")
    expect(pair.locator(".lens")).to_have_count(2)
    pair.keyboard.press("g")
    expect(pair.locator(".lens")).to_have_count(0)


# Masks and annotations


@pytest.fixture
def masked(page: Page, rosa: User, log_in: LogIn) -> list[Slot]:
    """A study of cases with one mask each, open at the first."""
    images = [[synthetic(case)] for case in range(2)]
    study = make_room("rate", rosa, cases=images, mask=mask_blob())
    slots = assign(study, rosa)
    log_in(rosa)
    enter(page, slots[0])
    return slots


def fill_of(page: Page) -> str:
    return str(page.locator(".mask path").first.evaluate("(path) => getComputedStyle(path).fill"))


def test_a_mask_is_drawn_as_an_outline_only_and_stays_so(page: Page, masked: list[Slot]) -> None:
    page.keyboard.press("m")
    assert fill_of(page) != "none"
    page.locator("#mask-outline").click()
    assert fill_of(page) == "none"
    page.keyboard.press("Shift+m")
    assert fill_of(page) != "none"
    page.keyboard.press("Shift+m")
    page.wait_for_timeout(900)  # a change is sent once the reader pauses
    enter(page, masked[0])
    page.keyboard.press("m")
    assert fill_of(page) == "none"


def test_all_that_is_no_picture_is_hidden_and_shown_again(page: Page, masked: list[Slot]) -> None:
    page.keyboard.press("m")
    mask = page.locator(".mask")
    expect(mask).to_be_visible()
    page.keyboard.press("h")
    expect(mask).to_be_hidden()
    page.locator("#hide-annotations").click()
    expect(mask).to_be_visible()


def test_what_stays_between_cases_is_the_readers_choice(page: Page, masked: list[Slot]) -> None:
    page.keyboard.press("?")
    page.locator("#edit-keys").click()
    for label, value in [
        ("Window", "kept"),
        ("Zoom and pan", "kept"),
        ("Inversion", "reset"),
        ("A mask that is shown", "kept"),
    ]:
        page.locator("#help").get_by_label(label, exact=True).select_option(value)
    page.keyboard.press("Escape")
    for key in ["m", "i", "[", "+"]:
        page.keyboard.press(key)
    kept = page.locator("#view").text_content()
    press_all(page, "33")
    page.keyboard.press("Enter")
    at_case(page, masked[1])
    assert page.locator("#view").text_content() == kept
    expect(page.locator(".mask")).to_be_visible()
    assert not is_pressed(page.locator("#invert"))


def test_one_to_one_reads_one_to_one(pair: Page) -> None:
    pair.keyboard.press("o")
    expect(pair.locator("#view")).to_have_text("W 256  L 128  1:1")
    assert box_of(pair.locator(".frame canvas").first)["width"] == pytest.approx(SIDE, abs=0.1)
    pair.locator("#fit").click()
    expect(pair.locator("#view")).to_have_text("W 256  L 128  1.0×")


# Answers: undone and done again


def test_what_was_undone_is_done_again_by_key_and_by_mouse(room: Page) -> None:
    press_all(room, "51")
    room.keyboard.press("Control+z")
    room.keyboard.press("Control+z")
    expect_chosen(room, [])
    room.keyboard.press("Control+Shift+z")
    expect_chosen(room, ["5"])
    room.locator("#redo").click()
    expect_chosen(room, ["5", "1"])
    room.locator("#undo").click()
    room.keyboard.press("2")
    room.keyboard.press("Control+y")  # nothing is left to be done again
    expect_chosen(room, ["5", "2"])


def test_ctrl_z_can_be_given_another_meaning_but_not_a_key_of_the_browser(room: Page) -> None:
    room.keyboard.press("?")
    room.locator("#edit-keys").click()
    room.locator(".key.add[data-command=invert]").click()
    room.keyboard.press("Control+w")
    expect(room.locator("#help output")).to_have_text("Ctrl W cannot be changed.")
    room.keyboard.press("Control+i")
    expect(room.locator("#help output")).to_have_text("Ctrl I it is.")
    room.keyboard.press("Escape")
    room.keyboard.press("Control+i")
    assert is_pressed(room.locator("#invert"))


# Flags with their regions


def draw_box(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=8)
    page.wait_for_timeout(400)  # Annotorious takes a quicker drag for a click
    page.mouse.up()


def test_a_flag_gets_its_grade_and_region_in_one_trip(page: Page, opened: Open) -> None:
    first, second = opened("compare", each=2)
    page.keyboard.press("f")
    page.keyboard.type("clav")
    page.keyboard.press("Control+Shift+Enter")
    for key in ("ArrowLeft", "Enter"):
        page.keyboard.press(key)
    expect(page.locator(".chip")).to_contain_text("major ▭")
    press_all(page, "32")
    page.keyboard.press("Enter")
    at_case(page, second)
    all_sent(page)
    flag = Reading.objects.get(slot=first).flags.get()
    assert (flag.kind.slug, flag.grade, flag.regions.get().shape) == ("clavicles", "major", "box")


def test_a_further_region_leaves_the_grade_of_its_flag(page: Page, opened: Open) -> None:
    opened("rate")
    page.keyboard.press("f")
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("f")
    page.keyboard.press("Alt+Enter")
    expect(page.locator(".region-hint")).to_contain_text("click its corners")
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator(".chip")).to_contain_text("major ▭")


def test_regions_are_moved_and_removed_one_by_one_by_mouse_and_hidden(
    page: Page, opened: Open
) -> None:
    opened("rate")
    canvas = page.locator(".frame canvas")
    scale = box_of(canvas)["width"] / 32

    def at(x: float, y: float) -> tuple[float, float]:
        return box_of(canvas)["x"] + x * scale, box_of(canvas)["y"] + y * scale

    for corners in [(at(4, 6), at(10, 12)), (at(18, 16), at(28, 26))]:
        page.locator(".add-flag").click()
        row = page.locator("#flag-picker li", has_text="Clavicles")
        row.get_by_label("Clavicles: mark where, in a box").click()
        draw_box(page, *corners)
    labels = page.locator(".region-label")
    expect(labels).to_have_count(2)
    labels.first.click()
    before = box_of(page.locator(".a9s-annotation.selected .a9s-inner").first)
    draw_box(page, at(7, 9), at(12, 9))
    expect(labels.first).to_have_attribute("aria-pressed", "true")
    after = box_of(page.locator(".a9s-annotation.selected .a9s-inner").first)
    assert after["x"] - before["x"] == pytest.approx(5 * scale, abs=1.5)
    page.keyboard.press("h")
    expect(labels.first).to_be_hidden()
    page.keyboard.press("h")
    labels.first.click()
    page.get_by_role("button", name="Remove the region").first.click()
    expect(labels).to_have_count(1)
    expect(page.locator(".chip")).to_contain_text("minor ▭")


OVERLAP = """() => {
    const [picker, picture] = [document.getElementById('flag-picker'), window.flagged]
        .map((element) => element.getBoundingClientRect());
    const across = Math.min(picker.right, picture.right) - Math.max(picker.left, picture.left);
    const down = Math.min(picker.bottom, picture.bottom) - Math.max(picker.top, picture.top);
    return across > 0.5 && down > 0.5;
}"""


@pytest.mark.parametrize("mode", ["compare", "rate_k", "rate"])
def test_the_list_of_flags_covers_nothing_of_the_image_that_is_flagged(
    page: Page, opened: Open, mode: str
) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    each = {"compare": 2, "rate_k": 4, "rate": 1}[mode]
    opened(mode, each=each)
    for place in range(each):
        page.locator(".add-flag").nth(place).click()
        canvas = page.locator(".frame canvas").nth(place)
        canvas.evaluate("(canvas) => { window.flagged = canvas; }")
        assert not page.evaluate(OVERLAP)
        picker = box_of(page.locator("#flag-picker"))
        assert 0 <= picker["x"] <= picker["x"] + picker["width"] <= 1280
        page.keyboard.press("Escape")


# The page


def test_a_comparison_spells_its_scale_once(page: Page, opened: Open) -> None:
    page.set_viewport_size({"width": 1280, "height": 800})
    opened("compare", each=2)
    assert page.get_by_text(re.compile("A (is )?clearly")).filter(visible=True).count() == 2
    assert box_of(page.locator(".frame").first)["height"] > 600
    submit = box_of(page.locator("#submit"))
    assert submit["x"] + submit["width"] <= 1280
    assert submit["y"] + submit["height"] <= 800


def test_a_long_prompt_that_the_buttons_leave_little_room_unfolds(page: Page, opened: Open) -> None:
    page.set_viewport_size({"width": 1920, "height": 1080})
    prompt = "A frontal chest X-ray with a moderate left pleural effusion, mild cardiomegaly"
    opened("compare", each=2, prompt=f"{prompt} and no pneumothorax in a 62 year old woman")
    text = page.locator("#prompt-text")
    expect(text).to_have_class("long")
    text.focus()
    assert text.evaluate("(text) => text.scrollHeight <= text.clientHeight + 2")


@pytest.mark.parametrize(("mode", "each"), [("compare", 2), ("rate_k", 4)])
def test_the_page_fits_a_phone(page: Page, opened: Open, mode: str, each: int) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    opened(mode, each=each)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    submit: Any = page.locator("#submit").bounding_box()
    assert submit["x"] + submit["width"] <= 390
    page.locator(".add-flag").last.click()
    page.locator("#flag-picker li").first.get_by_text("major").click()  # nothing lies over it
    expect(page.locator(".chip")).to_contain_text("major")


def test_enter_skips_from_the_comment_too_as_the_button_says(page: Page, opened: Open) -> None:
    _, second = opened("rate")
    page.keyboard.press("s")
    page.locator("#skipping-comment").fill("A lateral view")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("of a child")
    page.keyboard.press("Enter")
    at_case(page, second)
    all_sent(page)
    assert Reading.objects.get().comment == "A lateral view\nof a child"
