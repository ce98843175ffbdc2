"""Regions in a real browser: drawn on a zoomed and panned image, in the image's own pixels."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from feedback_app.accounts.models import User
from tests.browser.reading import (
    SIDE,
    box_of,
    enter,
    image_point,
    make_case,
    painted,
    screen_point,
)

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("committed")]

Point = tuple[float, float]

SCRIPT = """
async () => {
    const { Regions } = await import('/static/js/reading/regions.js');
    window.changes = [];
    window.regions = new Regions({
        frame: document.querySelector('.frame'), width: 512, height: 512,
        onChange: (id, region) => changes.push([id, region]),
    });
    window.draw = (shape) => {
        window.drawn = undefined;
        regions.draw(shape, { label: 'Clavicles' }).then((region) => { window.drawn = region; });
    };
}
"""
CLAVICLES = {
    "id": "clavicles/0",
    "flag": "clavicles",
    "label": "Clavicles, minor",
    "grade": "minor",
    "shape": "box",
    "points": [[100, 120], [260, 200]],
}
ROUNDING_PX = 0.02


@pytest.fixture
def room(page: Page, rosa: User, log_in: Callable[[User], None]) -> Page:
    """Two images; on the first one regions can be drawn. It is zoomed at a corner and panned."""
    log_in(rosa)
    enter(page, make_case(rosa, images=2))
    page.evaluate(SCRIPT)
    canvas = canvas_of(page)
    start = screen_point(canvas, (170, 210))
    page.mouse.move(*start)
    page.mouse.wheel(0, -450)
    page.mouse.down(button="middle")
    page.mouse.move(start[0] - 37, start[1] + 23, steps=5)
    page.mouse.up(button="middle")
    painted(page)
    return page


def canvas_of(page: Page) -> Locator:
    return page.locator(".frame canvas").first


def at(page: Page, point: Point) -> Point:
    """A whole pixel of the screen near that place of the image, since a mouse has no others."""
    x, y = screen_point(canvas_of(page), point)
    return round(x), round(y)


def draw_box(page: Page, start: Point, end: Point) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=6)
    page.mouse.up()


def drawn(page: Page) -> dict[str, Any]:
    page.wait_for_function("() => window.drawn !== undefined")
    region: dict[str, Any] = page.evaluate("window.drawn")
    return region


def assert_points(points: list[list[float]], expected: list[Point]) -> None:
    assert len(points) == len(expected)
    for point, wanted in zip(points, expected, strict=True):
        assert point == pytest.approx(wanted, abs=ROUNDING_PX)


def test_a_box_on_a_zoomed_and_panned_image_is_in_image_coordinates(room: Page) -> None:
    start, end = at(room, (120, 140)), at(room, (231, 222))
    expected = [image_point(canvas_of(room), point) for point in (start, end)]
    room.evaluate("draw('box')")
    draw_box(room, start, end)
    region = drawn(room)
    assert region["shape"] == "box"
    assert_points(region["points"], expected)


def test_a_box_drawn_upwards_begins_at_its_top_left_corner(room: Page) -> None:
    start, end = at(room, (231, 222)), at(room, (120, 140))
    expected = [image_point(canvas_of(room), point) for point in (end, start)]
    room.evaluate("draw('box')")
    draw_box(room, start, end)
    assert_points(drawn(room)["points"], expected)


def test_a_polygon_is_closed_by_a_double_click_and_keeps_the_view(room: Page) -> None:
    corners = [at(room, point) for point in ((130, 140), (240, 160), (220, 250), (140, 230))]
    expected = [image_point(canvas_of(room), point) for point in corners]
    before = box_of(canvas_of(room))
    room.evaluate("draw('polygon')")
    for corner in corners[:-1]:
        room.mouse.move(*corner)
        room.mouse.click(*corner)
    room.mouse.move(*corners[-1])
    room.mouse.dblclick(*corners[-1])
    region = drawn(room)
    assert region["shape"] == "polygon"
    assert_points(region["points"], expected)
    assert box_of(canvas_of(room)) == before


def test_drawing_leaves_the_window_alone_and_the_wheel_and_middle_button_work(room: Page) -> None:
    view = room.locator("#view")
    before = view.text_content()
    room.evaluate("draw('box')")
    start, end = at(room, (120, 140)), at(room, (231, 222))
    room.mouse.move(*start)
    room.mouse.wheel(0, -100)
    room.mouse.down(button="middle")
    room.mouse.move(start[0] + 10, start[1] + 10, steps=3)
    room.mouse.up(button="middle")
    painted(room)
    assert view.text_content() != before  # the zoom
    expected = [image_point(canvas_of(room), point) for point in (start, end)]
    draw_box(room, start, end)
    assert_points(drawn(room)["points"], expected)
    expect(view).to_contain_text("W 256  L 128")


def test_without_drawing_a_drag_changes_the_window_and_makes_no_region(room: Page) -> None:
    draw_box(room, at(room, (120, 140)), at(room, (200, 180)))
    expect(room.locator("#view")).not_to_contain_text("W 256  L 128")
    expect(room.locator(".a9s-annotation")).to_have_count(0)


def test_a_region_that_leaves_the_image_ends_at_its_border(room: Page) -> None:
    room.keyboard.press("Home")
    painted(room)
    start = at(room, (400, 430))
    expected = image_point(canvas_of(room), start)
    room.evaluate("draw('box')")
    draw_box(room, start, at(room, (600, 540)))
    assert_points(drawn(room)["points"], [expected, (SIDE, SIDE)])


def test_a_mere_click_is_refused_with_a_message(room: Page) -> None:
    room.evaluate("draw('box')")
    room.mouse.click(*at(room, (180, 180)))
    assert drawn(room) is None
    expect(room.locator(".region-hint")).to_contain_text("Too small")
    expect(room.locator(".frame.drawing")).to_have_count(0)


def test_escape_cancels_a_drawing_and_the_next_drag_is_a_window(room: Page) -> None:
    room.evaluate("draw('polygon')")
    room.mouse.click(*at(room, (130, 140)))
    room.keyboard.press("Escape")
    assert drawn(room) is None
    draw_box(room, at(room, (120, 140)), at(room, (200, 180)))
    expect(room.locator("#view")).not_to_contain_text("W 256  L 128")


def test_a_box_is_placed_by_keyboard_alone(room: Page) -> None:
    room.evaluate("draw('box')")
    for key in ("ArrowLeft", "ArrowUp", "ArrowUp", "Shift+ArrowRight", "Control+ArrowDown"):
        room.keyboard.press(key)
    room.keyboard.press("3")  # scores nothing
    room.keyboard.press("Enter")
    # A quarter of the image in its middle; a step is a 64th of the image, with Ctrl one pixel.
    assert drawn(room) == {"shape": "box", "points": [[184, 177], [320, 305]]}
    expect(room.locator(".cell[aria-checked=true]")).to_have_count(0)


def test_a_region_is_shown_again_with_its_name_where_it_was(room: Page) -> None:
    room.evaluate("(region) => regions.show([region])", CLAVICLES)
    expect(room.locator(".region-label")).to_have_text("Clavicles, minor")
    painted(room)
    shape = box_of(room.locator(".a9s-annotation .a9s-inner"))
    left, top = screen_point(canvas_of(room), (100, 120))
    right, bottom = screen_point(canvas_of(room), (260, 200))
    corners = (shape["x"], shape["y"], shape["x"] + shape["width"], shape["y"] + shape["height"])
    assert corners == pytest.approx((left, top, right, bottom), abs=2)  # its line has a width


def test_a_region_is_selected_and_deleted_by_mouse_and_key(room: Page) -> None:
    room.evaluate("(region) => regions.show([region])", CLAVICLES)
    room.mouse.click(*at(room, (180, 120)))  # its upper border
    expect(room.locator(".region-label")).to_have_attribute("aria-pressed", "true")
    room.keyboard.press("Delete")
    expect(room.locator(".region-label")).to_have_count(0)
    expect(room.locator(".a9s-annotation")).to_have_count(0)
    assert room.evaluate("changes") == [["clavicles/0", None]]


def test_a_region_is_moved_and_resized_by_keyboard_alone(room: Page) -> None:
    room.evaluate("(region) => regions.show([region])", CLAVICLES)
    room.locator(".region-label").focus()
    room.keyboard.press("ArrowRight")
    room.keyboard.press("Shift+ArrowDown")
    room.keyboard.press("Escape")
    expect(room.locator(".region-label")).to_have_attribute("aria-pressed", "false")
    last = room.evaluate("changes.at(-1)")
    assert last == ["clavicles/0", {"shape": "box", "points": [[108, 120], [268, 208]]}]


def test_a_corner_is_dragged_to_another_place(room: Page) -> None:
    room.evaluate("(region) => regions.show([region])", CLAVICLES)
    room.locator(".region-label").click()
    way = (24, 36)
    corner = at(room, (260, 200))
    moved = [image_point(canvas_of(room), point) for point in (corner, at_offset(corner, way))]
    draw_box(room, corner, at_offset(corner, way))
    room.wait_for_function("() => changes.length > 0")
    identity, region = room.evaluate("changes.at(-1)")
    assert identity == "clavicles/0"
    expected = (260 + moved[1][0] - moved[0][0], 200 + moved[1][1] - moved[0][1])
    assert_points(region["points"], [(100, 120), expected])


def test_a_polygon_is_moved_by_mouse_and_by_keyboard(room: Page) -> None:
    triangle = {**CLAVICLES, "shape": "polygon", "points": [[100, 120], [260, 130], [170, 220]]}
    room.evaluate("(region) => regions.show([region])", triangle)
    room.locator(".region-label").click()
    start, way = at(room, (175, 155)), (24, 12)
    moved = [image_point(canvas_of(room), point) for point in (start, at_offset(start, way))]
    by = (moved[1][0] - moved[0][0], moved[1][1] - moved[0][1])
    draw_box(room, start, at_offset(start, way))
    room.wait_for_function("() => changes.length > 0")
    corners = [(x + by[0], y + by[1]) for x, y in ((100, 120), (260, 130), (170, 220))]
    assert_points(room.evaluate("changes.at(-1)[1].points"), corners)
    room.keyboard.press("ArrowLeft")
    assert_points(room.evaluate("changes.at(-1)[1].points"), [(x - 8, y) for x, y in corners])


def at_offset(point: Point, way: Point) -> Point:
    return point[0] + way[0], point[1] + way[1]


def test_a_drag_inside_a_region_that_is_not_selected_is_a_window(room: Page) -> None:
    room.evaluate("(region) => regions.show([region])", CLAVICLES)
    draw_box(room, at(room, (150, 150)), at(room, (220, 170)))
    expect(room.locator("#view")).not_to_contain_text("W 256  L 128")
    assert room.evaluate("changes") == []


def test_regions_follow_what_the_page_says(room: Page) -> None:
    other = {**CLAVICLES, "id": "noise/0", "label": "Noise, major", "grade": "major"}
    room.evaluate("(shown) => regions.show(shown)", [CLAVICLES, other])
    expect(room.locator(".region-label")).to_have_count(2)
    room.evaluate("(shown) => regions.show(shown)", [other])
    expect(room.locator(".region-label")).to_have_text(["Noise, major"])
    room.evaluate("regions.erase('noise/0')")
    expect(room.locator(".region-label, .a9s-annotation")).to_have_count(0)
