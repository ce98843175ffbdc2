"""Wrong host names, health checks, addresses with odd passwords, and what stops the start."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from feedback_app import environment
from feedback_app.local import demo, homes
from feedback_app.local.homes import CHECKOUT
from generation.errors import RemediableError

SETTINGS = {
    "DEBUG": "false",
    "DATABASE_URL": "postgresql://localhost/none",
    "SECRET_KEY": "x" * 50,
    "DJANGO_SETTINGS_MODULE": "feedback_app.settings",
}


def in_fresh_process(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=CHECKOUT,
        env={
            **os.environ,
            **SETTINGS,
            **environment,
            "DJANGO_SETTINGS_MODULE": "feedback_app.settings",
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.django_db
def test_a_wrong_host_name_is_a_bad_request(client: Client, settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["reading.example.org"]
    client.raise_request_exception = False
    for address in (reverse("accounts:login"), reverse("home"), "/api/batches/", "/nowhere"):
        assert client.get(address, headers={"host": "evil.example"}).status_code == 400


def test_the_check_of_the_compose_file_passes_whatever_is_set() -> None:
    """As it is asked: by localhost, without TLS, while people come by another name with it."""
    code = (
        "import django; django.setup()\n"
        "from django.test import Client\n"
        "print(Client(headers={'host': 'localhost:8000'}).get('/healthz').status_code)\n"
        "print(Client(headers={'host': 'reading.example.org'}).get('/accounts/login/').status_code)"
    )
    done = in_fresh_process(code, ALLOWED_HOSTS="reading.example.org", HTTPS_ONLY="true")
    assert done.stdout.split() == ["200", "301"], done.stderr


@pytest.mark.parametrize("password", ["a/b", "a#b", "a?b=c", "a@b", "a:b", "100%", "ü/ #?&"])
def test_a_password_may_hold_what_addresses_are_made_of(password: str) -> None:
    found = environment.database(
        f"postgresql://reading:{password}@db.example:5433/room?host=/run/pg"
    )
    assert found["PASSWORD"] == password
    assert (found["USER"], found["HOST"], found["PORT"]) == ("reading", "/run/pg", "5433")
    assert found["NAME"] == "room"
    asked = environment.database(
        "postgresql://a:b@c/d?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem"
    )
    assert asked["OPTIONS"] == {"sslmode": "verify-full", "sslrootcert": "/etc/ca.pem"}
    with pytest.raises(ImproperlyConfigured, match="port"):
        environment.database("postgresql://a:b@c:99999/d")
    code = (
        "import django, json; django.setup()\n"
        "from django.conf import settings; from redis import ConnectionPool\n"
        "from feedback_app.celery import app\n"
        "cache = ConnectionPool.from_url(settings.CACHES['default']['LOCATION'])\n"
        "print(json.dumps([cache.connection_kwargs['password'], cache.connection_kwargs['db'],"
        " app.connection_for_write().password]))"
    )
    done = in_fresh_process(code, REDIS_URL=f"redis://:{password}@cache.example:6380/2")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [password, 2, password]


def test_a_quoted_password_is_still_one() -> None:
    assert environment.database("postgresql://a:b%2Fc@host/room")["PASSWORD"] == "b/c"


@pytest.mark.parametrize("key", ["", "  "])
def test_an_empty_secret_key_stops_the_start(key: str) -> None:
    done = in_fresh_process("import django; django.setup()", SECRET_KEY=key)
    assert done.returncode != 0
    assert "Set SECRET_KEY in the environment" in done.stderr


def test_an_address_that_is_none_is_named() -> None:
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL is no address"):
        environment.with_quoted_password("REDIS_URL", "localhost")


HOLDER = """
import os, signal, socket, sys, time
port = int(sys.argv[1])
if os.fork():
    time.sleep(600)
os.setsid()
server = socket.socket(); server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind(("127.0.0.1", port)); server.listen()
print("held", flush=True)
time.sleep(600)
"""


def test_the_port_of_a_killed_demo_is_free_for_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A web process that outlived its supervisor holds the port until the home is claimed."""
    monkeypatch.setattr(homes, "DEMO", tmp_path / "demo")
    monkeypatch.setattr(demo, "say", lambda line: None)
    (tmp_path / "demo").mkdir()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    supervisor = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(port)],
        env={**os.environ, "READING_ROOM_HOME": str(tmp_path / "demo")},
        stdout=subprocess.PIPE,
    )
    assert supervisor.stdout is not None
    assert supervisor.stdout.readline() == b"held\n"
    supervisor.kill()
    supervisor.wait()
    monkeypatch.setenv("PORT", str(port))
    with pytest.raises(RemediableError, match="is taken"):
        demo.choose_port()
    chosen: list[int] = []

    def stop_there(*_: object, **__: object) -> None:
        chosen.append(demo.choose_port())
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "running_servers", stop_there)
    assert demo.run_demo() == 0
    assert chosen == [port]
