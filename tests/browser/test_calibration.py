"""Calibration in a real browser: training failed and passed, the guideline by key, a preview."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from feedback_app.accounts.models import User
from feedback_app.readings.models import Reading
from feedback_app.readings.training_models import TrainingAnswer
from feedback_app.studies.services import open_study
from tests.browser.reading import all_sent, painted, press_all
from tests.readings.training import REASON, REPORTS, draft_of_reports, draft_with

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("committed")]

LogIn = Callable[[User], None]


def answer_training(page: Page, keys: str, *, told: str) -> None:
    """One training case, by keyboard, and what is said after it."""
    expect(page.locator("#position")).to_contain_text("Training")
    expect(page.locator("#feedback")).to_be_hidden()
    painted(page)
    press_all(page, keys)
    page.keyboard.press("Enter")
    expect(page.locator("#feedback")).to_be_visible()  # its words may be those of the case before
    expect(page.locator("#feedback h2")).to_have_text(told)
    expect(page.locator("#feedback")).to_contain_text(REASON)
    page.keyboard.press("Enter")
    expect(page.locator("#feedback")).to_be_hidden()


def test_training_is_failed_then_passed_with_the_guideline_at_hand(
    page: Page, rosa: User, log_in: LogIn
) -> None:
    open_study(draft_with(rosa, guideline="# Clavicles\nThere are two."))
    log_in(rosa)
    page.goto("/read/")
    page.get_by_role("button", name="Start training").click()
    expect(page.locator(".tile")).to_have_count(1)
    page.keyboard.press("k")
    expect(page.locator("#guideline")).to_contain_text("There are two.")
    page.keyboard.press("k")
    expect(page.locator("#guideline")).to_be_hidden()
    answer_training(page, "11", told="0 of 2 right")
    expect(page.locator("#position")).to_have_text("Training 2 of 2")
    answer_training(page, "51", told="1 of 2 right")
    expect(page.locator("#message")).to_contain_text("the last training case")
    page.keyboard.press("Enter")
    expect(page.locator(".assignment")).to_contain_text("1 of 4 answers were right")
    page.get_by_role("button", name="Start training").click()
    answer_training(page, "54", told="Right")
    expect(page.locator("#position")).to_have_text("Training 2 of 2")
    answer_training(page, "45", told="Right")
    expect(page.locator("#message")).to_contain_text("the last training case")
    page.keyboard.press("Enter")
    page.wait_for_url("**/read/")
    expect(page.locator(".assignment")).not_to_contain_text("Training")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator("#position")).to_have_text("1 of 2")
    press_all(page, "33")
    page.keyboard.press("Enter")
    all_sent(page)
    assert (TrainingAnswer.objects.count(), Reading.objects.count()) == (4, 1)


def test_reports_are_trained_on_the_findings_of_their_reference(
    page: Page, rosa: User, log_in: LogIn
) -> None:
    open_study(draft_of_reports("write_report", rosa))
    log_in(rosa)
    page.goto("/read/")
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_role("textbox", name="Report")).to_have_value(REPORTS[0][1])
    answer_training(page, "0", told="0 of 2 right")
    expect(page.locator("#message")).to_contain_text("the last training case")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Start training").click()
    expect(page.get_by_role("textbox", name="Report")).to_have_value(REPORTS[0][1])
    page.keyboard.press("w")
    page.keyboard.press("Control+A")
    page.keyboard.type("Pneumothorax on the right.")
    page.keyboard.press("Escape")
    answer_training(page, "2", told="Right")
    expect(page.locator("#message")).to_contain_text("the last training case")
    page.keyboard.press("Enter")
    page.wait_for_url("**/read/")
    expect(page.locator(".assignment")).not_to_contain_text("Training")


def test_a_draft_is_previewed_and_nothing_is_kept(page: Page, cora: User, log_in: LogIn) -> None:
    study = draft_with(cora, training=0)
    log_in(cora)
    page.goto(f"/studies/{study.pk}/")
    page.get_by_role("link", name="Preview as reader").click()
    expect(page.locator("#position")).to_have_text("1 of 4")
    painted(page)
    press_all(page, "33")
    page.keyboard.press("Enter")
    expect(page.locator("#position")).to_have_text("2 of 4")
    all_sent(page)
    assert page.evaluate("Object.keys(localStorage).length") == 0
    assert not Reading.objects.exists()
