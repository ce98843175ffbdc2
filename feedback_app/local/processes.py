"""Processes that die with the one that started them, and the search for those that did not."""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO

import psutil

HOME_VARIABLE = "READING_ROOM_HOME"
"""Every process of a home carries its folder in this variable, so that strays can be found."""

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(death_signal: signal.Signals) -> Callable[[], None] | None:
    """Returns what a child calls before exec, so that the kernel ends it with its parent (Linux
    only).

    Elsewhere the next start finds the strays. It belongs to the thread that started the
    child: start children from the main thread.
    """
    if _libc is None:
        return None
    parent = os.getpid()
    return lambda: tie_to(parent, death_signal)


def tie_to(parent: int, death_signal: signal.Signals) -> None:
    """Ask the kernel to end this process with its parent, at once where that is gone already."""
    if _libc is None:
        return
    _libc.prctl(_PR_SET_PDEATHSIG, int(death_signal))
    if os.getppid() != parent:
        os._exit(1)


def spawn(
    command: Sequence[str | Path],
    *,
    output: IO[bytes] | int | None,
    death_signal: signal.Signals,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    account: pwd.struct_passwd | None = None,
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own, out of reach of the terminal's Ctrl-C.

    With an ``account`` it runs under that account; only root can do so.
    """
    return subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=env,
        cwd=cwd,
        user=None if account is None else account.pw_uid,
        group=None if account is None else account.pw_gid,
        extra_groups=None if account is None else [],
        start_new_session=True,
        preexec_fn=die_with_parent(death_signal),
    )


def stop(process: subprocess.Popen[bytes], *, first: signal.Signals, wait_s: float) -> bool:
    """Ask a child to stop, and kill it with its descendants where it does not; true if it did."""
    family = descendants(process.pid)
    process.send_signal(first)
    try:
        process.wait(wait_s)
        return True
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False
    finally:
        end(family, wait_s=0)


def descendants(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def session_of(leader: int) -> list[psutil.Process]:
    """Returns what is left of the session that a process of ours led, itself left out.

    While one of them lives, no other process is given the leader's number.
    """
    return [process for process in psutil.process_iter() if _leads(leader, process.pid)]


def _leads(leader: int, pid: int) -> bool:
    try:
        return pid != leader and os.getsid(pid) == leader
    except OSError:
        return False


def end(
    processes: Iterable[psutil.Process],
    *,
    wait_s: float,
    first: signal.Signals = signal.SIGTERM,
) -> None:
    """End processes that are not our children: ask, wait, kill.

    psutil compares the start time before every signal, so a recycled id is never hit.
    """
    alive = list(processes)
    if wait_s:
        _send(alive, first)
        _send(alive, signal.SIGCONT)  # a stopped process hears nothing
        _, alive = psutil.wait_procs(alive, timeout=wait_s)
    _send(alive, signal.SIGKILL)
    psutil.wait_procs(alive, timeout=5)


def _send(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue


def servers_in(folder: Path, program: str) -> list[psutil.Process]:
    """Running servers of this program whose working folder is ``folder``.

    PostgreSQL and Redis both change into their data folder, so this does not depend on
    a pid file, whose number may long belong to another program.
    """
    return [
        process
        for process in psutil.process_iter(["name", "cwd", "status"])
        if process.info["name"] == program
        and process.info["cwd"] == str(folder)
        and process.info["status"] != psutil.STATUS_ZOMBIE
    ]


def strays_of(home: Path) -> list[psutil.Process]:
    """Processes that an earlier supervisor of this home left behind."""
    own = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    return [
        process
        for process in psutil.process_iter(["environ"])
        if process.pid not in own
        and (process.info["environ"] or {}).get(HOME_VARIABLE) == str(home)
    ]


def last_lines(log: Path, count: int = 8) -> str:
    if not log.exists():
        return "(no log)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:])


def remove_folder(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)
