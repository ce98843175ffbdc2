"""Generating in a real browser, with a real GPU worker."""

from collections.abc import Callable

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect

from feedback_app.accounts.models import User
from feedback_app.images.models import Candidate, ModelVersion
from tests.workers import Worker

pytestmark = [pytest.mark.slow, pytest.mark.browser]

LEAVING = ("htmx:sendAbort", "htmx:afterRequest")
"""What htmx says of a request that was under way when the form was sent."""


def is_problem(line: ConsoleMessage) -> bool:
    return line.type == "error" and not line.text.startswith(LEAVING)


def test_images_appear_while_they_are_made(
    page: Page,
    log_in: Callable[[User], None],
    cora: User,
    version: ModelVersion,
    start_worker: Callable[..., Worker],
) -> None:
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: problems.append(line.text) if is_problem(line) else None)
    start_worker("gpu", OMP_NUM_THREADS="1")
    log_in(cora)
    page.goto("/generate/")
    page.get_by_role("button", name="edema").click()
    page.get_by_role("button", name="edema").click()  # a prompt is inserted once
    page.get_by_label("Images of each").fill("2")
    page.get_by_label("Steps").fill("2")
    expect(page.locator("#estimate")).to_contain_text("8 images of 4 prompts")
    page.get_by_role("button", name="Generate").click()
    expect(page.locator("figure")).to_have_count(8)
    expect(page.locator("#batch")).to_contain_text("complete", timeout=90_000)
    expect(page.locator("figure img")).to_have_count(8)
    expect(page.locator("main [hx-trigger]")).to_have_count(0)
    assert Candidate.objects.count() == 8
    page.locator("figure a").first.click()
    expect(page.get_by_role("heading", name="How it was made")).to_be_visible()
    assert not problems
