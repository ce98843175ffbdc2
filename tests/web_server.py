"""The real web server as a process that can be stopped in the middle of work, and started again."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from feedback_app.local import processes
from feedback_app.local.homes import CHECKOUT

READY_LIMIT_S = 180


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class WebServer:
    """gunicorn on a port of its own; it keeps the port over a stop and a start."""

    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Return once it answers."""
        with self.log.open("ab") as log:
            self.process = processes.spawn(
                [
                    *(sys.executable, "-m", "gunicorn", "feedback_app.wsgi"),
                    *("--bind", f"127.0.0.1:{self.port}", "--workers", "1", "--threads", "4"),
                ],
                output=log.fileno(),
                death_signal=signal.SIGKILL,
                env={**os.environ, **self.environment},
                cwd=CHECKOUT,
            )
        deadline = time.monotonic() + READY_LIMIT_S
        while not self._answers():
            assert self.process.poll() is None, f"the server ended:\n{self._said()}"
            assert time.monotonic() < deadline, f"the server is not ready:\n{self._said()}"
            time.sleep(0.1)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            processes.stop(self.process, first=signal.SIGTERM, wait_s=5)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.address}/accounts/login/", timeout=5):
                return True
        except (urllib.error.URLError, TimeoutError):
            return False

    def _said(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""
