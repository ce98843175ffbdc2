"""Hands and eyes on a reading page."""

import re

from django.urls import reverse
from playwright.sync_api import Page, expect

from feedback_app.readings.models import Reading
from feedback_app.studies.models import Slot

PAINTED = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"


def address_of(slot: Slot) -> str:
    return reverse("readings:read", args=[slot.pk])


def enter(page: Page, slot: Slot) -> None:
    page.goto(address_of(slot))
    at_case(page, slot)


def at_case(page: Page, slot: Slot) -> None:
    """The case is on screen, not only on its way."""
    expect(page).to_have_url(re.compile(re.escape(address_of(slot)) + "$"))
    if not slot.study.is_pool:
        position = f"{slot.position + 1} of {slot.study.slots.filter(reader=slot.reader).count()}"
        expect(page.locator("#position")).to_have_text(position)
    expect(page.locator(".tile")).to_have_count(len(slot.image_order))


def expect_chosen(page: Page, answers: list[str]) -> None:
    """These cells are marked, in order, once the page has drawn them."""
    marked = page.locator(".cell[aria-checked=true]")
    expect(marked).to_have_count(len(answers))
    assert marked.all_text_contents() == answers


def press_all(page: Page, keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def all_sent(page: Page) -> None:
    expect(page.locator("#status")).to_have_text("Saved")


def wait_for_paint(page: Page) -> None:
    page.evaluate(PAINTED)


def wait_for_pictures(page: Page, slot: Slot) -> None:
    """They were fetched in the background."""
    page.wait_for_function(
        "([part, count]) => performance.getEntriesByType('resource')"
        ".filter((entry) => entry.name.includes(part) && entry.responseEnd > 0).length === count",
        arg=[f"{slot.pk}/images/", len(slot.image_order)],
    )
    wait_for_paint(page)


def values_of(reading: Reading, criterion: str) -> list[int]:
    """Scores in the order of the slot's places."""
    by_image = {
        score.image_id: score.value for score in reading.scores.filter(criterion__slug=criterion)
    }
    return [by_image[image.pk] for image in reading.slot.images_in_order()]
