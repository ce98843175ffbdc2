"""Everybody is answered at every address of the site as the table beside this file says.

A new address needs a line there; a test fails until it has one.
"""

from collections.abc import Iterator
from copy import copy, deepcopy
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.access_lines import Line
from tests.access_table import TABLE
from tests.world import World

pytestmark = pytest.mark.django_db

CAST = ("nobody", "rosa", "ravi", "otto", "cora", "ada")
NOT_OURS = ("admin",)
"""Django's admin checks its own permissions; one line below holds that only staff get in."""

KEPT_BY_BROWSERS = {
    *("images:file", "finetuning:gate_plot", "experiments:plot", "readings:plot"),
    "api:image-file",
}
"""Pictures of candidates, and plots: everything else may tell of patients or of people."""


def addresses(
    resolver: URLResolver, *, namespace: str = "", prefix: str = ""
) -> Iterator[tuple[str, str]]:
    """The name of every address, or its route where it has none, with its route."""
    for entry in resolver.url_patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            within = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            if within.split(":")[0] not in NOT_OURS:
                yield from addresses(entry, namespace=within, prefix=route)
        else:
            assert isinstance(entry, URLPattern)
            yield (f"{namespace}{entry.name}" if entry.name else route), route


ROUTES = dict(addresses(get_resolver()))


@pytest.fixture
def world(module_world: World, db: None) -> World:
    return deepcopy(module_world)


def test_every_address_has_a_line_in_the_table() -> None:
    unlisted = {name: route for name, route in ROUTES.items() if name not in TABLE}
    assert not unlisted, (
        "Say in TABLE of tests/access_table.py who may open these addresses "
        f"(name: route): {unlisted}"
    )


def test_every_line_of_the_table_has_an_address() -> None:
    gone = sorted(TABLE.keys() - ROUTES.keys())
    assert not gone, f"Take these out of TABLE of tests/access_table.py; they are no more: {gone}"


def test_everybody_gets_the_answer_in_the_table(everyone: dict[str, Client], world: World) -> None:
    wrong = []
    for name, line in TABLE.items():
        address = f"/{name}" if name == ROUTES[name] else reverse(name, args=line.args(world))
        for who, status in zip(CAST, line.expected, strict=True):
            answer = ask(everyone[who], line, address, body=line.body(world))
            if answer.status_code != status:
                told = f"{who} got {answer.status_code}, not {status}"
                wrong.append(f"{name}: {told} ({line.method} {address})")
            kept = "no-store" not in answer.get("Cache-Control", "")
            if kept and name not in KEPT_BY_BROWSERS:
                wrong.append(f"{name}: browsers keep what {who} got ({line.method} {address})")
    assert not wrong, "\n".join(["TABLE of tests/access_table.py says otherwise:", *wrong])


def ask(client: Client, line: Line, address: str, *, body: dict[str, Any]) -> HttpResponse:
    """One answer; what the request changed is undone."""
    cookies = copy(client.cookies)
    is_json = line.method != "get" and address.startswith("/api/")
    options = {"content_type": "application/json"} if is_json else {}
    with transaction.atomic():
        response = getattr(client, line.method)(address, body, **options)
        if response.streaming:
            b"".join(response.streaming_content)
        transaction.set_rollback(True)
    client.cookies = cookies
    assert isinstance(response, HttpResponse | StreamingHttpResponse)
    return response  # type: ignore[return-value]


def test_what_changes_something_is_not_done_by_following_a_link(
    ada_client: Client, world: World
) -> None:
    statuses = {
        name: ada_client.get(reverse(name, args=line.args(world))).status_code
        for name, line in TABLE.items()
        if line.method == "post"
    }
    assert statuses == dict.fromkeys(statuses, 405)


def test_only_staff_get_into_djangos_admin(everyone: dict[str, Client]) -> None:
    statuses = {who: client.get("/admin/").status_code for who, client in everyone.items()}
    assert statuses == dict.fromkeys(CAST, 302) | {"ada": 200}


def test_a_studys_other_reader_cannot_reach_a_slot_of_another_one(
    ravi_client: Client, world: World
) -> None:
    """Nor does anybody with a higher role: a slot is its reader's alone."""
    own = world.study.slots.get(reader__username="ravi", case=world.slot.case)
    assert ravi_client.get(reverse("api:slot", args=[own.pk])).status_code == 200
    assert ravi_client.get(reverse("api:slot", args=[world.slot.pk])).status_code == 404
