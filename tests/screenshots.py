"""Pictures of every page at two sizes: ``make screenshots`` beside a running demo.

Follows the links of each role's pages from the start page on, takes one page of each
kind (one a URL name), and says which pages scroll sideways or answer with an error.
"""

import os
import sys
from collections import deque
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from django.core.wsgi import get_wsgi_application
from django.urls import Resolver404, resolve
from playwright.sync_api import Browser, Page, sync_playwright

from feedback_app.local import chromium

SIZES = ((1920, 1080), (1280, 800))
PASSED_OVER = ("admin", "accounts", "api")


def photograph(page: Page, folder: Path, name: str) -> list[str]:
    """Save the page at every size; return what is wrong with it."""
    faults = []
    for width, height in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(300)
        page.screenshot(path=folder / f"{name}-{width}.png")
        overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if overflow > 0:
            faults.append(f"{name} scrolls sideways by {overflow} px at {width}")
    return faults


def links_of(page: Page, base: str) -> list[str]:
    hrefs = page.eval_on_selector_all("a[href]", "links => links.map(link => link.href)")
    return [href.split("#")[0] for href in hrefs if href.startswith(base)]


def kind_of(url: str) -> str | None:
    """The URL's name, or None where it is no page of ours to look at."""
    try:
        match = resolve(urlsplit(url).path)
    except Resolver404:
        return None
    return None if set(match.namespaces) & set(PASSED_OVER) else match.view_name


def tour(browser: Browser, *, base: str, login: tuple[str, str], folder: Path) -> list[str]:
    """Photograph one page of each kind that this person can reach by links."""
    context = browser.new_context(base_url=base)
    page = context.new_page()
    page.goto("/accounts/login/")
    faults = photograph(page, folder, "login")
    page.get_by_label("Name").fill(login[0])
    page.get_by_label("Password").fill(login[1])
    page.get_by_role("button", name="Log in").click()
    waiting, seen = deque([page.url, urljoin(base, "/")]), set()
    while waiting:
        url = waiting.popleft()
        kind = kind_of(url)
        if kind is None or kind in seen or url.endswith((".png", ".csv", ".jsonl", "download")):
            continue
        seen.add(kind)
        response = page.goto(url, wait_until="networkidle")
        if response is None or not response.ok:
            faults.append(f"{kind} answered {response and response.status}: {url}")
            continue
        faults += photograph(page, folder, f"{login[0]}-{kind.replace(':', '-')}")
        waiting.extend(links_of(page, base))
    context.close()
    return faults


def main(folder: Path, base: str, password: str) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.find(), args=list(chromium.FLAGS)
        )
        faults = [
            fault
            for name in ("rosa", "ada")
            for fault in tour(browser, base=base, login=(name, password), folder=folder)
        ]
        browser.close()
    sys.stdout.write("".join(f"{fault}\n" for fault in faults))
    sys.stdout.write(f"{len(list(folder.glob('*.png')))} pictures in {folder}\n")
    return bool(faults)


if __name__ == "__main__":
    get_wsgi_application()
    from feedback_app.provenance.demo import PASSWORD

    sys.exit(
        main(
            Path(os.environ.get("SCREENSHOTS", ".reading-room/screenshots")),
            os.environ.get("ADDRESS", "http://127.0.0.1:8000"),
            PASSWORD,
        )
    )
