"""The folder through which a training child and the worker that started it talk.

``spec.json`` goes in; ``progress.json``, ``checkpoint/`` and, last, ``result.json``
or ``error.json`` come out. Only one process works in a folder at a time.
"""

import fcntl
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from generation.errors import (
    PASSING_STATUS,
    RemediableError,
    causes_of,
    is_of_surroundings,
)
from generation.specs import read_spec
from generation.training import processes

Spec = TypeVar("Spec")

PROGRESS_EVERY_S = 2.0


@dataclass
class RunFolder:
    """A run folder that this process holds the lock of."""

    path: Path
    _written_at_s: float = field(default=float("-inf"), init=False)

    @property
    def checkpoint(self) -> Path:
        folder = self.path / "checkpoint"
        folder.mkdir(exist_ok=True)
        return folder

    def spec(self, kind: type[Spec]) -> Spec:
        path = self.path / "spec.json"
        try:
            return read_spec(kind, path)
        except (OSError, ValidationError) as error:
            raise RemediableError(
                f"{path} is not a {kind.__name__}: {error}",
                remedy="Start the run again from its page or its manage.py command.",
            ) from error

    def report(
        self, done: int, total: int, note: str, figures: Mapping[str, float] | None = None
    ) -> None:
        """Write the progress down, at most every two seconds except for the last step."""
        now_s = time.monotonic()
        if now_s - self._written_at_s < PROGRESS_EVERY_S and done < total:
            return
        self._written_at_s = now_s
        progress = {"done": done, "total": total, "note": note, "figures": dict(figures or {})}
        write_json(self.path / "progress.json", progress)


class FolderInUseError(Exception):
    """Another process works in the run folder."""


def write_json(path: Path, content: object) -> None:
    """Write so that a reader sees the old or the new content, never a part."""
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.write_text(json.dumps(content))
    os.replace(temporary, path)


@contextmanager
def locked(path: Path) -> Iterator[RunFolder]:
    """Hold a run folder; the lock goes with the process, however it ends."""
    with (path / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise FolderInUseError(f"another process works in {path}") from error
        yield RunFolder(path)


def run_command(work: Callable[[RunFolder], Mapping[str, Any]], arguments: list[str]) -> int:
    """Do the work in the run folder that the arguments name; return the exit status."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        sys.stderr.write(f"give one run folder, not {' '.join(arguments) or 'nothing'}\n")
        return 2
    try:
        with locked(Path(arguments[0])) as folder:
            return _work_in(folder, work)
    except FolderInUseError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def run_together(work: Callable[[RunFolder], Mapping[str, Any]], arguments: list[str]) -> int:
    """``run_command`` under torchrun: the first process holds the folder, the others help."""
    with processes.joined():
        if processes.rank() == 0:
            return run_command(partial(_work_after_handing_on, work), arguments)
        _work_after_handing_on(work, RunFolder(Path(arguments[0])))
        return 0


def _work_after_handing_on(
    work: Callable[[RunFolder], Mapping[str, Any]], folder: RunFolder
) -> Mapping[str, Any]:
    """Go on from the first process's checkpoint, also on hosts that do not see its folder."""
    processes.hand_on(folder.checkpoint)
    return work(folder)


def _work_in(folder: RunFolder, work: Callable[[RunFolder], Mapping[str, Any]]) -> int:
    (folder.path / "error.json").unlink(missing_ok=True)
    try:
        result = work(folder)
    except RemediableError as error:
        passes = any(is_of_surroundings(cause) for cause in causes_of(error))
        told = {"error": str(error), "remedy": error.remedy, "passes": passes}
        write_json(folder.path / "error.json", told)
        sys.stderr.write(f"{error} {error.remedy}\n")
        return 1
    except Exception as error:
        if processes.is_broken(error):
            _tell_of_lost_process(folder, error)
        elif not is_of_surroundings(error):
            raise
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return PASSING_STATUS
    write_json(folder.path / "result.json", dict(result))
    return 0


def _tell_of_lost_process(folder: RunFolder, error: Exception) -> None:
    """Write it down, since torchrun passes no status on: with ``passes`` it is tried again."""
    content = {
        "error": f"A process that trained with this one is gone: {error}",
        "remedy": "Look why its host stopped; the training goes on from its last checkpoint.",
        "passes": True,
    }
    write_json(folder.path / "error.json", content)
