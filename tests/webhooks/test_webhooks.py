"""Webhooks: what they are told, signed; where they may be sent; what comes again."""

import json
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings
from standardwebhooks.webhooks import Webhook as Signer

from feedback_app.accounts.models import AuditEvent, User
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run, State
from feedback_app.webhooks import addresses, services
from feedback_app.webhooks.models import Delivery, Event, Webhook
from generation.errors import RemediableError
from tests.studies.making import make_batch, make_study
from tests.world import read

pytestmark = pytest.mark.django_db


class Listener:
    """Somebody else's server: it answers ``status`` and keeps what came."""

    def __init__(self) -> None:
        self.status = 204
        self.got: list[tuple[dict[str, str], str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                outer.got.append((dict(self.headers.items()), body))
                self.send_response(outer.status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook?a=1"
        self.thread = threading.Thread(target=self.server.serve_forever)


@pytest.fixture
def listener(settings: Settings) -> Iterator[Listener]:
    settings.WEBHOOK_NETWORKS = [ip_network("127.0.0.0/8"), ip_network("::1/128")]
    made = Listener()
    made.thread.start()
    yield made
    made.server.shutdown()
    made.thread.join()
    made.server.server_close()


@pytest.fixture
def webhook(listener: Listener, db: None) -> Webhook:
    return Webhook.objects.create(
        name="ours",
        url=listener.url,
        events=Event.values,
        created_at=timezone.now() - timedelta(hours=1),
    )


def failed_run() -> Run:
    now = timezone.now()
    return Run.objects.create(
        kind="export", queue="cpu", title="An export", state=State.FAILED, finished_at=now
    )


def test_what_happened_is_told_once_and_signed(webhook: Webhook, listener: Listener) -> None:
    run = failed_run()
    assert (services.notice(), services.notice()) == (1, 0)
    (delivery,) = Delivery.objects.all()
    assert delivery.run is not None
    done = runs.execute(delivery.run.pk)
    assert done is not None
    assert done.state == State.SUCCEEDED, done.error
    ((headers, body),) = listener.got
    told = Signer(webhook.secret).verify(body, headers)
    assert told["type"] == "run.failed"
    assert told["data"] == {"run": str(run.pk), "kind": "export", "title": "An export"}
    delivery.refresh_from_db()
    assert (delivery.status, delivery.delivered_at is not None) == (204, True)
    assert headers["webhook-id"] == str(delivery.pk)
    services.resend(delivery)
    again = Delivery.objects.get()
    assert again.run is not None
    runs.execute(again.run.pk)
    assert [one[0]["webhook-id"] for one in listener.got] == [str(delivery.pk)] * 2


def test_what_is_not_taken_comes_again_after_growing_pauses(
    webhook: Webhook, listener: Listener
) -> None:
    failed_run()
    services.notice()
    listener.status = 500
    (delivery,) = Delivery.objects.all()
    assert delivery.run is not None
    pauses = []
    for _ in range(3):
        put_back = runs.execute(delivery.run.pk)
        assert put_back is not None
        assert (put_back.state, put_back.not_before is not None) == (State.QUEUED, True)
        assert "answered 500" in put_back.error
        pauses.append((put_back.not_before - timezone.now()).total_seconds())  # type: ignore[operator]
        Run.objects.filter(pk=put_back.pk).update(not_before=None)
    assert pauses[0] < pauses[1] < pauses[2]
    listener.status = 410
    gone = runs.execute(delivery.run.pk)
    webhook.refresh_from_db()
    assert gone is not None
    assert (gone.state, webhook.is_active) == (State.FAILED, False)
    assert services.notice() == 0  # a delivery that failed is told to nobody


def test_studies_and_batches_are_told_of_when_they_are_whole(
    webhook: Webhook, rosa: User, cora: User
) -> None:
    study = make_study(rosa)
    slots = list(study.slots.all())
    for slot in slots[:-1]:
        read(slot)
    services.notice()
    assert not Delivery.objects.filter(event=Event.STUDY_READ).exists()
    read(slots[-1])
    batch = make_batch(name="whole", seed=5)
    ended = Run.objects.create(
        kind="generate", queue="gpu", title="x", state="succeeded", finished_at=timezone.now()
    )
    batch.runs.add(ended)
    services.notice()
    told = {one.event: json.loads(one.body)["data"] for one in Delivery.objects.all()}
    assert told[Event.STUDY_READ]["name"] == study.name
    assert told[Event.BATCH_DONE] == {"batch": str(batch.pk), "name": "whole"}


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("93.184.216.34", True), ("10.0.0.1", False), ("127.0.0.1", False), ("0.0.0.0", False),
        ("169.254.169.254", False), ("100.64.0.1", False), ("224.0.0.1", False),
        ("2606:2800:220:1::1", True), ("::1", False), ("fe80::1", False), ("fd00::1", False),
        ("::ffff:10.0.0.1", False), ("64:ff9b::a00:1", False), ("2002:a00:1::1", False),
    ],
)  # fmt: skip
def test_only_public_addresses_may_be_sent_to(address: str, expected: bool) -> None:
    assert addresses.is_allowed(ip_address(address), is_tls=True) == expected
    assert not addresses.is_allowed(ip_address(address), is_tls=False)


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1/", "https://localhost/", "ftp://a.example/", "https://a:b@c/", "x"]
)
def test_other_addresses_are_refused_when_they_are_named(url: str, db: None) -> None:
    with pytest.raises(RemediableError):
        addresses.find(url)


def test_the_address_that_was_looked_up_is_the_one_that_is_asked(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that leads elsewhere a moment later changes nothing: nobody asks for it again."""
    port = listener.server.server_port
    place = addresses.find(f"http://localhost:{port}/hook")
    place = addresses.Place("other.example", port, place.path, "127.0.0.1", is_tls=False)
    asked: list[str] = []
    look_up = socket.getaddrinfo

    def noted(host: str, *args: Any, **kwargs: Any) -> Any:
        asked.append(host)
        return look_up(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", noted)
    assert addresses.post(place, "{}", {}) == 204
    assert set(asked) <= {"127.0.0.1"}
    assert listener.got[0][0]["Host"] == f"other.example:{port}"


def test_admins_add_stop_resend_and_remove(
    ada_client: Client, listener: Listener, cora_client: Client
) -> None:
    form = {"name": "ours", "url": listener.url, "events": ["run.failed"]}
    page = reverse("webhooks:add")
    assert cora_client.post(page, form).status_code == 403
    assert ada_client.post(page, form).status_code == 302
    assert ada_client.post(page, form).status_code == 400
    assert ada_client.post(page, form | {"name": "b", "url": "http://10.0.0.1/"}).status_code == 400
    webhook = Webhook.objects.get()
    failed_run()
    services.notice()
    delivery = Delivery.objects.get()
    assert delivery.run is not None
    shown = reverse("webhooks:webhook", args=[webhook.pk])
    assert webhook.secret in ada_client.get(shown).content.decode()
    listed = reverse("webhooks:list")
    assert "ours" in ada_client.get(listed, {"event": "run.failed"}).content.decode()
    assert "No webhook fits" in ada_client.get(listed, {"event": "batch.done"}).content.decode()
    picked = {"action": "resend", "pick": [str(delivery.pk)]}
    assert "It is being sent" in ada_client.post(shown, picked, follow=True).content.decode()
    ada_client.post(reverse("webhooks:stop", args=[webhook.pk]))
    webhook.refresh_from_db()
    assert not webhook.is_active
    ada_client.post(reverse("webhooks:resume", args=[webhook.pk]))
    assert Webhook.objects.get().is_active
    ada_client.post(reverse("webhooks:remove", args=[webhook.pk]))
    assert not Webhook.objects.exists() and not Delivery.objects.exists()
    assert Run.objects.get(pk=delivery.run.pk).state == State.CANCELLED
    assert AuditEvent.objects.filter(action="webhook.removed", target="ours").exists()


def test_programs_of_admins_do_what_the_pages_do(
    ada_client: Client, cora_client: Client, listener: Listener
) -> None:
    asked = {"name": "ours", "url": listener.url, "events": ["run.failed"]}
    make = lambda client, **more: client.post(  # noqa: E731
        reverse("api:webhooks"), asked | more, content_type="application/json"
    )
    assert make(cora_client).status_code == 403
    assert make(ada_client, url="http://10.0.0.1/").json()["error"]["fields"].keys() == {"url"}
    made = make(ada_client)
    assert (made.status_code, made.json()["secret"][:6]) == (201, "whsec_")
    failed_run()
    services.notice()
    (told,) = ada_client.get(reverse("api:deliveries"), {"event": "run.failed"}).json()["results"]
    assert (told["webhook"], told["state"]) == ("ours", "queued")
    again = reverse("api:delivery-resend", args=[told["id"]])
    refused = ada_client.post(again, content_type="application/json")
    assert "It is being sent" in refused.json()["error"]["message"]
    runs.execute(told["run"])
    sent = ada_client.post(again, content_type="application/json").json()
    assert (sent["run"] != told["run"], sent["status"]) == (True, 204)
    (row,) = ada_client.get(reverse("api:webhooks")).json()["results"]
    assert (row["told"], row["arrived"], "secret" in row) == (1, 1, False)
    where = [row["id"]]
    stopped = ada_client.post(
        reverse("api:webhook-stop", args=where), content_type="application/json"
    )
    assert stopped.json()["is_active"] is False
    assert ada_client.delete(reverse("api:webhook", args=where)).status_code == 204
    assert not Webhook.objects.exists()
