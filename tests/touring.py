"""Walking the site by its links: one page of each kind, which is one of each URL name."""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from urllib.parse import urljoin, urlsplit

from django.urls import Resolver404, resolve
from playwright.sync_api import Page, Request

PASSED_OVER = ("admin", "api")
LOOK_MS, QUIET_LOOKS, LIMIT_S = 40, 3, 30
FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def tour(page: Page, base: str, starts: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Every kind of page that this browser's person reaches by links, and its status.

    The page is open while its kind is yielded.
    """
    waiting, seen = deque(urljoin(base, start) for start in starts), set()
    rest = Rest(page)
    while waiting:
        url = waiting.popleft()
        kind = kind_of(url)
        if kind is None or kind in seen:
            continue
        response = page.goto(url)
        assert response is not None
        rest.wait()
        arrived = kind_of(page.url)  # a page may send on to another
        seen |= {kind, arrived}
        yield arrived or kind, response.status
        waiting.extend(links_of(page, base))


class Rest:
    """Nothing is under way between page and server; Playwright's own wait takes half a second."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.under_way: set[Request] = set()
        page.on("request", self.begin)
        page.on("requestfinished", self.end)
        page.on("requestfailed", self.end)

    def begin(self, request: Request) -> None:
        self.under_way.add(request)

    def end(self, request: Request) -> None:
        self.under_way.discard(request)

    def wait(self) -> None:
        deadline = time.monotonic() + LIMIT_S
        quiet = 0
        while quiet < QUIET_LOOKS:
            assert time.monotonic() < deadline, f"{self.page.url} still asks for {self.under_way}"
            self.page.wait_for_timeout(LOOK_MS)
            quiet = 0 if self.under_way else quiet + 1


def links_of(page: Page, base: str) -> list[str]:
    """Where the page's links lead within the site; links to files to keep are none."""
    hrefs = page.eval_on_selector_all(
        "a[href]:not([download])", "links => links.map(link => link.href)"
    )
    return [href.split("#")[0] for href in hrefs if href.startswith(base)]


def kind_of(url: str) -> str | None:
    """The URL's name, or None where it is no page of ours to look at."""
    path = urlsplit(url).path
    if path.endswith((".png", ".csv", ".jsonl", ".svg", "download")):
        return None
    try:
        match = resolve(path)
    except Resolver404:
        return None
    return None if set(match.namespaces) & set(PASSED_OVER) else match.view_name
