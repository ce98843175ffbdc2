"""The login's end, as a page tells it: a warning, several tabs, and what stays on the page."""

from collections.abc import Callable

import pytest
from django.contrib.sessions.backends.cached_db import SessionStore
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django import Settings

from feedback_app.accounts.models import User
from feedback_app.accounts.sessions import ACTIVE_AT, BEGAN_AT, remaining_s
from feedback_app.runs import services as runs

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("committed")]

WARN_S = 120


@pytest.fixture(autouse=True)
def quick(settings: Settings) -> None:
    """Every request counts at once."""
    settings.SESSION_REFRESH_S = 0


@pytest.fixture
def ravis_page(page: Page, ravi: User, log_in: Callable[[User], None]) -> Page:
    log_in(ravi)
    page.goto(reverse("accounts:password"))
    return page


def session_of(page: Page) -> SessionStore:
    (cookie,) = (cookie for cookie in page.context.cookies() if cookie["name"] == "sessionid")
    return SessionStore(cookie["value"])


def age(page: Page, seconds: float, *stamps: str) -> None:
    session = session_of(page)
    for stamp in stamps or (ACTIVE_AT, BEGAN_AT):
        session[stamp] -= seconds
    session.save()


def look_again(page: Page) -> None:
    """As when the browser shows a page from its memory."""
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")


def test_a_page_warns_before_the_end_and_keeps_the_login_when_asked(ravis_page: Page) -> None:
    notice = ravis_page.get_by_role("alert")
    expect(notice).to_be_hidden()
    age(ravis_page, 3600 - WARN_S + 5)
    look_again(ravis_page)
    expect(notice).to_contain_text("You will be logged out in 2 minutes.")
    button = ravis_page.get_by_role("button", name="Stay logged in")
    button.focus()
    ravis_page.keyboard.press("Enter")
    expect(notice).to_be_hidden()
    assert remaining_s(session_of(ravis_page)) > 3590


def test_the_warning_comes_by_itself(
    page: Page, ravi: User, log_in: Callable[[User], None], settings: Settings
) -> None:
    settings.SESSION_IDLE_S = WARN_S + 2
    log_in(ravi)
    page.goto(reverse("accounts:password"))
    expect(page.get_by_role("alert")).to_be_hidden()
    expect(page.get_by_role("button", name="Stay logged in")).to_be_visible()


def test_whoever_is_typing_is_not_warned_but_kept(ravis_page: Page) -> None:
    age(ravis_page, 3600 - WARN_S + 5)
    ravis_page.get_by_label("Old password").press_sequentially("abc")
    with ravis_page.expect_response(lambda answer: answer.request.method == "POST") as answered:
        look_again(ravis_page)
    assert answered.value.json()["remaining_s"] > 3590
    expect(ravis_page.get_by_role("alert")).to_be_hidden()


def test_what_one_tab_is_told_the_others_know(ravis_page: Page) -> None:
    other = ravis_page.context.new_page()
    other.goto(reverse("accounts:password"))
    age(ravis_page, 3600 - WARN_S + 5)
    for tab in (ravis_page, other):
        look_again(tab)
        expect(tab.get_by_role("button", name="Stay logged in")).to_be_visible()
    other.get_by_role("button", name="Stay logged in").click()
    expect(ravis_page.get_by_role("alert")).to_be_hidden()


def test_at_the_end_the_page_says_so_and_stays(ravis_page: Page) -> None:
    field = ravis_page.get_by_label("Old password")
    field.fill("half a word")
    age(ravis_page, 3601)
    look_again(ravis_page)
    expect(ravis_page.get_by_role("alert")).to_contain_text("You are logged out.")
    expect(field).to_have_value("half a word")


def test_a_new_login_in_another_tab_makes_the_old_page_usable(
    page: Page, log_in: Callable[[User], None]
) -> None:
    vera = User.objects.create_user("vera", password="a long enough phrase")
    log_in(vera)
    page.goto(reverse("accounts:password"))
    page.get_by_label("Old password").fill("a long enough phrase")
    age(page, 3601)
    look_again(page)
    with page.context.expect_page() as opened:
        page.get_by_role("link", name="Log in in a new tab").click()
    other = opened.value
    other.get_by_label("Name").fill("vera")
    other.get_by_label("Password").fill("a long enough phrase")
    other.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_be_hidden()
    page.get_by_label("New password", exact=True).fill("quiet lungs at dawn")
    page.get_by_label("New password confirmation").fill("quiet lungs at dawn")
    page.get_by_role("button", name="Change password").click()
    expect(page.get_by_text("Your password is changed.")).to_be_visible()


def test_somebody_elses_login_is_not_taken_for_ones_own(
    ravis_page: Page, rosa: User, log_in: Callable[[User], None]
) -> None:
    log_in(rosa)
    other = ravis_page.context.new_page()
    other.goto(reverse("accounts:password"))
    expect(ravis_page.get_by_role("alert")).to_contain_text("Somebody else is logged in")


def test_the_absolute_end_is_told_and_cannot_be_moved(ravis_page: Page) -> None:
    age(ravis_page, 12 * 3600 - 100, BEGAN_AT)
    look_again(ravis_page)
    ravis_page.get_by_role("button", name="Stay logged in").click()
    expect(ravis_page.get_by_role("alert")).to_contain_text("as long as one may")


def test_a_list_that_refreshes_itself_keeps_nobody_logged_in(
    page: Page, cora: User, log_in: Callable[[User], None]
) -> None:
    runs.start("export", title="A run", spec={})
    log_in(cora)
    page.goto(reverse("runs:list"))
    age(page, 1000)
    for _ in range(2):
        with page.expect_response(lambda answer: "hx-request" in answer.request.headers) as polled:
            pass
        assert polled.value.request.headers["x-background"] == "1"
    assert remaining_s(session_of(page)) < 2700
    page.get_by_role("search").get_by_label("State").select_option("queued")
    with page.expect_response(
        lambda answer: "/runs/" in answer.url and "x-background" not in answer.request.headers
    ):
        page.get_by_role("button", name="Filter").click()
    expect(page.get_by_role("link", name="A run")).to_be_visible()
    assert remaining_s(session_of(page)) > 3500


def test_a_list_that_refreshes_itself_does_not_fill_with_the_login_page(
    page: Page, cora: User, log_in: Callable[[User], None]
) -> None:
    runs.start("export", title="A run", spec={})
    log_in(cora)
    page.goto(reverse("runs:list"))
    age(page, 3601)
    expect(page.get_by_role("alert")).to_contain_text("You are logged out.")
    expect(page.get_by_role("link", name="A run")).to_be_visible()
    expect(page.get_by_label("Password")).to_have_count(0)


def test_the_policy_lets_no_inline_script_run(ravis_page: Page) -> None:
    ravis_page.evaluate("""() => {
      const script = document.createElement("script");
      script.textContent = "window.ran = true";
      document.body.append(script);
    }""")
    assert ravis_page.evaluate("window.ran") is None


def test_a_form_with_a_question_is_sent_only_after_a_yes(
    page: Page, ada: User, ravi: User, log_in: Callable[[User], None]
) -> None:
    log_in(ada)
    page.goto(reverse("accounts:person", args=[ravi.pk]))
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="Deactivate").click()
    assert User.objects.get(pk=ravi.pk).is_active
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Deactivate").click()
    expect(page.get_by_text("Ravi can no longer log in.")).to_be_visible()
