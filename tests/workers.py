"""A real Celery worker process on the test database."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from urllib.parse import quote

import redis
from django.conf import settings
from django.db import connection

from tests import warm

READY_LIMIT_S = 300
DONE_LIMIT_S = 600


@dataclass
class Worker:
    queue: str
    log: Path
    environment: dict[str, str]
    process: ForkServerProcess | None = field(default=None, init=False)

    def start(self) -> None:
        """Start the process and wait until it takes messages."""
        said_before = self._said().count(" ready.")
        environment = {
            **os.environ,
            "LOG_LEVEL": "INFO",
            **self.environment,
            "DATABASE_URL": address_of_test_database(),
        }
        self.process = warm.start_worker(
            *("--pool", "solo", "--queues", self.queue, "--hostname", f"{self.queue}@%h"),
            *("--without-gossip", "--without-mingle", "--loglevel", "INFO"),
            environment=environment,
            log=self.log,
        )
        deadline = time.monotonic() + READY_LIMIT_S
        while self._said().count(" ready.") == said_before:
            assert self.process.is_alive(), f"the worker ended:\n{self._said()}"
            assert time.monotonic() < deadline, f"the worker is not ready:\n{self._said()}"
            time.sleep(0.1)

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None and self.process.pid is not None
        os.kill(self.process.pid, number)

    def wait(self) -> None:
        assert self.process is not None
        warm.exit_code(self.process)

    def kill(self) -> None:
        """SIGKILL, as the kernel does it when memory runs out."""
        self.send(signal.SIGKILL)
        self.wait()

    def stop(self) -> None:
        if self.process is None or not self.process.is_alive():
            return
        self.send(signal.SIGTERM)
        self.process.join(5)
        if self.process.is_alive():
            self.kill()

    def _said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""


def wait_until(holds: Callable[[], bool], *, what: str) -> None:
    """Waits for what workers are to do."""
    deadline = time.monotonic() + DONE_LIMIT_S
    while not holds():
        assert time.monotonic() < deadline, f"not within {DONE_LIMIT_S} s: {what}"
        time.sleep(0.1)


def address_of_test_database() -> str:
    """The address of the database that the tests run on."""
    return address_of_database(connection.settings_dict["NAME"])


def address_of_database(name: str) -> str:
    """The address of a database of the server that the tests run on."""
    given = connection.settings_dict
    login = quote(given["USER"])
    if given["PASSWORD"]:
        login += f":{quote(given['PASSWORD'])}"
    address = f"postgresql://{login}@/{name}?host={quote(given['HOST'])}"
    return f"{address}&port={given['PORT']}" if given["PORT"] else address


def own_redis() -> redis.Redis:
    """The Redis of this test process."""
    return redis.Redis.from_url(str(settings.CACHES["default"]["LOCATION"]))
