"""Pictures of every page at three sizes: ``make screenshots``, with or without a running demo.

Runs on the demo's data, which are made where there are none, with a web server of its own.
Follows the links of each person's pages from the start page on, takes one page of each kind,
then the pages that no link leads to (a locked login, errors, the end of a login), and says
which pages scroll sideways or answer with an error.
"""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.wsgi import get_wsgi_application
from django.template.loader import render_to_string
from django.urls import reverse
from playwright.sync_api import Browser, Page, Route, sync_playwright

from feedback_app.local import chromium
from feedback_app.local.homes import CHECKOUT
from feedback_app.local.processes import spawn
from tests.touring import tour

SIZES = ((2560, 1440), (1920, 1080), (1280, 800))
READY_LIMIT_S = 60


class Camera:
    """Saves pages at every size, and keeps what is wrong with them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pictures: list[Path] = []
        self.faults: list[str] = []

    def take(self, page: Page, name: str) -> None:
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            page.wait_for_timeout(300)
            path = self.folder / f"{name}-{width}.png"
            page.screenshot(path=path)
            self.pictures.append(path)
            overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            if overflow > 0:
                self.faults.append(f"{name} scrolls sideways by {overflow} px at {width}")


def log_in(page: Page, name: str, password: str) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_load_state("networkidle")


def photograph_person(
    browser: Browser, camera: Camera, *, base: str, name: str, password: str, starts: list[str]
) -> None:
    context = browser.new_context(base_url=base)
    page = context.new_page()
    log_in(page, name, password)
    for kind, status in tour(page, base, ["/", *starts]):
        if status != 200:
            camera.faults.append(f"{kind} answered {status}: {page.url}")
        camera.take(page, f"{name}-{kind.replace(':', '-')}")
    photograph_end_of_login(page, camera, name)
    page.goto("/nowhere/")
    camera.take(page, f"{name}-404")
    context.close()


def photograph_end_of_login(page: Page, camera: Camera, name: str) -> None:
    """The last page with the warning that its login ends."""
    page.goto("/read/")
    page.route("**/accounts/session/", lambda route: route.fulfill(json={"remaining_s": 115}))
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    page.get_by_role("button", name="Stay logged in").wait_for()
    camera.take(page, f"{name}-end-of-login")
    page.unroute("**/accounts/session/")


def photograph_strangers_pages(
    browser: Browser, camera: Camera, *, base: str, stranger: str
) -> None:
    context = browser.new_context(base_url=base)
    page = context.new_page()
    page.goto("/accounts/login/")
    camera.take(page, "login")
    while page.get_by_role("heading", name="Login locked").count() == 0:
        log_in(page, stranger, "wrong")
    camera.take(page, "login-locked")
    for error in ("400", "403", "403_csrf", "500"):
        page.route(f"**/{error}", show(render_to_string(f"{error}.html")))
        page.goto(f"/{error}")
        camera.take(page, f"error-{error}")
    context.close()


def show(body: str) -> Callable[[Route], None]:
    return lambda route: route.fulfill(body=body, content_type="text/html")


@contextmanager
def web_server(log: Path) -> Iterator[str]:
    """The address of a server that shows pages as in production."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = [sys.executable, "-m", "gunicorn", "feedback_app.wsgi", "--threads", "4"]
    server = spawn(
        [*program, "--bind", f"127.0.0.1:{port}", "--log-level", "warning"],
        output=log.open("wb"),
        death_signal=signal.SIGTERM,
        env=os.environ | {"DEBUG": "false", "LOG_LEVEL": "INFO"},
        cwd=CHECKOUT,
    )
    base = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(f"{base}/healthz")
        yield base
    finally:
        server.terminate()
        server.wait()


def wait_until_ready(address: str) -> None:
    deadline = time.monotonic() + READY_LIMIT_S
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, OSError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def make_data() -> None:
    """The demo's data, where there are none yet."""
    for command in (["migrate", "--verbosity", "0"], ["demo_data"]):
        subprocess.run([sys.executable, "manage.py", *command], cwd=CHECKOUT, check=True)


def starts_of(username: str) -> list[str]:
    """Pages that no plain link leads to, or that show most: a case to read, drafts' designs, the
    experiment with most results."""
    from feedback_app.accounts.models import User
    from feedback_app.studies.models import Slot

    starts = [reverse("accounts:password")]
    slot = Slot.objects.filter(reader__username=username).order_by("position").first()
    if slot is not None:
        starts.append(reverse("readings:read", args=[slot.pk]))
    if User.objects.get(username=username).is_coordinator:
        starts += coordinators_starts()
    return starts


def coordinators_starts() -> list[str]:
    from django.db.models import Count

    from feedback_app.experiments.models import Experiment, ExperimentState
    from feedback_app.studies.models import Study, StudyState

    study = Study.objects.filter(state=StudyState.DRAFT).first()
    drafts = Experiment.objects.filter(state=ExperimentState.DRAFT)
    told = Experiment.objects.annotate(results=Count("cells__result")).filter(results__gt=0)
    pages = [
        ("studies:edit", study),
        ("experiments:edit", drafts.first()),
        ("experiments:experiment", told.order_by("-results").first()),
    ]
    return [reverse(name, args=[row.pk]) for name, row in pages if row is not None]


def main(folder: Path) -> int:
    from feedback_app.accounts import throttle
    from feedback_app.rehearsal.demo import CAST, PASSWORD

    program = chromium.find()
    if program is None:
        sys.stderr.write("NO CHROMIUM: install it, or name one in CHROMIUM.\n")
        return 1
    make_data()
    folder.mkdir(parents=True, exist_ok=True)
    camera, stranger = Camera(folder), f"stranger-{secrets.token_hex(3)}"
    people = {username: starts_of(username) for username, *_ in CAST}
    with web_server(folder / "web.log") as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(chromium.FLAGS))
        photograph_strangers_pages(browser, camera, base=base, stranger=stranger)
        for name, starts in people.items():
            photograph_person(
                browser, camera, base=base, name=name, password=PASSWORD, starts=starts
            )
        browser.close()
    throttle.unlock(username=stranger)
    sys.stdout.write("".join(f"{fault}\n" for fault in camera.faults))
    sys.stdout.write(f"{len(camera.pictures)} pictures in {folder.resolve()}\n")
    return bool(camera.faults)


if __name__ == "__main__":
    get_wsgi_application()
    sys.exit(main(Path(os.environ.get("SCREENSHOTS", ".reading-room/screenshots"))))
