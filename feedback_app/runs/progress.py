"""What a handler holds while it works: its run, heartbeat, progress and log."""

import logging
import math
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from django.db import DatabaseError, InterfaceError, close_old_connections, connection, connections
from django.db.models.functions import Now

from feedback_app.runs import workers
from feedback_app.runs.abilities import abilities
from feedback_app.runs.models import LogLine, Run, State

HEARTBEAT_EVERY_S = 5.0

logger = logging.getLogger(__name__)


class Cancelled(Exception):
    """Somebody asked for the run to be cancelled."""


class Superseded(Exception):
    """Another worker has taken the run up since; nothing more may be written."""


class GivingWay(Exception):
    """A more urgent run waits; this one goes back to the queue."""


class WorkerStopping(Exception):
    """This worker was asked to shut down; the run goes back to the queue."""


def storable(value: Any) -> Any:
    """Returns the value as PostgreSQL takes it: UTF-8 without NUL in texts, finite numbers in
    JSON.
    """
    match value:
        case str():
            return value.replace("\x00", "\ufffd").encode("utf-8", "backslashreplace").decode()
        case float() if not math.isfinite(value):
            return str(value)
        case dict():
            return {storable(key): storable(item) for key, item in value.items()}
        case list() | tuple():
            return [storable(item) for item in value]
    return value


class Progress:
    """Writes on a run for one attempt; each write fails once the attempt is over.

    As a context manager it beats the heart from a thread, so that a handler deep
    in one long call is not taken for dead.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self._has_reported = False
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._thread.join()

    def update(
        self,
        done: int,
        *,
        total: int | None = None,
        note: str = "",
        figures: dict[str, object] | None = None,
    ) -> None:
        """Report progress; raises where work must stop (see ``check``).

        The first report says where this attempt begins: the rate is counted from there.
        """
        values: dict[str, object] = {"done": done, "note": storable(note[:200])}
        if not self._has_reported:
            values["done_before"] = done
        if total is not None:
            values["total"] = total
        if figures is not None:
            values["figures"] = storable(figures)
        self._write(**values)
        self._has_reported = True
        self.check()

    def check(self) -> None:
        """Raise ``Superseded``, ``Cancelled`` or ``WorkerStopping`` where work must stop."""
        row = Run.objects.filter(pk=self.run.pk).values("attempt", "state", "cancel_requested")
        now = row.first()
        if not now or now["attempt"] != self.run.attempt or now["state"] != State.RUNNING:
            raise Superseded
        if now["cancel_requested"]:
            raise Cancelled
        if workers.stopping.is_set():
            raise WorkerStopping

    def give_way(self) -> None:
        """Raise ``GivingWay`` where a more urgent run of this queue waits that this worker takes.

        For work that can be taken up where it is now.
        """
        waiting = Run.objects.claimable().filter(queue=self.run.queue).fitting(abilities())
        urgent = waiting.filter(priority__gt=self.run.priority).first()
        if urgent is not None:
            raise GivingWay(f"Gave way to “{urgent.title}”")

    @contextmanager
    def reported_apart(self) -> Iterator[Callable[[int, str], None]]:
        """``report(done, note)`` for work in one transaction: seen before that is committed.

        It goes over a connection of its own, and raises what ``update`` raises.
        """
        with ThreadPoolExecutor(max_workers=1) as apart:

            def report(done: int, note: str) -> None:
                apart.submit(self.update, done, note=note).result()

            try:
                yield report
            finally:
                apart.submit(connections.close_all).result()

    def keep(self, result: dict[str, object]) -> None:
        """Store the result in the caller's transaction, as the last thing it does.

        An attempt that was superseded cannot commit then, and one that is killed after the
        commit leaves the result to the next, which finds it in ``run.result``.
        """
        self._write(result=storable(result))

    def log(self, text: str) -> None:
        self.log_lines([text])

    def log_lines(self, texts: Iterable[str]) -> None:
        LogLine.objects.bulk_create(
            LogLine(run=self.run, attempt=self.run.attempt, text=storable(text)) for text in texts
        )

    def _write(self, **values: object) -> None:
        mine = Run.objects.running().filter(pk=self.run.pk, attempt=self.run.attempt)
        if not mine.update(heartbeat_at=Now(), **values):
            raise Superseded

    def _beat(self) -> None:
        try:
            while not self._stopped.wait(HEARTBEAT_EVERY_S):
                self._beat_once()
        except Superseded:
            pass  # the handler is told at its next report
        finally:
            connection.close()

    def _beat_once(self) -> None:
        """A beat that the database does not take is missed; the next one may get through."""
        try:
            close_old_connections()
            self._write()
        except (DatabaseError, InterfaceError) as error:
            logger.warning("run %s missed a heartbeat: %s", self.run.pk, error)
            connection.close()
