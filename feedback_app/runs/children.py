"""Training as a child process: ``python -m module RUN_DIR``, by the run folder protocol.

The folder holds ``spec.json`` beforehand, ``progress.json`` while the child works, and
``result.json`` or ``error.json`` at the end. A child that is started again in the same
folder goes on where the first one was.
"""

import json
import logging
import signal
import subprocess
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.db import connection
from django.dispatch import Signal

from feedback_app.runs.process_groups import end_group, start_group
from feedback_app.runs.progress import Progress
from feedback_app.runs.together import ALONE, Group, gathered, group_of_settings
from feedback_app.runs.trouble import (
    DATABASE_GONE,
    ChildFailedBySurroundingsError,
    ChildKilledError,
)
from generation.errors import PASSING_STATUS, RemediableError

POLL_EVERY_S = 1.0
LINES_A_POLL = 40
LINE_MAX_CHARACTERS = 500
LAST_LINES = 15

logger = logging.getLogger(__name__)

child_saved = Signal()
"""Sent with the ``run_dir`` whenever a running child has kept its state anew."""
child_starting = Signal()
"""Sent before a child starts with its ``run_dir``, for whoever holds memory that the child will
want, and whoever fetches what its folder names.
"""
child_ended = Signal()
"""Sent with the ``run_dir`` of a child that has ended, however it did."""


def run_child(
    progress: Progress, *, module: str, run_dir: Path, is_shared: bool = False
) -> dict[str, Any]:
    """Run the child to its end and return its result; it never outlives this call or process.

    One that ``is_shared`` is done by as many processes and hosts as are set.
    """
    if not run_dir.is_dir():
        raise RemediableError(
            f"The run folder {run_dir} is not there.",
            remedy="Put it back, or start the training anew instead of retrying this run.",
        )
    child_starting.send(sender=run_child, run_dir=run_dir)
    (run_dir / "error.json").unlink(missing_ok=True)
    group = group_of_settings() if is_shared else ALONE
    try:
        with gathered(progress.run, group, module=module, run_dir=run_dir):
            _run_group(progress, group, module=module, run_dir=run_dir)
    finally:
        child_ended.send(sender=run_child, run_dir=run_dir)
    return _result(run_dir, module=module)


def _run_group(progress: Progress, group: Group, *, module: str, run_dir: Path) -> None:
    """Run this host's part to its end."""
    log = run_dir / "child.log"
    with log.open("ab") as output:
        tail = Tail(log, offset=output.tell())
        process = start_group(group.command(module, run_dir, place=0), output=output)
    try:
        _follow(process, progress, run_dir=run_dir, tail=tail)
    finally:
        end_group(process)
        _log_rest(progress, tail)
    if process.returncode != 0:
        raise _failure(process.returncode, module=module, run_dir=run_dir, tail=tail)


def _log_rest(progress: Progress, tail: "Tail") -> None:
    """Log what the child said last, over a new connection where the old one was cut meanwhile."""
    said = tail.read()
    try:
        progress.log_lines(said)
    except DATABASE_GONE:
        if connection.in_atomic_block:
            raise
        connection.close()
        progress.log_lines(said)


def _follow(
    process: "subprocess.Popen[bytes]", progress: Progress, *, run_dir: Path, tail: "Tail"
) -> None:
    """Report the child's progress until it ends; raises where the run must stop.

    Whenever the child has kept its state it may give way to a more urgent run: next to nothing
    is lost then, and every turn brings it on by one checkpoint at least.
    """
    reported: dict[str, Any] | None = None
    kept = _newest_checkpoint(run_dir)
    is_running = True
    while is_running:
        with suppress(subprocess.TimeoutExpired):
            process.wait(POLL_EVERY_S)
        is_running = process.poll() is None
        now = _read_json(run_dir / "progress.json")
        try:
            progress.log_lines(tail.read())
            if now and now != reported:
                progress.update(
                    now["done"], total=now["total"], note=now["note"], figures=now["figures"]
                )
                reported = now
            else:
                progress.check()
            if is_running and (newest := _newest_checkpoint(run_dir)) > kept:
                kept = newest
                child_saved.send(sender=run_child, run_dir=run_dir)
                progress.give_way()
        except DATABASE_GONE as error:
            if connection.in_atomic_block:
                raise
            # The child needs no database; whether it may go on is asked when there is one.
            logger.warning("no report of run %s: %s", progress.run.pk, error)
            connection.close()


def _newest_checkpoint(run_dir: Path) -> int:
    """When the child last kept its state, in ns; 0 where it has not yet.

    Files are written beside and renamed: one that is being written is not looked at.
    """
    newest = 0
    for path in (run_dir / "checkpoint").glob("*.pt"):
        with suppress(FileNotFoundError):  # removed meanwhile
            newest = max(newest, path.stat().st_mtime_ns)
    return newest


class Tail:
    """What a growing log says anew; of a flood of lines the newest."""

    def __init__(self, path: Path, *, offset: int) -> None:
        self.path = path
        self.offset = offset
        self.last_lines: list[str] = []

    def read(self) -> list[str]:
        with self.path.open("rb") as file:
            file.seek(self.offset)
            new = file.read()
        self.offset += len(new)
        # Of a line that was drawn over and over, as a progress bar is, the last state counts.
        lines = [line.rpartition("\r")[2] for line in new.decode(errors="replace").split("\n")]
        kept = [line[:LINE_MAX_CHARACTERS] for line in lines if line.strip()][-LINES_A_POLL:]
        self.last_lines = [*self.last_lines, *kept][-LAST_LINES:]
        return kept


def _read_json(path: Path) -> dict[str, Any] | None:
    """Returns the file's content; None where it is not there (it is never there by half)."""
    try:
        content: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    return content


KILLS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGBUS)
"""From outside; a child that crashes by itself ends with others. SIGBUS comes of mapped or shared
memory whose disk is full or gone.
"""
SIGNALLED = 128
"""What a shell adds to the signal that ended its command, to make a status of it."""


def _failure(status: int, *, module: str, run_dir: Path, tail: Tail) -> RemediableError:
    told = _read_json(run_dir / "error.json")
    if told is not None:
        kind = ChildFailedBySurroundingsError if told.get("passes") else RemediableError
        return kind(told["error"], remedy=told["remedy"])
    name = module.rpartition(".")[2]
    ended_by = -status if status < 0 else status - SIGNALLED
    is_killed = ended_by in KILLS
    is_signal = status < 0 or is_killed
    how = f"signal {signal.Signals(ended_by).name}" if is_signal else f"status {status}"
    last = "\n".join(tail.last_lines) or "nothing"
    if status == PASSING_STATUS:
        return ChildFailedBySurroundingsError(
            f"The {name} process was failed by its surroundings: {last.rpartition(chr(10))[2]}",
            remedy="Make room, or mend what it names; the run goes on from its last checkpoint.",
        )
    error = ChildKilledError if is_killed else RemediableError
    return error(
        f"The {name} process ended with {how}. The last that it said:\n{last}",
        remedy=(
            "The memory ran out, most likely: give the worker more, or the process less to do."
            if ended_by == signal.SIGKILL
            else "The run's log says more. Retry goes on from the last checkpoint."
        ),
    )


def _result(run_dir: Path, *, module: str) -> dict[str, Any]:
    result = _read_json(run_dir / "result.json")
    if result is None:
        raise RemediableError(
            f"{module} ended well but left no result.json in its run folder.",
            remedy="Retry the run; if it happens again, the run's log says more.",
        )
    return result
