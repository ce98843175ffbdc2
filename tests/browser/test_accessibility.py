"""Every kind of page, for each role: axe-core, 200 % zoom, reduced motion."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.urls import reverse
from playwright.sync_api import Browser, Page, ViewportSize, expect
from pytest_django.live_server_helper import LiveServer

from feedback_app.accounts.models import User
from feedback_app.readings.claims import claim
from feedback_app.webhooks.models import Webhook
from tests.access_table import TABLE
from tests.browser.faults import FULL, ZOOMS, faults_of
from tests.readings.answers import read
from tests.readings.rooms import active_pool
from tests.touring import tour
from tests.windows import PATIENCE_MS
from tests.world import World, build_world

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.usefixtures("committed")]

NOT_PAGES = {
    "admin/password_change/", "admin/login/", "operations:metrics", "home",
    "accounts:code", "accounts:sign-on", "accounts:sign-on-return",
    "accounts:audit_csv", "accounts:login", "accounts:session",
    "images:prompt-set-text", "experiments:plot", "experiments:report-to-keep",
    "readings:example", "readings:mask", "readings:picture", "readings:preview-mask",
    "readings:preview", "readings:preview-picture", "readings:preview-reference",
    "readings:reference", "readings:results-doubts",
    "readings:plot", "readings:results",
    "readings:readings-file", "readings:results-candidate", "readings:results-images",
    "images:cohort-mask", "images:cohort-skipped", "images:file", "images:recipe-mask",
    "notices:count", "runs:progress", "finetuning:snapshot_file",
    "finetuning:snapshot_remarks", "finetuning:finetune_curve", "studies:offered-batches",
    "finetuning:gate_plot", "finetuning:gate_report", "exports:download",
    "vlms:group-plot", "vlms:curve", "vlms:fairness", "vlms:picture",
    "vlms:set-download", "vlms:set-sample",
    "studies:training",  # the form of studies:make-training, with its answers
}  # fmt: skip
"""Files, fragments and what sends on; the login has a test of its own."""
ONLY_READERS_PAGES = {"readings:read"}


@pytest.fixture
def world(committed: None, rosa: User, ravi: User, cora: User, tmp_path: Path) -> World:
    return build_world(rosa=rosa, ravi=ravi, cora=cora, folder=tmp_path / "ward")


@pytest.fixture
def zoomable(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    """A page on a screen of 1280 x 800; half the size is the same screen at 200 %."""
    context = browser.new_context(
        base_url=live_server.url, viewport=FULL, device_scale_factor=2, reduced_motion="reduce"
    )
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


@pytest.fixture
def page(zoomable: Page) -> Page:
    return zoomable


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What the browser complains of on its console, such as what the page's policy forbids."""
    lines: list[str] = []
    page.on("console", lambda line: lines.append(line.text) if line.type == "error" else None)
    page.on("pageerror", lambda error: lines.append(str(error)))
    return lines


def faults_of_all(
    page: Page, base: str, starts: list[str], zooms: Mapping[str, ViewportSize]
) -> dict[str, list[str]]:
    """By kind of page; a page without a fault has an empty list."""
    return {
        kind: [*faults_of(page, zooms), *([] if status == 200 else [f"answered {status}"])]
        for kind, status in tour(page, base, starts)
    }


def told(faults: dict[str, list[str]]) -> str:
    return "\n".join(f"{kind}: {fault}" for kind, found in faults.items() for fault in found)


def linkable_pages() -> set[str]:
    shown = {name for name, line in TABLE.items() if line.method == "get"}
    pages = {name for name in shown if not name.startswith("api:")}
    return pages - NOT_PAGES - ONLY_READERS_PAGES


@pytest.mark.parametrize("who", ["rosa", "otto", "cora", "ada"])
def test_every_page_of_a_person_can_be_used_by_everybody(
    page: Page,
    live_server: LiveServer,
    log_in: Callable[[User], None],
    world: World,
    complaints: list[str],
    request: pytest.FixtureRequest,
    who: str,
) -> None:
    log_in(request.getfixturevalue(who))
    starts = ["/", reverse("accounts:password")]
    if who == "rosa":
        starts.append(reverse("readings:read", args=[world.slot.pk]))
    if who in {"cora", "ada"}:
        starts += [reverse("studies:edit", args=[world.draft.pk]), reverse("studies:picked")]
        starts.append(reverse("readings:results-page", args=[world.study.pk]))
        starts.append(reverse("studies:calibration", args=[world.draft.pk]))
        starts.append(reverse("readings:results-calibration", args=[world.study.pk]))
        starts.append(reverse("readings:preview", args=[world.draft.pk]))
        starts.append(reverse("experiments:experiment", args=[world.experiment.pk]))
        starts.append(reverse("experiments:edit", args=[world.draft_experiment.pk]))
    if who == "ada":
        Webhook.objects.create(name="Ward", url="https://ward.example.org/", events=["run.failed"])
        starts.append(reverse("operations:erase-person", args=[world.slot.reader_id]))
        starts.append(reverse("vlms:question", args=[world.image_question.pk]))
        starts.append(reverse("vlms:gate", args=[world.vlm_gate.pk]))
    zooms = {"100 %": FULL} if who == "cora" else ZOOMS  # an admin's pages are laid out like these
    faults = faults_of_all(page, live_server.url, starts, zooms)
    assert not any(faults.values()), told(faults)
    assert not complaints
    if who == "ada":
        missed = linkable_pages() - faults.keys()
        assert not missed, f"No link leads an admin to these pages, so none was looked at: {missed}"


def test_a_pool_whose_order_is_active_can_be_used_by_everybody(
    page: Page, log_in: Callable[[User], None], rosa: User, cora: User
) -> None:
    study = active_pool(rosa)
    given = claim(study, rosa)
    assert given is not None
    read(given)
    log_in(cora)
    page.goto(reverse("studies:detail", args=[study.pk]))
    expect(page.get_by_text("telltale-reward").first).to_be_visible()
    faults = {"study": faults_of(page)}
    page.goto(reverse("readings:results-page", args=[study.pk]))
    faults["results"] = faults_of(page)
    assert not any(faults.values()), told(faults)


def test_the_login_and_the_locked_login_can_be_used_by_everybody(
    page: Page, settings: Any, live_server: LiveServer
) -> None:
    settings.LOGIN_FAILURES = settings.AXES_FAILURE_LIMIT = 2
    page.goto(reverse("accounts:login"))
    faults = {"login": faults_of(page)}
    for _ in range(2):
        page.get_by_label("Name").fill("nobody")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Log in").click()
        page.wait_for_load_state("networkidle")
    assert page.get_by_role("heading", name="Login locked").is_visible()
    faults["locked login"] = faults_of(page)
    assert not any(faults.values()), told(faults)


@pytest.mark.parametrize("name", ["400", "403", "403_csrf", "404", "500"])
def test_error_pages_can_be_used_by_everybody(page: Page, name: str) -> None:
    page.route(
        "**/broken", lambda route: route.fulfill(
            body=render_to_string(f"{name}.html"), content_type="text/html"
        )
    )  # fmt: skip
    page.goto("/broken")
    faults = faults_of(page)
    assert not faults, "\n".join(faults)
