"""Case by case of 10,000 cases that six readers read: opened, and sorted by disagreement.

Pages are asked for in this process by Django's test client, three times each; the least time
counts. The processor's time is that of this process and of the database's that serves it: on idle
cores the two figures are nearly the same, and where others work too it is the one to look at.
"""

import os
import time

import django
import psutil

from benchmarks.rows import Row

CASES, READERS = 10_000, 6
TURNS = 3
OPEN_MS, SORT_MS = 500, 1_000
"""What is asked of the two."""


def run() -> list[Row]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feedback_app.settings")
    django.setup()
    from django.core.management import call_command
    from django.test import Client
    from django.urls import reverse

    from benchmarks.read_study import write_read_study
    from feedback_app.accounts.models import Role, User

    call_command("migrate", verbosity=0)
    study = write_read_study(cases=CASES, readers=READERS, name="Case by case")
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.create_user("benchmark-coordinator", role=Role.COORDINATOR))
    address = reverse("readings:results-cases", args=[study.pk])
    rows = []
    for name, query, limit in (
        ("case_review_open", {}, OPEN_MS),
        ("case_review_sort", {"order": "disagreement"}, SORT_MS),
    ):
        wall_ms, cpu_ms = _least(client, address, query)
        rows += [
            Row(
                name=f"{name}_ms",
                value=round(wall_ms),
                unit="ms",
                baseline=limit,
                ratio=round(wall_ms / limit, 2),
            ),
            Row(name=f"{name}_cpu_ms", value=round(cpu_ms), unit="ms"),
        ]
    return rows


def _least(client: object, address: str, query: dict[str, str]) -> tuple[float, float]:
    """Milliseconds that the fastest of some turns took, and of the processor."""
    turns = []
    for _ in range(TURNS + 1):  # the first one loads what is loaded once
        wall, cpu = time.perf_counter(), _cpu_s()
        answer = client.get(address, query)  # type: ignore[attr-defined]
        assert answer.status_code == 200
        turns.append(((time.perf_counter() - wall) * 1_000, (_cpu_s() - cpu) * 1_000))
    return min(turns[1:])


def _cpu_s() -> float:
    """Seconds of the processor in this process and in the database's that serves it."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        times = psutil.Process(cursor.fetchone()[0]).cpu_times()
    return time.process_time() + times.user + times.system
