"""Reading pages: hands and eyes on them, and studies with images of a real size for them."""

import base64
import io
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import PIL.Image
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from feedback_app.accounts.models import User
from feedback_app.images.models import Candidate
from feedback_app.readings.models import Reading
from feedback_app.studies.models import Slot
from feedback_app.studies.services import add_cases_from_batch, create_study, open_study
from tests.studies.making import make_batch, make_image

SIDE = 512

Grey = np.ndarray[Any, np.dtype[np.uint8]]

PAINTED = "() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))"


def address_of(slot: Slot) -> str:
    return reverse("readings:read", args=[slot.pk])


def enter(page: Page, slot: Slot) -> None:
    page.goto(address_of(slot))
    at_case(page, slot)
    painted(page)


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


def painted(page: Page) -> None:
    """The next frame is on screen."""
    page.evaluate(PAINTED)


def wait_for_pictures(page: Page, slot: Slot) -> None:
    """They were fetched in the background."""
    page.wait_for_function(
        "([part, count]) => performance.getEntriesByType('resource')"
        ".filter((entry) => entry.name.includes(part) && entry.responseEnd > 0).length === count",
        arg=[f"{slot.pk}/images/", len(slot.image_order)],
    )
    painted(page)


def values_of(reading: Reading, criterion: str) -> list[int]:
    """Scores in the order of the slot's places."""
    by_image = {
        score.image_id: score.value for score in reading.scores.filter(criterion__slug=criterion)
    }
    return [by_image[image.pk] for image in reading.slot.images_in_order()]


# Pictures


def make_case(reader: User, *, images: int) -> Slot:
    """An open study of one case of so many images, and its reader's slot."""
    name = f"{images} images"
    batch = make_batch(prompts=1, each=images, unmade=range(images), name=name, seed=1_000 * images)
    for number, recipe in enumerate(batch.recipes.order_by("batchrecipe__position")):
        Candidate.objects.create(image=make_image(number, side=SIDE), recipe=recipe)
    study = create_study(
        name=name,
        mode="rate_k" if images > 1 else "rate",
        readers=[reader],
        readers_per_case=1,
        shuffle_seed=7,
    )
    add_cases_from_batch(study, batch)
    slot: Slot = open_study(study).slots.get()
    return slot


def box_of(part: Locator) -> dict[str, float]:
    box = part.bounding_box()
    assert box is not None
    return {"x": box["x"], "y": box["y"], "width": box["width"], "height": box["height"]}


def screen_point(canvas: Locator, image_point: Sequence[float]) -> tuple[float, float]:
    """Where a place of the image is on screen now."""
    box = box_of(canvas)
    x, y = image_point
    return box["x"] + x * box["width"] / SIDE, box["y"] + y * box["height"] / SIDE


def image_point(canvas: Locator, point: Sequence[float]) -> tuple[float, float]:
    """Which place of the image is there on screen, in pixels of the stored image."""
    box = box_of(canvas)
    x, y = point
    return (x - box["x"]) * SIDE / box["width"], (y - box["y"]) * SIDE / box["height"]


READ_CANVAS = """
(canvas) => {
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    let text = '';
    for (let at = 0; at < data.length; at += 4) {
        const [red, green, blue, alpha] = data.subarray(at, at + 4);
        if (red !== green || red !== blue || alpha !== 255) return null;
        text += String.fromCharCode(red);
    }
    return btoa(text);
}
"""


def shown_grey(canvas: Locator) -> Grey:
    """What is on the canvas, which is opaque and grey throughout."""
    encoded = canvas.evaluate(READ_CANVAS)
    assert encoded is not None
    return np.frombuffer(base64.b64decode(encoded), dtype=np.uint8)


def stored_grey(slot: Slot, place: int) -> Grey:
    blob = slot.images_in_order()[place].blob
    return np.asarray(PIL.Image.open(io.BytesIO(blob.read()))).reshape(-1)


def screenshot(page: Page) -> Grey:
    """The page's RGB pixels, [y, x, 3]."""
    return np.asarray(PIL.Image.open(io.BytesIO(page.screenshot())).convert("RGB"))


def canvases_of(page: Page) -> list[Locator]:
    return page.locator(".frame canvas").all()


def windowed(grey: Grey, *, level: float, width: float) -> Grey:
    """DICOM PS3.3 C.11.2.1.2.1 with an output of 0-255, rounded half up."""
    shown = ((grey.astype(float) - (level - 0.5)) / (width - 1) + 0.5) * 255
    return np.clip(np.floor(shown + 0.5), 0, 255).astype(np.uint8)


def in_sight(page: Page) -> list[int]:
    tiles = page.locator(".tile").all()
    return [place for place, tile in enumerate(tiles) if tile.is_visible()]


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=5)
    page.mouse.up()


def is_pressed(button: Locator) -> bool:
    return button.get_attribute("aria-pressed") == "true"
