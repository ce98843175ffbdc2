"""Every mode and the flow between cases in a real browser, by keyboard alone and by mouse alone."""

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.urls import reverse
from playwright.sync_api import Page, expect
from tests.readings.rooms import assign, let_lapse, make_room, mask_blob, pool, real, synthetic

from feedback_app.accounts.models import User
from feedback_app.readings.models import Bookmark, Choice, Reading, SkipReason
from feedback_app.studies.models import Phase, Slot, Study, StudyMode, StudyState
from tests.browser.reading import (
    address_of,
    all_sent,
    at_case,
    enter,
    expect_chosen,
    press_all,
    values_of,
    wait_for_paint,
    wait_for_pictures,
)

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("committed")]

PATIENCE_S = 15
LogIn = Callable[[User], None]


@pytest.fixture
def opened(page: Page, rosa: User, log_in: LogIn) -> Callable[..., list[Slot]]:
    """Opens a study of a mode at Rosa's first case; returns her slots."""

    def open_room(
        mode: StudyMode, *, each: int = 1, cases: int = 2, **values: object
    ) -> list[Slot]:
        images = [[synthetic(100 * case + place) for place in range(each)] for case in range(cases)]
        study = make_room(mode, rosa, cases=images, **values)  # type: ignore[arg-type]
        slots = assign(study, rosa)
        log_in(rosa)
        enter(page, slots[0])
        return slots

    return open_room


def choice(reading: Reading, criterion: str) -> Choice:
    return reading.choices.get(criterion__slug=criterion)


# Each mode by keyboard alone and by mouse alone


@pytest.mark.parametrize("each", [1, 2, 6])
def test_images_are_rated_by_keyboard_alone(
    page: Page, opened: Callable[..., list[Slot]], each: int
) -> None:
    first, second = opened(StudyMode.RATE if each == 1 else StudyMode.RATE_K, each=each)
    press_all(page, "51" * each)
    page.keyboard.press("Enter")
    at_case(page, second)
    all_sent(page)
    reading = Reading.objects.get()
    assert reading.slot == first
    assert values_of(reading, "realism") == [5] * each
    assert values_of(reading, "fits-the-prompt") == [1] * each


def test_an_image_is_rated_by_mouse_alone(page: Page, opened: Callable[..., list[Slot]]) -> None:
    _, second = opened(StudyMode.RATE)
    for strip, value in zip(page.locator(".strip").all(), (4, 0), strict=True):
        strip.locator(".cell").nth(value).click()
    page.locator("#submit").click()
    at_case(page, second)
    all_sent(page)
    assert values_of(Reading.objects.get(), "realism") == [4]


def test_two_images_are_compared_by_keyboard_alone(
    page: Page, opened: Callable[..., list[Slot]]
) -> None:
    first, second, third = opened(StudyMode.COMPARE, each=2, cases=3)
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
    first, second = opened(StudyMode.COMPARE, each=2)
    page.get_by_role("radio", name="7: B is much better").first.click()
    page.locator("#anchors").get_by_text("A is slightly better").click()
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
    study = make_room(StudyMode.REAL_OR_SYNTHETIC, rosa, cases=[[synthetic(1)], [real(2)]])
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
    study = make_room(StudyMode.REAL_OR_SYNTHETIC, rosa, cases=[[synthetic(1)]], has_phases=True)
    unaware, aware = assign(study, rosa, phases=(Phase.UNAWARE, Phase.AWARE))
    log_in(rosa)
    enter(page, unaware)
    expect(page.locator("#criterion")).to_have_text("realism")
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


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1280, 800)])
@pytest.mark.parametrize(
    ("mode", "each"),
    [(StudyMode.RATE, 1), (StudyMode.RATE_K, 5), (StudyMode.RATE_K, 6), (StudyMode.COMPARE, 2)],
)
def test_nothing_scrolls_and_nothing_moves_from_case_to_case(
    page: Page,
    opened: Callable[..., list[Slot]],
    width: int,
    height: int,
    mode: StudyMode,
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


# Flags, regions, none acceptable, undo


def test_a_flag_gets_a_region_by_mouse(page: Page, opened: Callable[..., list[Slot]]) -> None:
    first, second = opened(StudyMode.RATE)
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
    wait_for_paint(page)  # no hand lets go sooner
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
    (first, _) = opened(StudyMode.RATE)
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
    _, second = opened(StudyMode.RATE_K, each=2)
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
    opened(StudyMode.RATE_K, each=2)
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
    first, second = opened(StudyMode.RATE)
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
    _, second = opened(StudyMode.COMPARE, each=2)
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
    opened(StudyMode.RATE)
    press_all(page, "4s")
    page.keyboard.press("Escape")
    expect(page.locator("#skipping")).to_be_hidden()
    press_all(page, "2")
    expect_chosen(page, ["4", "2"])
    assert not Reading.objects.exists()


def test_a_picture_that_cannot_be_had_says_so_on_its_tile_and_the_case_can_be_skipped(
    page: Page, rosa: User, log_in: LogIn
) -> None:
    study = make_room(StudyMode.RATE_K, rosa, cases=[[synthetic(1), synthetic(2)], [synthetic(3)]])
    slots = assign(study, rosa)
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
    first, _ = opened(StudyMode.RATE)
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
    opened(StudyMode.RATE)
    page.context.set_offline(True)
    page.keyboard.press("b")
    expect(page.locator("#notice")).to_contain_text("The bookmark was not kept.")
    expect(page.locator("#bookmark")).to_have_attribute("aria-pressed", "false")


def test_a_paused_study_says_so_and_keeps_the_draft(
    page: Page, opened: Callable[..., list[Slot]]
) -> None:
    first, _ = opened(StudyMode.RATE)
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


# Pools


@pytest.fixture
def open_pool(page: Page, rosa: User, ravi: User, log_in: LogIn) -> Study:
    """Three cases, each to be read twice; Rosa is at her first."""
    study = pool(rosa, ravi)
    log_in(rosa)
    page.goto(reverse("readings:worklist"))
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#position")).to_have_text("0 read")
    return study


def held_by(reader: User) -> list[Slot]:
    return list(Slot.objects.filter(reader=reader, lease_until__isnull=False))


def test_the_next_case_of_a_pool_is_claimed_while_one_is_read(
    page: Page, open_pool: Study, rosa: User
) -> None:
    expect(page.locator(".tile")).to_have_count(1)
    wait_until_held(page, rosa, 2)


def wait_until_held(page: Page, reader: User, count: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while len(held_by(reader)) < count:
        assert time.monotonic() < deadline, f"{len(held_by(reader))} cases are held"
        page.wait_for_timeout(50)


def test_a_pool_is_read_to_its_end_with_no_case_twice(
    page: Page, open_pool: Study, rosa: User
) -> None:
    for read in range(3):
        expect(page.locator("#position")).to_have_text(f"{read} read")
        press_all(page, "33")
        page.keyboard.press("Enter")
    expect(page.locator("#message")).to_contain_text("No case is left for you in this study")
    all_sent(page)
    cases = [reading.slot.case for reading in Reading.objects.filter(reader=rosa)]
    assert len(cases) == len(set(cases)) == 3
    assert held_by(rosa) == []


def test_a_reload_in_a_pool_gives_up_no_case(page: Page, open_pool: Study, rosa: User) -> None:
    wait_until_held(page, rosa, 2)
    held = held_by(rosa)
    page.reload()
    (following,) = [slot for slot in held if str(slot.pk) not in page.url]
    wait_for_pictures(page, following)
    assert held_by(rosa) == held


def test_going_back_in_a_pool_and_on_again_leads_to_the_case_in_hand(
    page: Page, open_pool: Study
) -> None:
    first = page.url
    press_all(page, "33")
    page.keyboard.press("Enter")
    expect(page).not_to_have_url(first)
    second = page.url
    all_sent(page)
    page.keyboard.press("z")
    expect(page).to_have_url(first)
    page.keyboard.press("Enter")
    expect(page).to_have_url(second)
    expect(page.locator("#position")).to_have_text("1 read")


def test_the_heartbeat_renews_the_leases_while_the_page_is_visible(
    page: Page, rosa: User, ravi: User, log_in: LogIn
) -> None:
    page.clock.install()
    pool(rosa, ravi)
    log_in(rosa)
    page.goto(reverse("readings:worklist"))
    page.get_by_role("button", name="Start").click()
    wait_until_held(page, rosa, 2)
    before = {slot.pk: slot.lease_until for slot in held_by(rosa)}
    with page.expect_response(re.compile("/heartbeat/$")):
        page.clock.fast_forward("02:01")
    page.wait_for_load_state("networkidle")
    after = {slot.pk: slot.lease_until for slot in held_by(rosa)}
    assert all(after[slot] > before[slot] for slot in before)  # type: ignore[operator]


def test_a_case_whose_lease_ran_out_can_still_be_submitted(
    page: Page, open_pool: Study, rosa: User
) -> None:
    slot_id = page.url.rstrip("/").rsplit("/", 1)[1]
    slot = Slot.objects.get(pk=slot_id)
    Slot.objects.filter(case=slot.case, reader=None).delete()  # others have read it meanwhile
    let_lapse(slot)
    Slot.objects.filter(pk=slot.pk).update(seat=None)
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("#notice")).to_contain_text("You were away")
    press_all(page, "33")
    page.keyboard.press("Enter")
    expect(page.locator("#notice")).to_be_hidden()
    all_sent(page)
    assert Reading.objects.get().slot == slot


def test_a_case_with_a_mask_and_without_a_prompt_is_read_like_any_other(
    page: Page, rosa: User, log_in: LogIn
) -> None:
    study = make_room(StudyMode.RATE, rosa, cases=[[synthetic(1)]], prompt="", mask=mask_blob())
    (slot,) = assign(study, rosa)
    log_in(rosa)
    page.goto(address_of(slot))
    expect(page.locator("#prompt-text")).to_have_text("No prompt")
    press_all(page, "33")
    page.keyboard.press("Enter")
    all_sent(page)
    assert Reading.objects.get().slot == slot
