"""What load balancers and container hosts are told."""

from pathlib import Path

import pytest
from django.db import OperationalError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from pytest_django import Settings

from feedback_app.operations import health

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "KEPT_S", 0.0)


def test_it_is_ready_by_any_name_and_says_which_part_is_not(
    client: Client, settings: Settings, storage: Path
) -> None:
    settings.ALLOWED_HOSTS = ["reading.example.org"]
    by_ip = {"host": "10.0.0.7:8000"}
    assert client.get("/healthz", headers=by_ip).status_code == 200
    answer = client.get("/readyz", headers=by_ip)
    parts = {"database": "ok", "migrations": "ok", "redis": "ok", "storage": "ok"}
    assert (answer.status_code, answer.json()) == (200, {"ready": True, **parts})
    assert not list((storage / "blobs" / "readyz").iterdir())

    (newest,) = MigrationLoader(connection).graph.leaf_nodes("runs")
    MigrationRecorder(connection).record_unapplied(*newest)
    (storage / "blobs").rename(storage / "elsewhere")
    (storage / "blobs").write_text("no folder")
    answer = client.get("/readyz")
    wrong = {"migrations": "to be applied", "storage": "cannot be written"}
    assert (answer.status_code, answer.json()) == (503, {"ready": False, **parts, **wrong})


def test_without_redis_it_is_ready_and_says_so(client: Client, settings: Settings) -> None:
    location = "redis://127.0.0.1:1/0"
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": location}}
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["redis"] == "away, done without"


def test_without_a_database_it_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """And tells nothing of it: who asks may be anybody."""

    def refuse(*_: object, **__: object) -> None:
        raise OperationalError("connection to host 10.0.0.9, user secret, refused")

    monkeypatch.setattr(connection, "cursor", refuse)
    monkeypatch.setattr(connection, "close", lambda: None)
    found = health.look()
    assert (found["database"], found["migrations"]) == ("away", "unknown")
    assert health.answer_with(found).status_code == 503
    assert "secret" not in str(found)
