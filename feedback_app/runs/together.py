"""Trainings by several processes, and by several hosts that find each other in the database.

The worker that does the run has place 0, so that its host's run folder is the one that counts.
``manage.py join_trainings PLACE`` helps on another host: it sees in the database what is trained
now, and starts the same there. torch's own launcher, torchrun, brings the processes together.
"""

import logging
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import close_old_connections
from django.dispatch import Signal

from feedback_app.runs import leash
from feedback_app.runs.models import Gathering, LogLine, Run, State
from feedback_app.runs.process_groups import end_group, start_group

POLL_EVERY_S = 1.0
LAUNCHER = "torch.distributed.run"
LAST_CHARACTERS = 2000
STOPPED = (0, -signal.SIGTERM, -signal.SIGKILL)

logger = logging.getLogger(__name__)

gathering_began = Signal()
"""Sent with the ``run_dir`` before hosts are asked to help, for whoever makes it seen by them."""
helper_joins = Signal()
"""Sent on a helping host with the ``run_dir``, for whoever fetches it."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """So many processes on each of so many hosts, which meet at ``host:port``."""

    hosts: int
    processes: int
    address: str

    @property
    def is_alone(self) -> bool:
        return self.hosts * self.processes == 1

    def command(self, module: str, run_dir: Path, *, place: int) -> list[str]:
        """Returns what the host at this place starts; its processes end when torchrun ends."""
        if self.is_alone:
            return [sys.executable, "-m", module, str(run_dir)]
        host, _, port = self.address.rpartition(":")
        return [
            *(sys.executable, "-m", LAUNCHER, "--nnodes", str(self.hosts)),
            *("--nproc-per-node", str(self.processes), "--node-rank", str(place)),
            *("--master-addr", host, "--master-port", port, "--max-restarts", "0"),
            *(str(leash.__file__), "-", sys.executable, "-m", module, str(run_dir)),
        ]


ALONE = Group(hosts=1, processes=1, address="")


def group_of_settings() -> Group:
    """Returns who trains together here; a host alone meets at a port that is free just now."""
    hosts, processes = settings.TRAINING_HOSTS, settings.TRAINING_PROCESSES
    host, _, port = settings.TRAINING_ADDRESS.rpartition(":")
    if min(hosts, processes) < 1 or not (host and port.isdecimal()):
        raise ImproperlyConfigured(
            "TRAINING_HOSTS and TRAINING_PROCESSES are at least 1; TRAINING_ADDRESS is host:port."
        )
    address = settings.TRAINING_ADDRESS if hosts > 1 else f"127.0.0.1:{_free_port()}"
    return Group(hosts=hosts, processes=processes, address=address)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def gathered(run: Run, group: Group, *, module: str, run_dir: Path) -> Iterator[None]:
    """Asks other hosts to help for as long as this lasts."""
    if group.hosts == 1:
        yield
        return
    gathering_began.send(sender=gathered, run_dir=run_dir)
    folder = run_dir.relative_to(settings.DATA_ROOT).as_posix()
    asked = {
        "attempt": run.attempt,
        "module": module,
        "folder": folder,
        "address": group.address,
        "hosts": group.hosts,
        "processes": group.processes,
    }
    Gathering.objects.update_or_create(run=run, defaults=asked)
    try:
        yield
    finally:
        Gathering.objects.filter(run=run, attempt=run.attempt).delete()


def help_with_trainings(place: int, *, stopped: threading.Event) -> None:
    """Joins every training that hosts are gathered for, one after the other, until stopped."""
    tried: tuple[UUID, int] | None = None
    while not stopped.is_set():
        close_old_connections()
        asked = _asked_of(place)
        if asked is None or (asked.run_id, asked.attempt) == tried:
            stopped.wait(POLL_EVERY_S)
            continue
        tried = (asked.run_id, asked.attempt)
        _help(asked, place, stopped=stopped)


def _asked_of(place: int) -> Gathering | None:
    """Returns the training that this place is missing from; its run is under way."""
    rows = Gathering.objects.filter(hosts__gt=place, run__state=State.RUNNING)
    return rows.select_related("run").order_by("pk").last()


def _help(asked: Gathering, place: int, *, stopped: threading.Event) -> None:
    """Does this host's part until the training ends, is over, or this host is to stop."""
    run_dir = Path(settings.DATA_ROOT) / asked.folder
    helper_joins.send(sender=_help, run_dir=run_dir)
    run_dir.mkdir(parents=True, exist_ok=True)
    group = Group(hosts=asked.hosts, processes=asked.processes, address=asked.address)
    _say(asked, f"{socket.gethostname()} joins at place {place}")
    log = run_dir / f"helper-{place}.log"
    with log.open("wb") as output:
        process = start_group(group.command(asked.module, run_dir, place=place), output=output)
        try:
            while process.poll() is None and not stopped.is_set() and _is_on(asked):
                stopped.wait(POLL_EVERY_S)
        finally:
            end_group(process)
    if process.returncode not in STOPPED:
        said = log.read_text(errors="replace")[-LAST_CHARACTERS:]
        _say(asked, f"{socket.gethostname()} failed at place {place}: {said}")


def _is_on(asked: Gathering) -> bool:
    return Gathering.objects.filter(run=asked.run_id, attempt=asked.attempt).exists()


def _say(asked: Gathering, text: str) -> None:
    logger.info("run %s: %s", asked.run_id, text)
    LogLine.objects.create(run_id=asked.run_id, attempt=asked.attempt, text=text)
