"""Two images in a real browser: one over the other, swapped by hand or by themselves."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from feedback_app.accounts.models import User
from tests.browser.reading import box_of, enter, make_case

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("committed")]

IS_WHOLE = """
(frame) => {
    const { left, top, width, height } = frame.getBoundingClientRect();
    return [0.1, 0.3, 0.7, 0.9].every((share) =>
        frame.contains(document.elementFromPoint(left + share * width, top + height / 2)));
}
"""
COUNT_SWAPS = """
(ms) => new Promise((done) => {
    let swaps = 0;
    const images = document.getElementById('images');
    let { shown } = images.dataset;
    const watch = new MutationObserver(() => {
        swaps += images.dataset.shown !== shown;
        ({ shown } = images.dataset);
    });
    watch.observe(images, { attributes: true, attributeFilter: ['data-shown'] });
    setTimeout(() => { watch.disconnect(); done(swaps); }, ms);
})
"""


def test_flicker_shows_one_image_over_the_other_and_swaps_them_in_place(pair: Page) -> None:
    frames = pair.locator(".frame")
    apart = box_of(frames.nth(0))
    pair.keyboard.press("x")
    expect(frames.nth(0)).to_be_visible()
    expect(frames.nth(1)).to_be_hidden()
    over = [box_of(frame) for frame in frames.all()]
    assert over[0] == over[1]
    assert over[0]["width"] > 1.9 * apart["width"]
    assert frames.nth(0).evaluate(IS_WHOLE)
    pair.keyboard.press("x")
    expect(frames.nth(1)).to_be_visible()
    expect(frames.nth(0)).to_be_hidden()
    expect(frames.nth(1).locator(".letter")).to_have_text("B")
    pair.keyboard.press("Shift+X")
    expect(frames.nth(1)).to_be_visible()
    assert box_of(frames.nth(0)) == apart


def test_the_image_that_is_scored_is_the_one_in_sight(pair: Page) -> None:
    frames = pair.locator(".frame")
    pair.locator("#flicker").click()
    pair.keyboard.press("ArrowLeft")
    expect(frames.nth(0)).to_be_visible()
    expect(pair.locator(".strip.focused")).to_have_attribute("aria-label", re.compile("Image A"))
    pair.keyboard.press("x")
    expect(frames.nth(1)).to_be_visible()
    expect(pair.locator(".strip.focused")).to_have_attribute("aria-label", re.compile("Image B"))


def test_it_swaps_by_itself_twice_a_second_until_an_image_is_scored(pair: Page) -> None:
    pair.keyboard.press("ArrowRight")
    pair.keyboard.press("a")
    expect(pair.locator("#alternate")).to_have_attribute("aria-pressed", "true")
    swaps = pair.evaluate(COUNT_SWAPS, 1_800)
    assert 3 <= swaps <= 4
    pair.keyboard.press("5")
    expect(pair.locator("#alternate")).to_have_attribute("aria-pressed", "false")
    expect(pair.locator(".frame").nth(1)).to_be_visible()  # image B is the one that was scored
    expect(pair.locator(".tile").nth(1).locator("[aria-checked=true]")).to_have_text("5")
    assert pair.evaluate(COUNT_SWAPS, 700) == 0


def test_the_other_image_is_seen_as_long_as_a_key_is_held(pair: Page) -> None:
    frames = pair.locator(".frame")
    pair.keyboard.press("x")
    for look in ("x", "Shift+X"):  # one over the other, and side by side
        pair.keyboard.down("p")
        expect(frames.nth(1)).to_be_visible()
        expect(frames.nth(0)).to_be_hidden()
        pair.keyboard.up("p")
        expect(frames.nth(0)).to_be_visible()
        pair.keyboard.press(look)
        pair.keyboard.press("ArrowLeft")
    expect(frames.nth(1)).to_be_visible()


def test_the_other_image_is_seen_as_long_as_the_button_is_held(pair: Page) -> None:
    frames = pair.locator(".frame")
    pair.keyboard.press("x")
    eye = pair.locator("#peek")
    eye.hover()
    pair.mouse.down()
    expect(frames.nth(1)).to_be_visible()
    expect(frames.nth(0)).to_be_hidden()
    pair.mouse.move(400, 400)  # the hand slips off
    expect(frames.nth(1)).to_be_visible()
    pair.mouse.up()
    expect(frames.nth(0)).to_be_visible()
    expect(frames.nth(1)).to_be_hidden()
    expect(eye).to_have_attribute("aria-pressed", "false")
    eye.focus()
    for key in ("Enter", "Space"):
        pair.keyboard.down(key)
        expect(frames.nth(1)).to_be_visible()
        pair.keyboard.up(key)
        expect(frames.nth(0)).to_be_visible()
        eye.focus()


def test_where_less_motion_is_wanted_it_asks_before_anything_moves(pair: Page) -> None:
    pair.emulate_media(reduced_motion="reduce")
    pair.keyboard.press("a")
    notice = pair.locator("#notice")
    expect(notice).to_contain_text("asks for less motion")
    assert pair.evaluate(COUNT_SWAPS, 700) == 0
    notice.get_by_role("button", name="Flicker all the same").click()
    assert pair.evaluate(COUNT_SWAPS, 1_200) >= 2
    for _ in range(2):  # off and on again: asked once
        pair.keyboard.press("a")
    expect(notice).to_be_hidden()
    expect(pair.locator("#alternate")).to_have_attribute("aria-pressed", "true")


def test_four_images_cannot_flicker(page: Page, rosa: User, log_in: Callable[[User], None]) -> None:
    log_in(rosa)
    enter(page, make_case(rosa, images=4))
    for key in "xap":
        page.keyboard.press(key)
    for button in ("#flicker", "#alternate", "#peek"):
        expect(page.locator(button)).to_be_hidden()
    for frame in page.locator(".frame").all():
        expect(frame).to_be_visible()
