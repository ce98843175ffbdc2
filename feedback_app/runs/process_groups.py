"""Children in process groups of their own, which end with whoever started them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import IO

from django.conf import settings

from feedback_app.runs import leash

LEASH = (sys.executable, "-I", str(leash.__file__))
STOP_WITHIN_S = 20.0


def start_group(command: Sequence[str], *, output: IO[bytes]) -> "subprocess.Popen[bytes]":
    """Start a child that says what it has to say into a file."""
    return subprocess.Popen(
        [*LEASH, str(os.getpid()), *command],
        cwd=settings.ROOT,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "TORCH_DEVICE": settings.TORCH_DEVICE},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def end_group(process: "subprocess.Popen[bytes]") -> None:
    """Ask the child's process group to stop, then kill what is left of it.

    The child is not reaped before that: until then its number names its group and no other.
    """
    if process.returncode is not None:
        return
    os.killpg(process.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_WITHIN_S
    while _is_running(process) and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _is_running(process: "subprocess.Popen[bytes]") -> bool:
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None
