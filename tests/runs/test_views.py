"""Run pages."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from feedback_app.runs import services
from feedback_app.runs.models import Run, State
from feedback_app.runs.progress import Progress
from generation.errors import RemediableError

pytestmark = pytest.mark.django_db

OUTSIDERS = {"nobody": 302, "rosa": 403, "ravi": 403, "otto": 403}
HTMX = {"HX-Request": "true"}


@pytest.mark.parametrize("name", ["list", "run", "progress"])
def test_only_coordinators_see_runs(everyone: dict[str, Client], queued: Run, name: str) -> None:
    address = reverse(f"runs:{name}", args=[] if name == "list" else [queued.pk])
    answers = {who: client.get(address).status_code for who, client in everyone.items()}
    assert answers == OUTSIDERS | {"cora": 200, "ada": 200}


@pytest.mark.parametrize("name", ["cancel", "retry"])
def test_only_coordinators_cancel_and_retry(
    everyone: dict[str, Client], queued: Run, name: str
) -> None:
    address = reverse(f"runs:{name}", args=[queued.pk])
    for who, status in OUTSIDERS.items():
        assert everyone[who].post(address).status_code == status
    queued.refresh_from_db()
    assert queued.state == State.QUEUED
    assert everyone["cora"].get(address).status_code == 405
    assert everyone["cora"].post(address).status_code == 302
    queued.refresh_from_db()
    assert queued.state == (State.CANCELLED if name == "cancel" else State.QUEUED)


def test_the_list_shows_the_runs_of_a_state(cora_client: Client, queued: Run) -> None:
    page = cora_client.get(reverse("runs:list"), {"state": "queued"})
    assert queued.title in page.content.decode()
    page = cora_client.get(reverse("runs:list"), {"state": "failed"})
    assert "No run fits this filter" in page.content.decode()
    page = cora_client.get(reverse("runs:list"), {"state": "nonsense", "page": "999"})
    assert queued.title in page.content.decode()


def test_a_page_asks_again_until_its_run_is_finished(
    cora_client: Client, queued: Run, handle: Callable[[Any], Any]
) -> None:
    address = reverse("runs:run", args=[queued.pk])
    assert "every 1s" in cora_client.get(address).content.decode()
    handle(lambda progress: {})
    services.execute(queued.pk)
    for headers in ({}, HTMX):
        assert "every 1s" not in cora_client.get(address, headers=headers).content.decode()


def test_a_fragment_brings_the_new_lines_of_the_log_alone(cora_client: Client, queued: Run) -> None:
    run = services.claim(queued.pk)
    assert run is not None
    progress = Progress(run)
    progress.log("first line")
    first = run.log_lines.get().pk
    progress.log("<b>second</b> line")
    address = reverse("runs:run", args=[queued.pk])
    fragment = cora_client.get(address, {"after": first}, headers=HTMX).content.decode()
    assert "first line" not in fragment
    assert "&lt;b&gt;second&lt;/b&gt; line" in fragment
    assert 'hx-swap-oob="beforeend:#log"' in fragment
    assert "first line" in cora_client.get(address, {"after": first}).content.decode()


def test_the_page_of_a_failed_run_says_what_to_do(
    cora_client: Client, queued: Run, handle: Callable[[Any], Any]
) -> None:
    def failing(progress: Progress) -> dict[str, object]:
        raise RemediableError("The disk is full.", remedy="Free some room.")

    handle(failing)
    services.execute(queued.pk)
    page = cora_client.get(reverse("runs:run", args=[queued.pk])).content.decode()
    assert "The disk is full." in page
    assert "Free some room." in page
    assert reverse("runs:retry", args=[queued.pk]) in page


def test_progress_says_how_far_and_how_fast(cora_client: Client, queued: Run) -> None:
    run = services.claim(queued.pk)
    assert run is not None
    progress = Progress(run)
    progress.update(0, total=200)
    progress.update(50, note="still at it")
    page = cora_client.get(reverse("runs:progress", args=[queued.pk])).content.decode()
    assert "50 of 200" in page
    assert 'aria-valuenow="25"' in page
    assert "still at it" in page
    assert "left" in page


@pytest.mark.parametrize("verb", ["cancel", "retry"])
def test_a_coordinator_leaves_an_export_to_admins(
    cora_client: Client, ada_client: Client, verb: str
) -> None:
    export = services.start("export", title="Export", spec={})
    address = reverse(f"runs:{verb}", args=[export.pk])
    assert cora_client.post(address).status_code == 403
    assert ada_client.post(address).status_code == 302
