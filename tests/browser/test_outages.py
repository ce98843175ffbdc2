"""Nothing read is lost: outages, other tabs, refusals, lost sessions."""

import uuid
from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, Route, expect

from feedback_app.accounts.models import User
from feedback_app.readings.models import Reading
from feedback_app.readings.services import submit
from feedback_app.studies.models import Slot, Study
from feedback_app.studies.services import close_study
from tests.browser.reading import (
    address_of,
    all_sent,
    at_case,
    enter,
    expect_chosen,
    press_all,
    values_of,
    wait_for_pictures,
)
from tests.readings.answers import scores_for

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("committed")]

SIZES = [(1920, 1080), (1280, 800)]


def readings_of(page: Page, handler: Callable[[Route], None]) -> None:
    page.route("**/api/slots/*/readings/", handler)


def test_a_reading_submitted_offline_is_kept_and_sent_once_when_the_server_is_back(
    room: Page, slots: list[Slot]
) -> None:
    wait_for_pictures(room, slots[2])
    room.context.set_offline(True)
    press_all(room, "44444444")
    room.keyboard.press("Enter")
    at_case(room, slots[1])  # it was fetched before, as was the one after it
    expect(room.locator("#status")).to_have_text("Offline · 1 kept")
    press_all(room, "22222222")
    room.keyboard.press("Enter")
    expect(room.locator("#status")).to_have_text("Offline · 2 kept")
    at_case(room, slots[2])
    assert not Reading.objects.exists()
    room.context.set_offline(False)
    all_sent(room)
    at_case(room, slots[2])
    stored = Reading.objects.order_by("created_at")
    assert [reading.slot for reading in stored] == slots[:2]
    assert values_of(stored[0], "realism") == [4] * 4


def test_an_unsent_reading_survives_closing_the_page(room: Page, slots: list[Slot]) -> None:
    readings_of(room, lambda route: route.abort())
    press_all(room, "55555555")
    room.keyboard.press("Enter")
    expect(room.locator("#status")).to_have_text("Offline · 1 kept")
    room.close()
    page = room.context.new_page()
    enter(page, slots[0])
    expect_chosen(page, ["5"] * 8)
    all_sent(page)
    assert Reading.objects.get().slot == slots[0]


def test_the_work_list_sends_what_the_reading_page_could_not(room: Page, slots: list[Slot]) -> None:
    readings_of(room, lambda route: route.abort())
    press_all(room, "55555555")
    room.keyboard.press("Enter")
    expect(room.locator("#status")).to_have_text("Offline · 1 kept")
    room.goto(reverse("readings:worklist"))
    kept = room.locator("#kept")
    expect(kept).to_have_text(
        "One reading is kept in this browser until the server can be reached again."
    )
    assert not Reading.objects.exists()
    room.unroute_all()
    expect(room.get_by_text("1 of 3 cases read")).to_be_visible()
    expect(kept).to_be_hidden()
    assert Reading.objects.get().slot == slots[0]


def test_the_work_list_tells_of_a_reading_that_was_not_taken(
    room: Page, study: Study, slots: list[Slot]
) -> None:
    readings_of(room, lambda route: route.abort())
    press_all(room, "55555555")
    room.keyboard.press("Enter")
    expect(room.locator("#status")).to_have_text("Offline · 1 kept")
    close_study(study)
    room.unroute_all()
    room.goto(reverse("readings:worklist"))
    kept = room.locator("#kept")
    expect(kept).to_contain_text("The reading of case 1 was not taken.")
    kept.get_by_text("Show the case").click()
    at_case(room, slots[0])
    expect_chosen(room, ["5"] * 8)


def test_two_tabs_keep_what_each_of_them_submitted(room: Page, slots: list[Slot]) -> None:
    other = room.context.new_page()
    enter(other, slots[2])
    for page in (room, other):
        readings_of(page, lambda route: route.abort())
    for page in (room, other):
        press_all(page, "44444444")
        page.keyboard.press("Enter")
        expect(page.locator("#status")).to_contain_text("kept")
    expect(room.locator("#status")).to_have_text("Offline · 2 kept")
    room.unroute_all()
    all_sent(room)
    assert {reading.slot for reading in Reading.objects.all()} == {slots[0], slots[2]}
    assert Reading.objects.count() == 2


def test_a_draft_gives_way_to_a_reading_submitted_elsewhere(
    room: Page, slots: list[Slot], rosa: User
) -> None:
    press_all(room, "55")
    submit(
        slot=slots[0],
        reader=rosa,
        idempotency_key=uuid.uuid4(),
        scores=scores_for(slots[0], value=1),
    )
    room.reload()
    at_case(room, slots[0])
    expect_chosen(room, ["1"] * 8)


def test_a_reading_whose_answer_was_lost_is_stored_once(room: Page, slots: list[Slot]) -> None:
    lost: list[int] = []

    def lose_the_first_answer(route: Route) -> None:
        if lost:
            route.continue_()
            return
        lost.append(route.fetch().status)
        route.abort()

    readings_of(room, lose_the_first_answer)
    press_all(room, "44444444")
    room.keyboard.press("Enter")
    all_sent(room)
    assert lost == [201]
    assert Reading.objects.count() == 1


def test_a_refused_reading_is_shown_and_becomes_a_draft_again(
    room: Page, study: Study, slots: list[Slot]
) -> None:
    wait_for_pictures(room, slots[1])
    close_study(study)
    press_all(room, "44444444")
    room.keyboard.press("Enter")
    notice = room.locator("#notice")
    expect(notice).to_contain_text("The reading of case 1 was not taken.")
    expect(notice).to_contain_text("is closed")
    notice.get_by_text("Show the case").click()
    at_case(room, slots[0])
    expect_chosen(room, ["4"] * 8)
    expect(room.locator("#hint")).to_have_text("This study is closed")
    expect(notice).to_be_hidden()


def read_already(slot: Slot) -> None:
    assert slot.reader is not None
    submit(
        slot=slot,
        reader=slot.reader,
        idempotency_key=uuid.uuid4(),
        scores=scores_for(slot, value=2),
    )


def test_a_reading_refused_after_the_last_case_brings_the_case_back(
    room: Page, study: Study, slots: list[Slot]
) -> None:
    for slot in slots[:2]:
        read_already(slot)
    enter(room, slots[2])
    close_study(study)
    press_all(room, "44444444")
    room.keyboard.press("Enter")
    expect(room.locator("#notice")).to_contain_text("The reading of case 3 was not taken.")
    expect(room.locator("#message")).to_be_hidden()
    expect(room.locator("#hint")).to_have_text("This study is closed")
    room.reload()
    at_case(room, slots[2])
    expect_chosen(room, ["4"] * 8)


def test_every_refused_reading_is_told_of(room: Page, study: Study, slots: list[Slot]) -> None:
    wait_for_pictures(room, slots[1])
    room.context.set_offline(True)
    for values in ("44444444", "22222222"):
        press_all(room, values)
        room.keyboard.press("Enter")
    expect(room.locator("#status")).to_have_text("Offline · 2 kept")
    close_study(study)
    room.context.set_offline(False)
    for slot, value in zip(slots[:2], "42", strict=True):
        expect(room.locator("#notice")).to_contain_text(f"case {slot.position + 1} was not taken")
        room.locator("#notice").get_by_text("Show the case").click()
        at_case(room, slot)
        expect_chosen(room, [value] * 8)
    expect(room.locator("#notice")).to_be_hidden()


def test_after_a_lost_session_a_login_leads_back_to_the_case_and_sends_what_was_kept(
    room: Page, slots: list[Slot], rosa: User
) -> None:
    wait_for_pictures(room, slots[1])
    room.context.clear_cookies()
    press_all(room, "33333333")
    room.keyboard.press("Enter")
    expect(room.locator("#notice")).to_contain_text("You are logged out")
    at_case(room, slots[1])
    press_all(room, "52")
    rosa.set_password("a long enough phrase")
    rosa.save()
    room.locator("#notice").get_by_role("button", name="Log in").click()
    room.get_by_label("Name").fill("rosa")
    room.get_by_label("Password").fill("a long enough phrase")
    room.get_by_role("button", name="Log in").click()
    at_case(room, slots[1])
    all_sent(room)
    expect(room.locator("#notice")).to_be_hidden()
    expect_chosen(room, ["5", "2"])
    assert Reading.objects.get().slot == slots[0]


def test_what_somebody_else_kept_on_this_workstation_stays_theirs(
    room: Page, slots: list[Slot], rosa: User, ravi: User, log_in: Callable[[User], None]
) -> None:
    readings_of(room, lambda route: route.abort())
    press_all(room, "55555555")
    room.keyboard.press("Enter")
    expect(room.locator("#status")).to_have_text("Offline · 1 kept")
    log_in(ravi)
    room.unroute_all()
    expect(room.locator("#notice")).to_contain_text("You are logged out")
    beside = room.context.new_page()
    enter(beside, make_own_slot(ravi))
    expect_chosen(beside, [])
    expect(beside.locator("#status")).to_have_text("Saved")
    assert beside.goto(address_of(slots[0])).status == 404  # type: ignore[union-attr]
    log_in(rosa)
    all_sent(room)
    assert Reading.objects.get().slot == slots[0]


def make_own_slot(reader: User) -> Slot:
    """A case of a study of the reader's own, from the images that are there."""
    given = Slot.objects.select_related("study", "case").order_by("pk")[0]
    return Slot.objects.create(
        study=given.study, case=given.case, reader=reader, position=0, image_order=[0, 1, 2, 3]
    )


def test_a_closed_case_shows_what_was_submitted_and_takes_nothing(
    page: Page, slots: list[Slot], study: Study, rosa: User, log_in: Callable[[User], None]
) -> None:
    submit(
        slot=slots[0],
        reader=rosa,
        idempotency_key=uuid.uuid4(),
        scores=scores_for(slots[0], value=2),
    )
    close_study(study)
    log_in(rosa)
    enter(page, slots[0])
    press_all(page, "5555")
    expect_chosen(page, ["2"] * 8)
    page.keyboard.press("c")
    expect(page.locator("#comment-field")).to_be_focused()
    expect(page.locator("#comment-field")).not_to_be_editable()
