"""Fifty readers on one open pool of 100,000 cases, each to be read twice.

A real server (gunicorn as in the demo, PostgreSQL that waits for its disk) is asked over kept
HTTP connections. Ten more readers claim a case and are never seen again; their leases are
short here, and what they let go must be read by others. Everything the readers were promised
is checked in the database afterwards. Then the same readers go on without a pause, for the
rate at which the server saturates. Last, they read another such pool whose order is active:
what they get is drawn, by value or by lot.

``python -m benchmarks claims`` prints the figures.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import psutil

from benchmarks.rows import Row
from feedback_app.local.demo import choose_port, web_command
from feedback_app.local.homes import CHECKOUT
from feedback_app.local.processes import die_with_parent
from feedback_app.local.servers import environment, running_servers, throw_away_home

if TYPE_CHECKING:
    from benchmarks.readers import Reader

CASES = 100_000
OVERLAP = 2
READERS = 50
VANISHING = 10
EVERY_S = 2.0
PACED_S = 60.0
CLOSED_LOOP_S = 20.0
ACTIVE_S = 30.0
LEASE_S = 15
SWEEP_EVERY_S = 5.0
TARGET_MS = 150.0


def run() -> list[Row]:
    return in_own_servers("benchmarks.claims")


def in_own_servers(module: str) -> list[Row]:
    """Measure with servers and data of its own, in a process that knows of no others."""
    kept = {name: os.environ.pop(name, None) for name in ("DATABASE_URL", "REDIS_URL", "DATA_ROOT")}
    try:
        with (
            throw_away_home() as home,
            running_servers(home, is_throw_away=False) as servers,
            TemporaryDirectory() as folder,
        ):
            rows = Path(folder) / "rows.json"
            env = environment(home, servers) | {"LEASE_S": str(LEASE_S), "LOG_LEVEL": "ERROR"}
            env |= {"DEBUG": "false", "DJANGO_SETTINGS_MODULE": "feedback_app.settings"}
            command = [sys.executable, "-m", module, str(rows)]
            subprocess.run(command, cwd=CHECKOUT, env=env, check=True)
            return [Row(**row) for row in json.loads(rows.read_text())]
    finally:
        os.environ.update({name: value for name, value in kept.items() if value is not None})


def measure() -> list[Row]:
    """In a process whose environment names the servers."""
    import django

    django.setup()
    from django.core.management import call_command

    from benchmarks.pool import write_people, write_pool
    from benchmarks.readers import Reader

    call_command("migrate", verbosity=0)
    users = write_people(READERS + VANISHING)
    study = write_pool(users, cases=CASES, overlap=OVERLAP)
    active = write_pool(users, cases=CASES, overlap=OVERLAP, is_active=True)
    with web_server() as (port, web):
        people = [Reader(user, port=port) for user in users]
        readers, vanishing = people[:READERS], people[READERS:]
        lost = [reader.begin(study.pk)["slot"] for reader in vanishing]
        cpu_before_s = cpu_s(web)
        with sweeping():
            paced_s = read_for(readers, study.pk, for_s=PACED_S, every_s=EVERY_S)
        web_cpu_s = cpu_s(web) - cpu_before_s
        paced = [second for reader in readers for second in reader.timings.turns_s]
        pictures = [second for reader in readers for second in reader.timings.pictures_s]
        before = sum(len(reader.acknowledged) for reader in readers)
        closed_s = read_for(readers, study.pk, for_s=CLOSED_LOOP_S, every_s=0)
        after = sum(len(reader.acknowledged) for reader in readers)
        known = {reader.user.pk: len(reader.timings.turns_s) for reader in readers}
        read_for(readers, active.pk, for_s=ACTIVE_S, every_s=EVERY_S)
        drawn = [
            second
            for reader in readers
            for second in reader.timings.turns_s[known[reader.user.pk] :]
        ]
    check(readers, lost=lost)
    p50, p95 = np.percentile(paced, [50, 95]) * 1000
    return [
        Row(
            name="claim_p95_ms",
            value=round(p95, 1),
            unit="ms",
            baseline=TARGET_MS,
            ratio=round(p95 / TARGET_MS, 3),
        ),
        Row(name="claim_p50_ms", value=round(p50, 1), unit="ms"),
        Row(name="claim_readings_per_s", value=round(before / paced_s, 1), unit="1/s"),
        Row(
            name="claim_web_cpu_ms",  # says more than the others where the machine is shared
            value=round(web_cpu_s / before * 1000, 1),
            unit="ms a reading",
        ),
        Row(
            name="claim_active_p95_ms",
            value=round(float(np.percentile(drawn, 95)) * 1000, 1),
            unit="ms",
            baseline=TARGET_MS,
            ratio=round(float(np.percentile(drawn, 95)) * 1000 / TARGET_MS, 3),
        ),
        Row(
            name="claim_picture_p95_ms",
            value=round(float(np.percentile(pictures, 95)) * 1000, 1),
            unit="ms",
        ),
        Row(
            name="claim_saturation_per_s",
            value=round((after - before) / closed_s, 1),
            unit="readings/s",
        ),
    ]


@contextmanager
def web_server(**settings: str) -> Iterator[tuple[int, psutil.Process]]:
    """Yields the web process as the demo starts it, with more settings, and its port."""
    port = choose_port()
    process = subprocess.Popen(
        web_command(port),
        cwd=CHECKOUT,
        env=os.environ | settings,
        preexec_fn=die_with_parent(signal.SIGTERM),  # noqa: PLW1509  no thread has started yet
    )
    try:
        _wait_for(f"http://127.0.0.1:{port}/healthz")
        yield port, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(timeout=30)


def cpu_s(web: psutil.Process) -> float:
    """Processor time of the web process and its workers, in seconds."""
    times = [process.cpu_times() for process in (web, *web.children(recursive=True))]
    return sum(one.user + one.system for one in times)


def _wait_for(address: str, *, limit_s: float = 60) -> None:
    deadline = time.monotonic() + limit_s
    while True:
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


@contextmanager
def sweeping() -> Iterator[None]:
    """Yields what beat does every minute, oftener here since leases are short."""
    from feedback_app.readings.claims import release_lapsed

    ended = threading.Event()

    def sweep() -> None:
        while not ended.wait(SWEEP_EVERY_S):
            release_lapsed()

    thread = threading.Thread(target=sweep)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def read_for(
    readers: Sequence["Reader"], study_id: object, *, for_s: float, every_s: float
) -> float:
    """Let everybody read at once, out of step; the seconds it took."""

    def sit(number: int, reader: "Reader") -> None:
        time.sleep(every_s * number / len(readers))
        reader.read_until(deadline, reader.begin(study_id), every_s=every_s)

    started = time.monotonic()
    deadline = started + for_s
    with ThreadPoolExecutor(len(readers)) as threads:
        for done in [threads.submit(sit, number, reader) for number, reader in enumerate(readers)]:
            done.result()
    return time.monotonic() - started


def check(readers: Sequence["Reader"], *, lost: Sequence[str]) -> None:
    """Whether every promise was kept; an ``AssertionError`` names the one that was not."""
    from django.db.models import Count

    from feedback_app.readings.models import Reading
    from feedback_app.studies.models import Slot

    acknowledged = [slot for reader in readers for slot in reader.acknowledged]
    stored = {str(pk) for pk in Reading.objects.values_list("slot", flat=True)}
    assert Reading.objects.count() == len(acknowledged), "readings are stored once each"
    assert stored == set(acknowledged), "every reading that was acknowledged is stored"
    of_cases: Any = Reading.objects.values("slot__case").annotate(readings=Count("pk"))
    assert not of_cases.filter(readings__gt=OVERLAP).exists(), "no case is read more than twice"
    twice: Any = Reading.objects.values("slot__case", "reader").annotate(readings=Count("pk"))
    assert not twice.filter(readings__gt=1).exists(), "no reader reads a case twice"
    for slot in Slot.objects.filter(pk__in=lost):
        assert slot.seat is None, "the seat of a reader who vanished is given away"
        again = Slot.objects.filter(case=slot.case_id, priority__gt=0, readings__isnull=False)
        assert again.exists(), "a case whose reader vanished is read by somebody else"


def main(arguments: Sequence[str], measured: Callable[[], list[Row]]) -> None:
    """Write what was measured into a file that the arguments name."""
    Path(arguments[0]).write_text(json.dumps([asdict(row) for row in measured()]))


if __name__ == "__main__":
    main(sys.argv[1:], measure)
