"""How fast the reading page is, measured inside a real headless Chromium on a local server.

The next case: from the keydown of Enter to the first frame with the new case's pictures. A
window drag: the time from frame to frame while every frame has a new window, with the
browser's own limit of 60 frames a second taken off, so that shorter times can be seen.
"""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import django
import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.rows import Row
from feedback_app.local import chromium
from generation.errors import RemediableError

if TYPE_CHECKING:
    from feedback_app.studies.models import Slot
    from tests.web_server import WebServer

CASES = 30
IMAGES = 4
SIDE = 512
DRAG_FRAMES = 240
WARM_UP_FRAMES = 20
UNLIMITED = ("--disable-frame-rate-limit", "--disable-gpu-vsync")

WATCH_ENTER = """() => {
    performance.setResourceTimingBufferSize(10_000);
    window.paints = [];
    let pressed;
    document.addEventListener("keydown", (event) => {
        if (event.key === "Enter") pressed = event.timeStamp;
    }, { capture: true });
    new MutationObserver(() => requestAnimationFrame(() => setTimeout(() => {
        window.paints.push(performance.now() - pressed);
    }))).observe(document.getElementById("images"), { childList: true });
}"""

DRAG = """async ([x, y, frames]) => {
    const frame = document.querySelector(".frame");
    const times = [];
    const next = () => new Promise(requestAnimationFrame);
    for (let count = 0; count <= frames; count++) {
        const angle = count / 9;
        frame.dispatchEvent(new PointerEvent("pointermove", {
            pointerId: 1, bubbles: true, buttons: 1,
            clientX: x + 90 * Math.sin(angle), clientY: y + 60 * Math.cos(angle),
        }));
        await next();
        times.push(performance.now());
    }
    return times.slice(1).map((time, count) => time - times[count]);
}"""


def run() -> list[Row]:
    program = chromium.find()
    if program is None:
        raise RemediableError(
            "There is no Chromium.", remedy="Install it, or name one in CHROMIUM."
        )
    with serving_a_study() as (server, slots, cookie), sync_playwright() as playwright:

        def browse(*flags: str) -> Browser:
            arguments = [*chromium.FLAGS, *flags]
            return playwright.chromium.launch(executable_path=program, args=arguments)

        with browse() as browser:
            paints = next_case_times(open_case(browser, server, slots[0], cookie), slots)
        with browse(*UNLIMITED) as browser:
            frames = drag_times(open_case(browser, server, slots[0], cookie))
    return [
        *median_and_95th("next_case_paint", paints, target_ms=100),
        *median_and_95th("window_drag", frames, target_ms=16),
    ]


def median_and_95th(name: str, times_ms: Sequence[float], *, target_ms: float) -> list[Row]:
    """The baseline is the target: a ratio below 1 is within it."""
    rows = []
    for suffix, percent in (("ms", 50), ("p95_ms", 95)):
        value = float(np.percentile(times_ms, percent))
        rows.append(
            Row(
                name=f"{name}_{suffix}",
                value=round(value, 2),
                unit="ms",
                baseline=target_ms,
                ratio=round(value / target_ms, 3),
            )
        )
    return rows


@contextmanager
def serving_a_study() -> "Iterator[tuple[WebServer, list[Slot], dict[str, str]]]":
    """Returns a web server with an open study on a fresh database, and a reader's session."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feedback_app.settings")
    # Playwright's sync API keeps an event loop in this thread, which Django takes for async code.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    django.setup()
    from django.conf import settings
    from django.core.management import call_command
    from django.test import Client

    from feedback_app.accounts.models import Role, User
    from tests.readings.rooms import assign, make_room, synthetic
    from tests.web_server import WebServer

    call_command("migrate", verbosity=0)
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)
    reader = User.objects.create_user("bench-reader", role=Role.READER)
    size = (SIDE, SIDE)
    cases = [
        [synthetic(IMAGES * case + place, size=size) for place in range(IMAGES)]
        for case in range(CASES + 1)
    ]
    slots = assign(make_room("rate_k", reader, cases=cases, name="Bench"), reader)
    client = Client()
    client.force_login(reader)
    name = settings.SESSION_COOKIE_NAME
    with tempfile.TemporaryDirectory() as folder:
        server = WebServer(log=Path(folder) / "web.log")
        server.start()
        try:
            cookie = {"name": name, "value": client.cookies[name].value, "url": server.address}
            yield server, slots, cookie
        finally:
            server.stop()


def open_case(browser: Browser, server: "WebServer", slot: "Slot", cookie: dict[str, str]) -> Page:
    context = browser.new_context(base_url=server.address, viewport={"width": 1920, "height": 1080})
    context.add_cookies([cookie])  # type: ignore[list-item]
    page = context.new_page()
    page.goto(f"/read/{slot.pk}/")
    page.wait_for_selector(f".tile:nth-of-type({IMAGES})")
    return page


def next_case_times(page: Page, slots: "Sequence[Slot]") -> list[float]:
    """Milliseconds from Enter to the picture, for every case after the first."""
    page.evaluate(WATCH_ENTER)
    for number, following in enumerate(slots[1:], start=1):
        wait_until_decoded(page, following)
        for _ in range(page.locator(".strip").count()):
            page.keyboard.press("3")
        page.keyboard.press("Enter")
        page.wait_for_function("(count) => window.paints.length >= count", arg=number)
    times: list[float] = page.evaluate("window.paints")
    return times


def wait_until_decoded(page: Page, slot: "Slot") -> None:
    """A reader takes longer for a case than its successor's pictures take to come."""
    page.wait_for_function(
        "([part, count]) => performance.getEntriesByType('resource')"
        ".filter((one) => one.name.includes(part) && one.responseEnd > 0).length >= count",
        arg=[f"{slot.pk}/images/", IMAGES],
    )
    page.wait_for_timeout(250)


def drag_times(page: Page) -> list[float]:
    """Milliseconds from frame to frame of a drag that changes the window in every one."""
    box = page.locator(".frame").first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    times: list[float] = page.evaluate(DRAG, [x, y, WARM_UP_FRAMES + DRAG_FRAMES])
    page.mouse.up()
    return times[WARM_UP_FRAMES:]
