"""Reading from an open pool in a real browser: claims, leases, the way back."""

import re
import time
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from feedback_app.accounts.models import User
from feedback_app.readings.models import Reading
from feedback_app.studies.models import Slot, Study
from tests.browser.reading import (
    all_sent,
    press_all,
    wait_for_pictures,
)
from tests.readings.rooms import let_lapse, pool
from tests.windows import PATIENCE_MS

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("committed")]

PATIENCE_S = PATIENCE_MS / 1000
LogIn = Callable[[User], None]


@pytest.fixture
def open_pool(page: Page, rosa: User, ravi: User, log_in: LogIn) -> Study:
    """Three cases, each to be read twice; Rosa is at the first."""
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


def wait_until_renewed(page: Page, reader: User, before: dict[UUID, datetime | None]) -> None:
    """Each slot has a heartbeat of its own, and the answers come one after the other."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        after = {slot.pk: slot.lease_until for slot in held_by(reader)}
        if all(after[slot] > before[slot] for slot in before):  # type: ignore[operator]
            return
        assert time.monotonic() < deadline, f"{after} is not later than {before}"
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


@pytest.mark.turns_clock
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
    page.wait_for_load_state("networkidle")
    with page.expect_response(re.compile("/heartbeat/$")):
        page.clock.fast_forward("02:01")
    wait_until_renewed(page, rosa, before)


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
