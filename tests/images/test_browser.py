"""Generating in a real browser, with a real GPU worker."""

from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import ConsoleMessage, Page, expect

from feedback_app.accounts.models import User
from feedback_app.images.models import Batch, Candidate, ModelVersion, Recipe
from feedback_app.images.scorers.judges import register_bundled_judge
from feedback_app.runs.console import execute_here
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


def test_a_region_dragged_over_a_candidate_is_drawn_again(
    page: Page, log_in: Callable[[User], None], cora: User, ask: Callable[..., Batch]
) -> None:
    """What readers marked is there already; a box dragged beside it comes in image pixels."""
    batch = ask(prompts=("chest x-ray, pneumonia",), per_prompt=1)
    for run in batch.runs.unfinished():
        execute_here(run, write=lambda _: None)
    candidate = Candidate.objects.get(recipe__batches=batch)
    log_in(cora)
    page.goto(f"{reverse('images:repair', args=[candidate.pk])}?region=2,2 6,2 4,8")
    shapes = page.locator("#repair-regions polygon")
    expect(shapes).to_have_count(1)
    box = page.locator("#repair-image").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 4)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * 3 / 4)
    page.mouse.up()
    expect(shapes).to_have_count(2)
    page.get_by_role("button", name="Draw again").click()
    page.wait_for_url("**/batches/**")
    recipe = Recipe.objects.filter(repair__original=candidate).first()
    assert recipe is not None
    side = candidate.image.width
    drawn, dragged = recipe.repair.regions
    assert drawn == [[2, 2], [6, 2], [4, 8]]
    assert dragged[0] == pytest.approx([side / 4, side / 4], abs=0.5)
    assert dragged[2] == pytest.approx([side / 2, side * 3 / 4], abs=0.5)


def test_a_batch_is_asked_to_fit_and_says_how_many_tries_it_took(
    page: Page, log_in: Callable[[User], None], cora: User, version: ModelVersion
) -> None:
    register_bundled_judge()
    log_in(cora)
    page.goto("/generate/")
    page.get_by_label("Prompts, one a line").fill(
        "chest x-ray, no finding, PA view, female\nchest x-ray, no finding, AP view, male"
    )
    page.get_by_label("Images of each").fill("2")
    page.get_by_label("Steps").fill("2")
    expect(page.locator("#tries")).to_be_hidden()
    page.get_by_label("View", exact=True).check()
    page.get_by_label("Tries of an image").fill("3")
    expect(page.locator("#estimate")).to_contain_text("4 images of 2 prompts, up to 12 made")
    page.get_by_role("button", name="Generate", exact=True).click()
    expect(page.locator(".unmade")).to_have_count(4)
    for run in Batch.objects.get().runs.unfinished():
        execute_here(run, write=lambda _: None)
    expect(page.locator("#batch")).to_contain_text("complete", timeout=30_000)
    expect(page.locator("#tries-taken")).to_contain_text("never: ")
    page.reload()
    page.locator("#misfits summary").click()
    expect(page.locator("#misfits figcaption").first).to_contain_text("view: asked for view")
