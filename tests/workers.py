"""A real Celery worker process on the test database."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import redis
from django.conf import settings
from django.db import connection

from feedback_app.local import processes
from feedback_app.local.homes import CHECKOUT

READY_LIMIT_S = 300


@dataclass
class Worker:
    queue: str
    log: Path
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start the process and wait until it takes messages."""
        said_before = self._said().count(" ready.")
        with self.log.open("ab") as log:
            self.process = processes.spawn(
                [
                    *(sys.executable, "-m", "celery", "--app", "feedback_app", "worker"),
                    *("--pool", "solo", "--queues", self.queue, "--hostname", f"{self.queue}@%h"),
                    *("--without-gossip", "--without-mingle", "--loglevel", "INFO"),
                ],
                output=log.fileno(),
                death_signal=signal.SIGKILL,
                env={
                    **os.environ,
                    "LOG_LEVEL": "INFO",
                    **self.environment,
                    "DATABASE_URL": address_of_test_database(),
                },
                cwd=CHECKOUT,
            )
        deadline = time.monotonic() + READY_LIMIT_S
        while self._said().count(" ready.") == said_before:
            assert self.process.poll() is None, f"the worker ended:\n{self._said()}"
            assert time.monotonic() < deadline, f"the worker is not ready:\n{self._said()}"
            time.sleep(0.1)

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def kill(self) -> None:
        """SIGKILL, as the kernel does it when memory runs out."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            processes.stop(self.process, first=signal.SIGTERM, wait_s=5)

    def _said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""


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
