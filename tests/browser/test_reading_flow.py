"""A session of reading in a real browser: outages, tabs, breaks, and what is left half done."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, Request, expect

from feedback_app.accounts.models import User
from feedback_app.readings.models import Reading
from feedback_app.studies.models import Slot, Study
from tests.browser.reading import (
    all_sent,
    at_case,
    enter,
    expect_chosen,
    press_all,
    wait_for_pictures,
)
from tests.studies.making import make_study
from tests.web_server import WebServer
from tests.workers import address_of_test_database

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("committed")]

CASES = 20
STOPPED_AT = 6
AHEAD = 3
"""How many cases the room keeps ahead unless its reader chooses otherwise."""


@pytest.fixture
def slots(rosa: User) -> list[Slot]:
    """Three cases of one image, all Rosa's."""
    study = make_study(rosa, mode="rate", prompts=3, each=1)
    return list(study.slots.order_by("position"))


@pytest.fixture
def room(page: Page, slots: list[Slot], rosa: User, log_in: Callable[[User], None]) -> Page:
    log_in(rosa)
    enter(page, slots[0])
    return page


@pytest.fixture
def server(committed: None, storage: Path, tmp_path: Path) -> Iterator[WebServer]:
    """A web server that can be stopped, unlike that of the test's own process."""
    started = WebServer(
        log=tmp_path / "web.log",
        environment={
            "DATA_ROOT": str(storage),
            "DATABASE_URL": address_of_test_database(),
            "DEBUG": "true",
        },
    )
    started.start()
    yield started
    started.stop()


@pytest.mark.slow
def test_a_server_stopped_and_started_again_gets_all_readings_in_order_and_none_twice(
    browser: Browser, server: WebServer, rosa: User
) -> None:
    study = make_study(rosa, mode="rate", prompts=CASES, each=1)
    slots = list(study.slots.order_by("position"))
    page = page_of(rosa, browser, server)
    enter(page, slots[0])
    for number, slot in enumerate(slots):
        if number == STOPPED_AT:
            wait_for_pictures(page, slots[number + AHEAD])
            server.stop()
        if number == STOPPED_AT + AHEAD + 1:
            expect(page.locator("#message")).to_contain_text("cannot be reached")
            expect(page.locator("#status")).to_have_text(f"Offline · {AHEAD + 1} kept")
            server.start()
        at_case(page, slot)
        press_all(page, f"{number % 6}{number % 5}")
        page.keyboard.press("Enter")
    expect(page.locator("#message")).to_contain_text(f"All {CASES} cases are read")
    all_sent(page)
    page.context.close()
    stored = list(Reading.objects.order_by("created_at"))
    assert [reading.slot for reading in stored] == slots
    scores = [reading.scores.get(criterion__slug="realism").value for reading in stored]
    assert scores == [number % 6 for number in range(CASES)]


def page_of(reader: User, browser: Browser, server: WebServer) -> Page:
    client = Client()
    client.force_login(reader)
    context = browser.new_context(base_url=server.address, viewport={"width": 1920, "height": 1080})
    name = settings.SESSION_COOKIE_NAME
    context.add_cookies(
        [{"name": name, "value": client.cookies[name].value, "url": server.address}]
    )
    return context.new_page()


def test_a_tab_closed_in_the_middle_of_a_case_leaves_its_draft(
    room: Page, slots: list[Slot]
) -> None:
    press_all(room, "4")
    room.keyboard.press("c")
    room.keyboard.type("Half way")
    room.close()
    page = room.context.new_page()
    enter(page, slots[0])
    expect_chosen(page, ["4"])
    expect(page.locator("#comment-field")).to_have_value("Half way")
    assert not Reading.objects.exists()


def test_an_expired_session_asks_for_the_login_and_goes_on_with_the_answers_given(
    room: Page, slots: list[Slot], rosa: User
) -> None:
    room.context.clear_cookies()
    press_all(room, "42")
    room.keyboard.press("Enter")
    rosa.set_password("a long enough phrase")
    rosa.save()
    room.locator("#notice").get_by_role("button", name="Log in").click()
    room.get_by_label("Name").fill("rosa")
    room.get_by_label("Password").fill("a long enough phrase")
    room.get_by_role("button", name="Log in").click()
    all_sent(room)
    assert Reading.objects.get().slot == slots[0]


# Two tabs


@pytest.fixture
def beside(room: Page, slots: list[Slot]) -> Page:
    """A second tab at the same case."""
    other = room.context.new_page()
    enter(other, slots[0])
    return other


def test_answers_given_in_one_tab_show_in_the_other(room: Page, beside: Page) -> None:
    press_all(room, "4")
    expect_chosen(beside, ["4"])
    press_all(beside, "2")
    expect_chosen(room, ["4", "2"])


def test_a_case_submitted_in_one_tab_is_read_in_the_other(
    room: Page, beside: Page, slots: list[Slot]
) -> None:
    press_all(room, "42")
    room.keyboard.press("Enter")
    at_case(room, slots[1])
    expect(beside.locator("#notice")).to_contain_text("This case was read in another tab.")
    expect(beside.locator("#hint")).to_have_text("Submitted")
    expect_chosen(beside, ["4", "2"])
    beside.get_by_role("button", name="Next case").click()
    at_case(beside, slots[1])
    all_sent(room)
    assert Reading.objects.count() == 1


def test_a_tab_that_fell_behind_goes_on_with_the_first_unread_case(
    room: Page, beside: Page, slots: list[Slot]
) -> None:
    for slot in slots[:2]:
        at_case(room, slot)
        press_all(room, "42")
        room.keyboard.press("Enter")
    at_case(room, slots[2])
    all_sent(room)
    beside.keyboard.press("Enter")
    at_case(beside, slots[2])


def test_a_reading_that_two_tabs_keep_is_stored_once(
    room: Page, beside: Page, slots: list[Slot]
) -> None:
    """Browsers share storage between tabs with a delay, so both may send it: with one key."""
    keys: set[str] = set()
    for page in (room, beside):
        page.on("request", lambda request: keys.update(keys_of(request)))
    room.context.set_offline(True)
    press_all(room, "42")
    room.keyboard.press("Enter")
    expect(beside.locator("#status")).to_contain_text("1 kept")
    room.context.set_offline(False)
    for page in (room, beside):
        all_sent(page)
    assert len(keys) == 1
    assert Reading.objects.get().slot == slots[0]


def keys_of(request: Request) -> list[str]:
    """The idempotency key of a reading that is sent; none of another request."""
    is_reading = request.method == "POST" and "/readings/" in request.url
    return [json.loads(request.post_data or "")["idempotency_key"]] if is_reading else []


# Pace and breaks


@pytest.mark.turns_clock
def test_a_break_is_suggested_between_cases_and_never_in_the_middle_of_one(
    page: Page, slots: list[Slot], rosa: User, log_in: Callable[[User], None]
) -> None:
    Study.objects.update(break_every_min=2)
    page.clock.install()
    log_in(rosa)
    enter(page, slots[0])
    for _ in range(3):
        page.clock.fast_forward(50_000)
        page.mouse.move(400, 400)
        page.mouse.move(500, 500)
    notice = page.locator("#notice")
    expect(notice).to_be_hidden()
    press_all(page, "42")
    page.keyboard.press("Enter")
    at_case(page, slots[1])
    expect(notice).to_contain_text("A short break rests the eyes.")
    notice.get_by_role("button", name="Go on").click()
    expect(notice).to_be_hidden()
    press_all(page, "42")
    page.keyboard.press("Enter")
    at_case(page, slots[2])
    expect(notice).to_be_hidden()


@pytest.mark.turns_clock
def test_the_pace_counts_active_time_alone(
    page: Page, slots: list[Slot], rosa: User, log_in: Callable[[User], None]
) -> None:
    page.clock.install()
    log_in(rosa)
    enter(page, slots[0])
    for slot in slots:
        at_case(page, slot)
        page.clock.fast_forward(600_000)  # away; a minute of it counts
        press_all(page, "42")
        page.keyboard.press("Enter")
    expect(page.locator("#message")).to_contain_text("All 3 cases are read")
    expect(page.locator("#pace")).to_have_text(re.compile(r"^(59|60)/h$"))
    all_sent(page)
    times = list(Reading.objects.values_list("active_ms", flat=True))
    assert all(60_000 <= active_ms < 70_000 for active_ms in times)
