"""The mask in a real browser: hidden until asked for, its outline exact."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.reading import SIDE, canvases_of, painted, screen_point, screenshot

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("committed")]

# On frames of one's own: which case has a mask is the server's business.
MASK_SCRIPT = """
async ([zoom, side]) => {
    const { Viewer } = await import('/static/js/reading/viewer.js');
    const images = document.getElementById('images');
    const made = [0, 1].map(() =>
        document.getElementById('tile-template').content.firstElementChild.cloneNode(true));
    images.dataset.count = 2;
    images.replaceChildren(...made);
    const frames = made.map((tile) => tile.querySelector('.frame'));
    const grey = new Uint8Array(side * side).fill(100);
    window.viewer = new Viewer({
        onChange() {}, onClick() {}, mouse: () => 'window', now: () => performance.now(),
    });
    viewer.show(frames, frames.map(() => ({ width: side, height: side, grey })));
    const mask = new Uint8Array(side * side);
    for (let y = 100; y < 300; y++) for (let x = 150; x < 250; x++) mask[y * side + x] = 255;
    for (let y = 180; y < 220; y++) for (let x = 180; x < 220; x++) mask[y * side + x] = 0;
    const picture = { width: side, height: side, grey: mask };
    viewer.showMasks([{ kind: 'lungs', label: 'lungs', picture }]);
    viewer.zoomBy(zoom);
}
"""
GROUND = (100, 100, 100)


@pytest.fixture
def masked(pair: Page) -> Callable[[float], Page]:
    """Two grey images with a mask: a block of 100 x 200 pixels with a hole of 40 x 40."""

    def at_zoom(zoom: float) -> Page:
        pair.evaluate(MASK_SCRIPT, [zoom, SIDE])
        painted(pair)
        return pair

    return at_zoom


def colours_along(page: Page, canvas: Locator, y: int, x_from: int, x_to: int) -> list[Any]:
    """The colours of the screen's pixels along a row of the image."""
    (left, top), (right, _) = (screen_point(canvas, (x, y + 0.5)) for x in (x_from, x_to))
    return screenshot(page)[int(top), int(left) : int(right)].tolist()


def test_a_mask_is_hidden_until_it_is_asked_for_and_again_after(
    masked: Callable[[float], Page],
) -> None:
    page = masked(1)
    canvas = canvases_of(page)[0]
    assert set(map(tuple, colours_along(page, canvas, 150, 100, 300))) == {GROUND}
    page.evaluate("viewer.toggleMask()")
    assert len(set(map(tuple, colours_along(page, canvas, 150, 100, 300)))) == 3
    page.evaluate("viewer.toggleMask()")
    assert set(map(tuple, colours_along(page, canvas, 150, 100, 300))) == {GROUND}


@pytest.mark.parametrize("zoom", [0.7, 1, 2.37])
def test_the_mask_is_a_tint_with_an_outline_of_one_pixel_on_every_image(
    masked: Callable[[float], Page], zoom: float
) -> None:
    page = masked(zoom)
    page.evaluate("viewer.toggleMask()")
    for canvas in canvases_of(page):
        # y = 200 crosses both sides of the block and of its hole: 150 | 180 hole 220 | 250
        line = colours_along(page, canvas, 200, 140, 260)
        tint = line[len(line) * (165 - 140) // 120]
        assert tint[0] < GROUND[0] < tint[2]
        others = (list(GROUND), tint)
        outline = [at for at, colour in enumerate(line) if colour not in others]
        scale = len(line) / 120
        expected = [(x - 140) * scale for x in (150, 180, 220, 250)]
        assert len(outline) == 4  # one pixel each
        assert outline == pytest.approx(expected, abs=1.5)
        hole = line[outline[1] + 1 : outline[2]]
        assert set(map(tuple, hole)) == {GROUND}


def test_every_kind_of_mask_has_its_colour_and_its_name(
    masked: Callable[[float], Page],
) -> None:
    page = masked(1)
    page.evaluate(
        """() => {
            const grey = new Uint8Array(16).fill(255);
            const picture = { width: 4, height: 4, grey };
            viewer.showMasks([
                { kind: 'lungs', label: 'lungs', picture },
                { kind: 'rib_fracture', label: 'rib fracture', picture },
            ]);
        }"""
    )
    names = page.locator(".mask-names").first.locator("li")
    expect(names.first).to_be_hidden()
    page.evaluate("viewer.toggleMask()")
    expect(names).to_have_text(["lungs", "rib fracture"])
    colours = [name.evaluate("(it) => getComputedStyle(it).color") for name in names.all()]
    paths = page.locator("svg.mask").first.locator("path")
    assert [path.evaluate("(it) => getComputedStyle(it).stroke") for path in paths.all()] == colours
    assert len(set(colours)) == 2


def test_the_outline_of_a_mask_follows_its_pixels(pair: Page) -> None:
    path = pair.evaluate(
        """async () => {
            const { outlineOf } = await import('/static/js/reading/overlay.js');
            const grey = Uint8Array.from([0, 255, 255, 0, 255, 0]);
            return outlineOf({ width: 3, height: 2, grey });
        }"""
    )
    # Two pixels in the upper row and one below the first of them, round clockwise.
    assert path == "M1 0L3 0L3 1L2 1L2 2L1 2Z"
