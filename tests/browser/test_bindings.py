"""Keys and mouse functions that a reader changes, in a real browser."""

import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, Route, expect

from feedback_app.accounts.models import User
from feedback_app.studies.models import Slot
from tests.browser.reading import enter, expect_chosen
from tests.studies.making import make_study
from tests.windows import PATIENCE_MS

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("committed")]

ADDRESS = "**/api/reading-preferences/"
PREFERENCES = '<script id="preferences-data" type="application/json">'


class Server:
    """Keeps preferences as the server does: takes what is put, and gives it to the next page."""

    def __init__(self, page: Page) -> None:
        self.kept: dict[str, Any] = {"bindings": {}}
        self.puts = 0
        self.is_down = False
        page.route(ADDRESS, self.take)
        page.route("**/read/*-*/", self.embed)

    def take(self, route: Route) -> None:
        assert route.request.method == "PUT"
        assert route.request.headers["x-csrftoken"]
        if self.is_down:
            route.abort()
            return
        self.puts += 1
        self.kept = json.loads(route.request.post_data or "")
        route.fulfill(status=200, json=self.kept)

    def expect_kept(
        self, page: Page, bindings: dict[str, list[str]], *, puts: int | None = None
    ) -> None:
        """A change is sent once the reader pauses."""
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while self.kept != {"bindings": bindings} or self.puts < (puts or 0):
            assert time.monotonic() < deadline, f"{self.kept} was kept"
            page.wait_for_timeout(50)

    def embed(self, route: Route) -> None:
        """In place of what the page brings along, if anything."""
        answer = route.fetch()
        body = answer.text().replace('id="preferences-data"', 'id="other-data"')
        given = f"{PREFERENCES}{json.dumps(self.kept)}</script>"
        route.fulfill(response=answer, body=body.replace("</main>", f"{given}</main>"))


@pytest.fixture
def slot(rosa: User) -> Slot:
    slot: Slot = make_study(rosa, prompts=1).slots.get()
    return slot


@pytest.fixture
def server(page: Page) -> Server:
    return Server(page)


@pytest.fixture
def room(
    page: Page, slot: Slot, rosa: User, server: Server, log_in: Callable[[User], None]
) -> Page:
    log_in(rosa)
    enter(page, slot)
    return page


def key_of(page: Page, command: str) -> Locator:
    return page.locator(f".key[data-command={command}]").first


def open_editor(page: Page) -> None:
    page.keyboard.press("?")
    page.locator("#edit-keys").click()


def bind(page: Page, command: str, key: str) -> None:
    key_of(page, command).click()
    page.keyboard.press(key)


def close_help(page: Page) -> None:
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()


def is_inverted(page: Page) -> bool:
    return page.locator("#invert").get_attribute("aria-pressed") == "true"


def test_a_changed_key_works_is_saved_and_is_there_after_a_reload(
    room: Page, slot: Slot, server: Server
) -> None:
    open_editor(room)
    bind(room, "invert", "d")
    expect(room.locator("#help output")).to_have_text("D it is.")
    expect(key_of(room, "invert")).to_have_text("D")
    close_help(room)
    room.keyboard.press("i")
    assert not is_inverted(room)
    room.keyboard.press("d")
    assert is_inverted(room)
    server.expect_kept(room, {"invert": ["d"]})
    enter(room, slot)
    room.keyboard.press("d")
    assert is_inverted(room)
    room.keyboard.press("?")
    expect(room.locator("#help tr", has_text="Invert")).to_contain_text("D")


@pytest.mark.turns_clock
def test_several_changes_in_a_row_are_saved_once(
    page: Page, slot: Slot, rosa: User, server: Server, log_in: Callable[[User], None]
) -> None:
    page.clock.install()
    log_in(rosa)
    enter(page, slot)
    open_editor(page)
    page.clock.pause_at(timezone.now() + timedelta(minutes=1))
    bind(page, "invert", "d")
    bind(page, "comment", "j")
    page.clock.run_for(500)
    assert server.puts == 0
    page.clock.resume()
    server.expect_kept(page, {"invert": ["d"], "comment": ["j"]})
    assert server.puts == 1


def test_a_change_that_cannot_be_saved_says_so_and_stays_in_the_browser(
    room: Page, slot: Slot, server: Server
) -> None:
    server.is_down = True
    open_editor(room)
    bind(room, "invert", "d")
    expect(room.locator("#help output")).to_contain_text("Not saved on the server")
    enter(room, slot)
    room.keyboard.press("d")
    assert is_inverted(room)
    server.is_down = False
    enter(room, slot)
    server.expect_kept(room, {"invert": ["d"]})


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("c", "C already means “Comment on the case”."),
        ("4", "4 cannot be changed."),
        (" ", "Space cannot be changed."),
    ],
)
def test_a_key_that_is_taken_is_refused_with_a_reason(room: Page, key: str, reason: str) -> None:
    open_editor(room)
    bind(room, "invert", key)
    expect(room.locator("#help output")).to_have_text(reason)
    room.keyboard.press("Escape")
    expect(room.locator("#help")).to_be_visible()
    expect(key_of(room, "invert")).to_have_text("I")
    close_help(room)
    room.keyboard.press("i")
    assert is_inverted(room)


def test_a_key_freed_by_removing_it_can_be_given_away(room: Page) -> None:
    open_editor(room)
    key_of(room, "comment").click()
    room.locator(".key.remove").click()
    bind(room, "invert", "c")
    close_help(room)
    room.keyboard.press("c")
    assert is_inverted(room)
    expect(room.locator("#comment-panel")).to_be_hidden()


def test_a_second_key_for_a_command_leaves_the_first(room: Page) -> None:
    open_editor(room)
    room.locator(".key.add[data-command=invert]").click()
    room.keyboard.press("d")
    close_help(room)
    for key in ("i", "d", "d"):
        room.keyboard.press(key)
    assert is_inverted(room)


def test_resetting_brings_the_defaults_back(room: Page, server: Server) -> None:
    open_editor(room)
    bind(room, "invert", "d")
    room.locator("#help").get_by_label("Right drag").select_option("pan")
    room.locator("#reset-keys").click()
    expect(key_of(room, "invert")).to_have_text("I")
    expect(room.locator("#help").get_by_label("Right drag")).to_have_value("zoom")
    server.expect_kept(room, {}, puts=1)


def test_a_mouse_button_gets_another_function(room: Page, server: Server) -> None:
    open_editor(room)
    room.locator("#help").get_by_label("Left drag").select_option("pan")
    room.locator("#help").get_by_label("Wheel").select_option("window")
    server.expect_kept(room, {"mouseLeft": ["pan"], "mouseWheel": ["window"]})
    close_help(room)
    canvas = room.locator(".frame canvas").first
    before = canvas.bounding_box()
    assert before is not None
    x, y = before["x"] + 100, before["y"] + 100
    room.mouse.move(x, y)
    room.mouse.down()
    room.mouse.move(x + 30, y + 20, steps=3)
    room.mouse.up()
    after = canvas.bounding_box()
    assert after is not None
    moved = (after["x"] - before["x"], after["y"] - before["y"])
    assert moved == pytest.approx((30, 20), abs=0.1)
    expect(room.locator("#view")).to_contain_text("W 256  L 128")
    room.mouse.wheel(0, 100)
    expect(room.locator("#view")).to_contain_text("W 256  L 138")


def test_the_map_shows_no_command_that_the_page_does_not_have(room: Page) -> None:
    room.keyboard.press("?")
    help_text = room.locator("#help").inner_text()
    assert "Show or hide the mask" in help_text
    texts = room.evaluate(
        "async () => (await import('/static/js/reading/bindings.js')).COMMANDS.map((c) => c.text)"
    )
    assert len(set(texts)) == len(texts)


def test_no_key_has_two_meanings_by_default(room: Page) -> None:
    keys = room.evaluate(
        "async () => (await import('/static/js/reading/bindings.js'))"
        ".COMMANDS.flatMap((command) => command.keys)"
    )
    assert len(set(keys)) == len(keys)


def test_what_is_stored_from_another_time_is_taken_as_far_as_it_makes_sense(room: Page) -> None:
    found = room.evaluate(
        """async () => {
            const { Bindings } = await import('/static/js/reading/bindings.js');
            const stored = {
                gone: ["q"], invert: "d", comment: ["i"], mouseLeft: ["fly"], mouseRight: ["pan"],
            };
            const bindings = new Bindings(stored, { onChange() {} });
            return {
                own: bindings.toJSON(), invert: bindings.keysOf("invert"),
                i: bindings.commandOf("i").name, left: bindings.mouse("left"),
            };
        }"""
    )
    assert found == {
        "own": {"comment": ["i"], "mouseRight": ["pan"]},
        "invert": [],
        "i": "comment",
        "left": "window",
    }


def test_keys_are_dead_in_a_text_field(room: Page) -> None:
    room.keyboard.press("c")
    room.keyboard.type("mix zoom [.,] = + - ?")
    assert not is_inverted(room)
    expect(room.locator("#comment-field")).to_have_value("mix zoom [.,] = + - ?")
    expect(room.locator("#view")).to_contain_text("W 256  L 128  1.0")
    expect(room.locator("#help")).to_be_hidden()


# Keys of other keyboards: (code, what it types, modifiers, the window's width, the answers)

PRESS = """([code, key, modifiers]) => document.activeElement.dispatchEvent(new KeyboardEvent(
    "keydown", { code, key, bubbles: true, cancelable: true, ...modifiers }))"""
ALT_GR = {"modifierAltGraph": True}
ALT_GR_ON_WINDOWS = {**ALT_GR, "ctrlKey": True, "altKey": True}


@pytest.mark.parametrize(
    ("code", "key", "modifiers", "width", "answers"),
    [
        pytest.param("Digit5", "[", ALT_GR, 248, [], id="French: AltGr and 5"),
        pytest.param("Digit5", "[", ALT_GR_ON_WINDOWS, 248, [], id="French, on Windows"),
        pytest.param("Digit5", "(", {}, 256, ["5"], id="French: 5 without Shift"),
        pytest.param("Digit5", "5", {"shiftKey": True}, 256, ["5"], id="French: 5 with Shift"),
        pytest.param("Digit8", "[", ALT_GR, 248, [], id="German: AltGr and 8"),
        pytest.param("Digit4", "4", ALT_GR, 256, [], id="AltGr and a digit"),
        pytest.param("BracketLeft", "х", {}, 248, [], id="Russian: the place of ["),
    ],
)
def test_what_was_typed_counts_and_alt_gr_never_scores(
    room: Page, code: str, key: str, modifiers: dict[str, bool], width: int, answers: list[str]
) -> None:
    room.evaluate(PRESS, [code, key, modifiers])
    expect(room.locator("#view")).to_contain_text(f"W {width} ")
    expect_chosen(room, answers)


def test_letters_of_a_cyrillic_layout_work_by_their_place(room: Page) -> None:
    room.evaluate(PRESS, ["KeyI", "ш", {}])
    assert is_inverted(room)
    room.evaluate(PRESS, ["KeyF", "а", {}])
    expect(room.locator("#flag-picker")).to_be_visible()
