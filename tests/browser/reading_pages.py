"""Reading pages with images of a real size, and what is seen on them."""

import base64
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import PIL.Image
from django.urls import reverse
from playwright.sync_api import Locator, Page, expect

from feedback_app.accounts.models import User
from feedback_app.images.models import Candidate
from feedback_app.studies.models import Slot
from feedback_app.studies.services import add_cases_from_batch, create_study, open_study
from tests.studies.making import make_batch, make_image

SIDE = 512

Grey = np.ndarray[Any, np.dtype[np.uint8]]


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


def enter(page: Page, slot: Slot) -> None:
    page.goto(reverse("readings:read", args=[slot.pk]))
    expect(page.locator(".tile")).to_have_count(len(slot.image_order))
    painted(page)


def painted(page: Page) -> None:
    """The next frame is on screen."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")


def box_of(part: Locator) -> dict[str, float]:
    box = part.bounding_box()
    assert box is not None
    return dict(box)


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
