"""Keeps the processes of the demo running, and shows what they say."""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TextIO

from feedback_app.local import processes
from feedback_app.local.servers import Server

FIRST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0
STEADY_AFTER_S = 60.0
LINES_AT_ONCE = 12


@dataclass
class Child:
    """One long-running command, its log, and when it may be started again."""

    name: str
    command: Sequence[str]
    log: Path
    stop_wait_s: float = 10.0
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    started_at: float = field(default=0.0, init=False)
    start_at: float = field(default=0.0, init=False)
    pause_s: float = field(default=FIRST_PAUSE_S, init=False)
    unfinished_line: bytes = field(default=b"", init=False)

    def start(self, env: Mapping[str, str]) -> None:
        self.started_at = time.monotonic()
        self.process = processes.spawn(
            self.command, output=subprocess.PIPE, death_signal=signal.SIGKILL, env=env
        )
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)

    def has_died(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def plan_restart(self) -> float:
        """Forget the dead process; each death in a row doubles the pause. Returns the pause."""
        now = time.monotonic()
        if now - self.started_at > STEADY_AFTER_S:
            self.pause_s = FIRST_PAUSE_S
        pause = self.pause_s
        self.pause_s = min(LONGEST_PAUSE_S, 2 * pause)
        self.start_at = now + pause
        self.unfinished_line = b""
        self.process = None
        return pause


class Supervisor:
    """Starts children, starts the dead again, shows their lines, stops them in order.

    One thread and one loop: the kernel ties a child to the thread that started it.
    """

    def __init__(
        self,
        children: Sequence[Child],
        *,
        servers: Sequence[Server],
        env: Mapping[str, str],
        out: TextIO = sys.stdout,
    ) -> None:
        self.children = children
        self.servers = servers
        self.env = env
        self.out = out
        self._selector = selectors.DefaultSelector()
        self._width = max(len(child.name) for child in children)

    def tick(self, seconds: float) -> None:
        """Restart what died, then pass on lines for about this long."""
        self._revive_servers()
        for child in self.children:
            if child.has_died():
                self._bury(child)
            if child.process is None and time.monotonic() >= child.start_at:
                self._start(child)
        for key, _ in self._selector.select(seconds):
            self._pass_on(key.data)

    def stop(self) -> None:
        """Stop the children, the first one first."""
        for child in self.children:
            if child.process is None:
                continue
            if child.process.poll() is None:
                gently = processes.stop(
                    child.process, first=signal.SIGTERM, wait_s=child.stop_wait_s
                )
                if not gently:
                    self.say(
                        f"{child.name} was still busy and was ended; its run is taken up again."
                    )
            self._pass_on(child)
            self._forget(child)
        self._selector.close()

    def say(self, line: str) -> None:
        print(line, file=self.out, flush=True)

    def _start(self, child: Child) -> None:
        child.start(self.env)
        assert child.process is not None and child.process.stdout is not None
        self._selector.register(child.process.stdout, selectors.EVENT_READ, child)

    def _bury(self, child: Child) -> None:
        """Plan the next start of a dead child, and end what it left, which may hold its port."""
        assert child.process is not None
        code = child.process.returncode
        processes.end(processes.session_of(child.process.pid), wait_s=0)
        self._pass_on(child)
        self._forget(child)
        pause = child.plan_restart()
        self.say(f"{child.name} ended ({_how(code)}), again in {pause:.0f} s; log: {child.log}")

    def _forget(self, child: Child) -> None:
        assert child.process is not None and child.process.stdout is not None
        self._watch_no_more(child.process.stdout)
        child.process.stdout.close()

    def _watch_no_more(self, stream: IO[bytes]) -> None:
        if stream in self._selector.get_map():
            self._selector.unregister(stream)

    def _pass_on(self, child: Child) -> None:
        """Show what a child said and keep it in its log."""
        assert child.process is not None and child.process.stdout is not None
        text = _read_all(child.process.stdout.fileno())
        if not text:
            self._watch_no_more(child.process.stdout)
            return
        with child.log.open("ab") as log:
            log.write(text)
        *complete, child.unfinished_line = (child.unfinished_line + text).split(b"\n")
        lines = [line.decode(errors="replace") for line in complete]
        for line in lines[:LINES_AT_ONCE]:
            self.say(f"{child.name:<{self._width}} | {line}")
        if len(lines) > LINES_AT_ONCE:
            self.say(f"{child.name:<{self._width}} | ... and more: see {child.log}")

    def _revive_servers(self) -> None:
        for server in self.servers:
            if not server.is_running():
                self.say(f"{server.name} ended and is started again; log: {server.log}")
                server.start()


def _how(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"


def _read_all(descriptor: int) -> bytes:
    """Returns all that is there now; empty at the end of the stream too."""
    parts = []
    try:
        while part := os.read(descriptor, 65536):
            parts.append(part)
    except BlockingIOError:
        pass
    return b"".join(parts)
