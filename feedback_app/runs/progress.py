"""What a handler holds while it works: its run, heartbeat, progress and log."""

import threading
from types import TracebackType
from typing import Self

from django.db import close_old_connections, connection
from django.utils import timezone

from feedback_app.runs.models import LogLine, Run, State

HEARTBEAT_EVERY_S = 5.0


class Cancelled(Exception):
    """Somebody asked for the run to be cancelled."""


class Superseded(Exception):
    """Another worker has taken the run up since; nothing more may be written."""


class Progress:
    """Writes on a run for one attempt; each write fails once the attempt is over.

    As a context manager it beats the heart from a thread, so that a handler deep
    in one long call is not taken for dead.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
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
        """Report progress; raises ``Cancelled`` or ``Superseded`` where work must stop."""
        values: dict[str, object] = {"done": done, "note": note[:200]}
        if total is not None:
            values["total"] = total
        if figures is not None:
            values["figures"] = figures
        self._write(**values)
        self.check()

    def check(self) -> None:
        """Raise if the run was cancelled or taken over."""
        row = Run.objects.filter(pk=self.run.pk).values("attempt", "state", "cancel_requested")
        now = row.get()
        if now["attempt"] != self.run.attempt or now["state"] != State.RUNNING:
            raise Superseded
        if now["cancel_requested"]:
            raise Cancelled

    def log(self, text: str) -> None:
        LogLine.objects.create(run=self.run, attempt=self.run.attempt, text=text)

    def _write(self, **values: object) -> None:
        mine = Run.objects.filter(
            pk=self.run.pk, attempt=self.run.attempt, state=State.RUNNING
        )
        if not mine.update(heartbeat_at=timezone.now(), **values):
            raise Superseded

    def _beat(self) -> None:
        try:
            while not self._stopped.wait(HEARTBEAT_EVERY_S):
                close_old_connections()
                self._write()
        except Superseded:
            pass
        finally:
            connection.close()
