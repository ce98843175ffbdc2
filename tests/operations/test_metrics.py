"""Figures for Prometheus, and who may read them."""

import os
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from feedback_app.environment import networks
from feedback_app.local.homes import CHECKOUT
from feedback_app.operations import metrics
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run, State, Worker

pytestmark = pytest.mark.django_db


def told(client: Client, **headers: str) -> dict[tuple[str, ...], float]:
    """Every figure by its name and the values of its labels."""
    answer = client.get("/metrics", headers=headers)
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.content.decode())
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }


def test_only_the_token_and_allowed_networks_are_told(client: Client, settings: Settings) -> None:
    assert client.get("/metrics").status_code == 404
    settings.METRICS_TOKEN = "s" * 40
    statuses = [
        client.get("/metrics", headers=headers).status_code
        for headers in ({}, {"authorization": "Bearer wrong"}, {"authorization": "Bearer "})
    ]
    assert statuses == [404, 404, 404]
    assert told(client, authorization=f"Bearer {'s' * 40}")
    settings.METRICS_NETWORKS = networks("METRICS_NETWORKS", ["127.0.0.0/8"])
    assert told(client)
    settings.METRICS_NETWORKS = networks("METRICS_NETWORKS", ["10.0.0.0/8"])
    assert client.get("/metrics").status_code == 404


def test_requests_queues_runs_workers_and_gpus_are_counted(
    client: Client, settings: Settings
) -> None:
    settings.METRICS_TOKEN = "token"
    settings.MIDDLEWARE = [
        "feedback_app.operations.metrics.measure_requests",
        *settings.MIDDLEWARE,
    ]
    counted = Client()
    before = told(client, authorization="Bearer token")
    counted.get("/accounts/login/")
    counted.get("/nowhere/at/all")
    waiting = runs.start("import_cohort", title="A", spec={})
    done, now = runs.start("import_cohort", title="B", spec={}), timezone.now()
    Run.objects.filter(pk=done.pk).update(
        state=State.SUCCEEDED, started_at=now - timedelta(seconds=90), finished_at=now
    )
    gpu = {"index": 0, "name": "H200", "used_bytes": 5, "total_bytes": 9}
    Worker.objects.create(
        name="far:7@1", host="far", queues=["gpu"], gpus=[gpu], seen_at=timezone.now()
    )
    figures = told(client, authorization="Bearer token")

    def grown(*name: str) -> float:
        return figures.get(name, 0) - before.get(name, 0)

    assert grown("reading_room_requests_total", "GET", "200", "accounts:login") == 1
    assert grown("reading_room_requests_total", "GET", "404", "none") == 1
    assert grown("reading_room_request_seconds_count", "accounts:login") == 1
    assert figures["reading_room_runs", "import_cohort", waiting.queue, "queued"] == 1
    assert figures["reading_room_runs", "generate", "gpu", "running"] == 0
    assert figures["reading_room_run_seconds_count", "import_cohort", "succeeded"] == 1
    assert figures["reading_room_run_seconds_sum", "import_cohort", "succeeded"] == 90
    assert figures["reading_room_workers", "gpu"] == 1
    assert figures["reading_room_workers", "cpu"] == 0
    assert figures["reading_room_gpu_memory_used_bytes", "0", "far", "H200"] == 5


def test_a_stored_reading_is_a_turn(rf: Any) -> None:
    before = metrics.turns._value.get()
    for method, view, status in (
        ("post", metrics.TURN, 201), ("post", metrics.TURN, 400), ("get", "api:slot", 200),
    ):  # fmt: skip
        request = getattr(rf, method)("/")
        request.resolver_match = type("Match", (), {"view_name": view})
        response = type("Answer", (), {"status_code": status})
        metrics.count_request(request, response, took_s=0.01)  # type: ignore[arg-type]
    assert metrics.turns._value.get() == before + 1


PROCESSES = """
import os
from feedback_app.wsgi import application
import django.test
def ask(path):
    answer = django.test.Client(headers={"authorization": "Bearer token"}).get(path)
    return answer.content.decode()
for _ in range(2):
    if (child := os.fork()) == 0:
        ask("/accounts/nowhere/"); os._exit(0)
    os.waitpid(child, 0)
from feedback_app.operations import metrics
print(metrics.generate_latest(metrics.counted()).decode())
"""


def test_processes_of_one_master_count_together() -> None:
    """As gunicorn makes them: the application is loaded, then forked."""
    done = subprocess.run(
        [sys.executable, "-c", PROCESSES],
        cwd=CHECKOUT,
        env={
            **os.environ,
            "METRICS_TOKEN": "token",
            "ALLOWED_HOSTS": "testserver",
            "DEBUG": "true",
            "DJANGO_SETTINGS_MODULE": "feedback_app.settings",
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert 'reading_room_requests_total{method="GET",status="404",view="none"} 2.0' in done.stdout
