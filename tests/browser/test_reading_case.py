"""What may be done with a case beside answering it: flags, skips, undo, bookmarks."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.urls import reverse
from playwright.sync_api import Page, expect

from feedback_app.accounts.models import User
from feedback_app.readings.models import Bookmark, Reading, SkipReason
from feedback_app.studies.models import Slot, Study, StudyState
from tests.browser.reading import (
    address_of,
    all_sent,
    at_case,
    enter,
    expect_chosen,
    press_all,
    values_of,
)
from tests.readings.rooms import assign, make_room, mask_blob, synthetic

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("committed")]

LogIn = Callable[[User], None]


# Flags, regions, none acceptable, undo


def test_a_flag_gets_a_region_by_mouse(page: Page, opened: Callable[..., list[Slot]]) -> None:
    first, second = opened("rate")
    page.locator(".add-flag").click()
    row = page.locator("#flag-picker li", has_text="Clavicles")
    row.get_by_label("Clavicles: mark where, in a box").click()
    expect(page.locator(".region-hint")).to_contain_text("drag a box")
    canvas = page.locator(".frame canvas").bounding_box()
    assert canvas is not None
    scale = canvas["width"] / 32
    page.mouse.move(canvas["x"] + 8 * scale, canvas["y"] + 4 * scale)
    page.mouse.down()
    page.mouse.move(canvas["x"] + 20 * scale, canvas["y"] + 12 * scale, steps=8)
    page.wait_for_timeout(400)  # Annotorious takes a quicker drag for a click
    page.mouse.up()
    expect(page.locator(".chip")).to_contain_text("minor ▭")
    press_all(page, "33")
    page.keyboard.press("Enter")
    at_case(page, second)
    all_sent(page)
    region = Reading.objects.get(slot=first).flags.get().regions.get()
    assert region.shape == "box"
    assert region.points == [pytest.approx([8, 4], abs=0.1), pytest.approx([20, 12], abs=0.1)]


def test_taking_off_a_flag_takes_off_its_regions(
    page: Page, opened: Callable[..., list[Slot]]
) -> None:
    (first, _) = opened("rate")
    beside = page.context.new_page()
    beside.goto(reverse("readings:worklist"))
    beside.evaluate(
        """async (slot) => {
            const { keepDraft } = await import('/static/js/reading/answers.js');
            const region = { shape: 'box', points: [[1, 2], [5, 9]] };
            const flags = [{ place: 0, flag: 'clavicles', grade: 'major', regions: [region] }];
            keepDraft(slot, { scores: [], choices: [], flags, comment: '' });
        }""",
        str(first.pk),
    )
    expect(page.locator(".chip")).to_contain_text("major ▭")
    page.locator(".chip").click()
    expect(page.locator(".chip")).to_have_count(0)
    page.keyboard.press("u")
    expect(page.locator(".chip")).to_contain_text("major ▭")


def test_none_acceptable_is_said_beside_the_scores(
    page: Page, opened: Callable[..., list[Slot]]
) -> None:
    _, second = opened("rate_k", each=2)
    page.keyboard.press("n")
    expect(page.locator("#none")).to_have_attribute("aria-pressed", "true")
    press_all(page, "0011")
    page.keyboard.press("Enter")
    at_case(page, second)
    expect(page.locator("#none")).to_have_attribute("aria-pressed", "false")
    all_sent(page)
    assert Reading.objects.get().none_acceptable


def test_undo_takes_back_one_change_after_the_other(
    page: Page, opened: Callable[..., list[Slot]]
) -> None:
    opened("rate_k", each=2)
    press_all(page, "512")
    page.keyboard.press("n")
    page.keyboard.press("u")
    expect(page.locator("#none")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("u")
    expect_chosen(page, ["5", "1"])
    expect(page.locator(".strip.focused")).to_have_attribute("aria-label", "Image B: realism")
    page.locator("#undo").click()
    expect_chosen(page, ["5"])
    press_all(page, "uuu")
    expect_chosen(page, [])


# Skipping


def test_a_case_is_skipped_by_keyboard_alone_and_can_be_read_after_all(
    page: Page, opened: Callable[..., list[Slot]]
) -> None:
    first, second = opened("rate")
    press_all(page, "4s")
    expect(page.locator("#skipping")).to_be_visible()
    page.keyboard.press("2")
    page.keyboard.press("Enter")
    at_case(page, second)
    all_sent(page)
    skipped = Reading.objects.get()
    assert skipped.skip_reason == SkipReason.NOT_MY_FIELD
    assert not skipped.scores.exists()
    page.keyboard.press("z")
    at_case(page, first)
    expect(page.locator("#hint")).to_have_text("Skipped")
    press_all(page, "33")
    page.keyboard.press("Enter")
    at_case(page, second)
    all_sent(page)
    last = Reading.objects.get(revision=2)
    assert (last.skip_reason, values_of(last, "realism")) == ("", [3])


def test_another_reason_to_skip_needs_a_comment(
    page: Page, opened: Callable[..., list[Slot]]
) -> None:
    _, second = opened("compare", each=2)
    page.locator("#skip").click()
    page.get_by_text("Another reason, in the comment").click()
    page.get_by_role("button", name="Skip the case").click()
    expect(page.locator("#skipping .lack")).to_have_text("Say in the comment why.")
    page.locator("#skipping-comment").fill("Both are lateral views")
    page.get_by_role("button", name="Skip the case").click()
    at_case(page, second)
    all_sent(page)
    reading = Reading.objects.get()
    assert (reading.skip_reason, reading.comment) == ("other", "Both are lateral views")


def test_escape_leaves_the_skip_dialog_and_the_case_as_it_was(
    page: Page, opened: Callable[..., list[Slot]]
) -> None:
    opened("rate")
    press_all(page, "4s")
    page.keyboard.press("Escape")
    expect(page.locator("#skipping")).to_be_hidden()
    press_all(page, "2")
    expect_chosen(page, ["4", "2"])
    assert not Reading.objects.exists()


def test_a_picture_that_cannot_be_had_says_so_on_its_tile_and_the_case_can_be_skipped(
    page: Page, rosa: User, log_in: LogIn
) -> None:
    study = make_room("rate_k", rosa, cases=[[synthetic(71), synthetic(72)], [synthetic(73)]])
    slots = assign(study, rosa)
    # These images are of this test alone: what was rendered once is remembered by its bytes.
    damaged = slots[0].images_in_order()[1].blob
    Path(default_storage.path(damaged.path)).write_bytes(b"no picture at all")
    log_in(rosa)
    enter(page, slots[0])
    trouble = page.locator(".picture-trouble")
    expect(trouble).to_have_count(1)
    expect(trouble).to_contain_text("This picture cannot be shown.")
    expect(page.locator("#message")).to_be_hidden()
    press_all(page, "4")
    expect_chosen(page, ["4"])
    trouble.get_by_role("button", name="Skip the case").click()
    expect(page.get_by_label("It does not display properly")).to_be_checked()
    page.keyboard.press("Enter")
    at_case(page, slots[1])
    all_sent(page)
    assert Reading.objects.get().skip_reason == SkipReason.TECHNICAL


# Bookmarks, paused studies, the mask


def test_a_bookmark_is_kept_and_found_again_on_the_work_list(
    page: Page, opened: Callable[..., list[Slot]]
) -> None:
    first, _ = opened("rate")
    star = page.locator("#bookmark")
    with page.expect_response(re.compile("/bookmark/$")):
        page.keyboard.press("b")
    expect(star).to_have_attribute("aria-pressed", "true")
    assert Bookmark.objects.get().slot == first
    page.goto(reverse("readings:worklist"))
    page.get_by_role("link", name="case 1").click()
    at_case(page, first)
    expect(star).to_have_attribute("aria-pressed", "true")
    with page.expect_response(re.compile("/bookmark/$")):
        star.click()
    expect(star).to_have_attribute("aria-pressed", "false")
    assert not Bookmark.objects.exists()


def test_a_bookmark_that_the_server_does_not_get_is_taken_back(
    page: Page, opened: Callable[..., list[Slot]]
) -> None:
    opened("rate")
    page.context.set_offline(True)
    page.keyboard.press("b")
    expect(page.locator("#notice")).to_contain_text("The bookmark was not kept.")
    expect(page.locator("#bookmark")).to_have_attribute("aria-pressed", "false")


def test_a_paused_study_says_so_and_keeps_the_draft(
    page: Page, opened: Callable[..., list[Slot]]
) -> None:
    first, _ = opened("rate")
    press_all(page, "4")
    Study.objects.update(state=StudyState.PAUSED)
    press_all(page, "2")
    page.keyboard.press("Enter")
    expect(page.locator("#notice")).to_contain_text("The reading of case 1 was not taken.")
    page.get_by_role("button", name="Show the case").click()
    at_case(page, first)
    expect(page.locator("#notice")).to_contain_text("This study is paused.")
    expect(page.locator("#hint")).to_have_text("This study is paused")
    expect_chosen(page, ["4", "2"])
    press_all(page, "5")
    expect_chosen(page, ["4", "2"])
    Study.objects.update(state=StudyState.OPEN)
    page.reload()
    at_case(page, first)
    expect_chosen(page, ["4", "2"])
    page.keyboard.press("Enter")
    all_sent(page)
    assert values_of(Reading.objects.get(), "realism") == [4]


def test_a_case_with_a_mask_and_without_a_prompt_is_read_like_any_other(
    page: Page, rosa: User, log_in: LogIn
) -> None:
    study = make_room("rate", rosa, cases=[[synthetic(1)]], prompt="", mask=mask_blob())
    (slot,) = assign(study, rosa)
    log_in(rosa)
    page.goto(address_of(slot))
    expect(page.locator(".prompt")).to_be_hidden()
    press_all(page, "33")
    page.keyboard.press("Enter")
    all_sent(page)
    assert Reading.objects.get().slot == slot
