"""Studies of reports in a real browser, by keyboard alone: a draft corrected, two compared."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from feedback_app.accounts.models import User
from feedback_app.readings.models import Reading
from feedback_app.studies.models import Slot
from tests.browser.reading import all_sent, at_case, enter, press_all
from tests.readings.rooms import assign, make_room, synthetic

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("committed")]

DRAFT = "Heart size is normal. Small effusion."
TEXTS = [("model", DRAFT), ("cohort", "No effusion.")]


def open_room(mode: str, rosa: User, *, texts: int) -> list[Slot]:
    images = [[synthetic(1)], [synthetic(2)], [synthetic(3)]]
    return assign(make_room(mode, rosa, cases=images, texts=TEXTS[:texts]), rosa)


def test_a_draft_is_corrected_undone_and_accepted_by_keyboard_alone(
    page: Page, rosa: User, log_in: Callable[[User], None]
) -> None:
    first, second, third = open_room("write_report", rosa, texts=1)
    log_in(rosa)
    enter(page, first)
    field = page.get_by_role("textbox", name="Report")
    expect(field).to_have_value(DRAFT)
    expect(page.locator("#hint")).to_have_text("1 to answer")
    page.keyboard.press("w")
    expect(field).to_be_focused()
    page.keyboard.press("Control+End")
    page.keyboard.type(" 1 cm zsfbc")  # digits and letters are text here, not commands
    expect(field).to_have_value(f"{DRAFT} 1 cm zsfbc")
    page.keyboard.press("Escape")
    expect(field).not_to_be_focused()
    press_all(page, "34u2")  # location, severity, which is undone, missed
    pressed = page.locator("#anchors button[aria-pressed=true]")
    expect(pressed).to_have_text(["2 Missed finding", "3 Wrong location"])
    page.reload()
    expect(field).to_have_value(f"{DRAFT} 1 cm zsfbc")
    expect(pressed).to_have_count(2)
    page.context.set_offline(True)
    page.keyboard.press("w")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#status")).to_contain_text("Offline · 1 kept")
    page.context.set_offline(False)
    at_case(page, second)
    all_sent(page)
    page.keyboard.press("Enter")  # nothing was said of the draft
    expect(page.locator(".report-pane")).to_contain_text("correct it, or accept it with 0")
    page.keyboard.press("0")
    page.keyboard.press("Enter")
    at_case(page, third)
    page.keyboard.press("z")
    at_case(page, second)
    page.keyboard.press("w")
    page.keyboard.press("Control+A")
    page.keyboard.type("No effusion.")
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    at_case(page, third)
    all_sent(page)
    report = Reading.objects.get(slot=first).report
    assert (report.text, report.reasons) == (
        f"{DRAFT} 1 cm zsfbc",
        ["missed_finding", "wrong_location"],
    )
    accepted, revised = Reading.objects.filter(slot=second).order_by("revision")
    assert accepted.report.is_accepted
    assert (revised.report.text, revised.report.reasons) == ("No effusion.", ["false_finding"])


def test_two_reports_are_compared_by_keyboard_alone(
    page: Page, rosa: User, log_in: Callable[[User], None]
) -> None:
    first, second, _ = open_room("compare_reports", rosa, texts=2)
    log_in(rosa)
    enter(page, first)
    left, right = (text.text for text in first.texts_in_order())
    expect(page.get_by_role("article", name="Left report")).to_contain_text(left)
    expect(page.get_by_role("article", name="Right report")).to_contain_text(right)
    page.keyboard.press("4")  # right by 5, and on to the next criterion
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    checked = page.locator(".cell[aria-checked=true]")
    expect(checked.nth(0)).to_have_attribute("aria-label", "Right better by 6")
    expect(checked.nth(1)).to_have_attribute("aria-label", "Left better by 3")
    page.keyboard.press("u")
    expect(checked.nth(0)).to_have_attribute("aria-label", "Right better by 5")
    page.keyboard.press("Enter")
    at_case(page, second)
    all_sent(page)
    reading = Reading.objects.get()
    points = {one.criterion.slug: one.points for one in reading.preferences.all()}
    assert points == {"completeness": 5, "correctness": -3}
