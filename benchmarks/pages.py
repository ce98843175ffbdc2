"""What each page costs where 20,000 candidates and 50,000 readings are kept.

A page is asked for through the web code with no figure kept, after it was once asked for before,
so that its modules are loaded; what a run works out is shown once more when it has, and the
first count of all readings is asked for anew.
The figure is CPU time, of the web process and of the database's process for it, in
milliseconds: what else the machine does changes it less than the time on a clock. The aim is
300 for every page.
"""

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import django
import psutil

from benchmarks.rows import Row

if TYPE_CHECKING:
    from django.test import Client

    from benchmarks.crowd import Crowd

AIM_MS = 300


@dataclass(frozen=True)
class Cost:
    cpu_ms: float
    queries: int
    kib: float


def run() -> list[Row]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feedback_app.settings")
    django.setup()
    from django.core.management import call_command
    from django.test import Client
    from django.urls import reverse

    from benchmarks.crowd import gather
    from feedback_app.finetuning.models import ReadingYield
    from feedback_app.results.kinds import WORK_OUT
    from feedback_app.runs.models import Run
    from feedback_app.runs.services import execute

    call_command("migrate", verbosity=0)
    crowd = gather()
    client = Client(headers={"host": "localhost"})
    client.force_login(crowd.coordinator)
    rows = [row_of(name, cost_of(client, where)) for name, where in addresses(crowd).items()]
    ReadingYield.objects.all().delete()
    rows += [
        row_of(f"{name}_uncounted", cost_of(client, reverse(where)))
        for name, where in {"home": "home", "learning": "finetuning:overview"}.items()
    ]
    for run in Run.objects.unfinished():
        started = time.process_time()
        execute(run.pk)
        taken = round(time.process_time() - started, 1)
        name = run.kind
        if run.kind == WORK_OUT:
            name = (
                "results_shared"
                if run.spec["study"] == str(crowd.shared.pk)
                else "results_compared"
            )
        rows.append(Row(name=f"run_{name}_cpu_s", value=taken, unit="s CPU"))
    cases = reverse("readings:results-cases", args=[crowd.shared.pk])
    worked_out = {
        "results_shown": reverse("readings:results-page", args=[crowd.shared.pk]),
        "cases_disputed_shown": f"{cases}?order=disagreement",
        "policy_counted": reverse("curation:policy", args=[crowd.policy.pk]),
    } | plots(crowd)
    return rows + [
        row_of(name, cost_of(client, where, forgets=False)) for name, where in worked_out.items()
    ]


def row_of(name: str, cost: Cost) -> Row:
    print(f"{name:<30} {cost.cpu_ms:8.0f} ms {cost.queries:4} queries {cost.kib:8.0f} KiB")
    return Row(
        name=f"page_{name}_cpu_ms",
        value=round(cost.cpu_ms),
        unit="ms CPU",
        baseline=AIM_MS,
        ratio=round(cost.cpu_ms / AIM_MS, 2),
    )


def addresses(crowd: "Crowd") -> dict[str, str]:
    from django.urls import reverse

    shared, compared = crowd.shared.pk, crowd.compared.pk
    candidate, batch = crowd.candidate, crowd.candidate.recipe.batches.first()
    assert batch is not None
    return {
        "home": reverse("home"),
        "learning": reverse("finetuning:overview"),
        "new_snapshot": reverse("finetuning:snapshot_new"),
        "studies": reverse("studies:list"),
        "study": reverse("studies:detail", args=[shared]),
        "results": reverse("readings:results-page", args=[shared]),
        "results_compared": reverse("readings:results-page", args=[compared]),
        "images_read": reverse("readings:results-images", args=[shared]),
        "cases": reverse("readings:results-cases", args=[shared]),
        "cases_disputed": reverse("readings:results-cases", args=[shared]) + "?order=disagreement",
        "curation": reverse("curation:list"),
        "policy": reverse("curation:policy", args=[crowd.policy.pk]),
        "gallery": reverse("images:gallery"),
        "gallery_by_measure": reverse("images:gallery") + "?order=nearest-training-image",
        "candidate": reverse("images:candidate", args=[candidate.pk]),
        "batch": reverse("images:batch", args=[batch.pk]),
        "console": reverse("images:console"),
        "runs": reverse("runs:list"),
        "models": reverse("models"),
        "cohorts": reverse("images:cohorts"),
        "experiments": reverse("experiments:list"),
        "new_experiment": reverse("experiments:create"),
        "api_batches": "/api/batches/",
        "api_batch": f"/api/batches/{batch.pk}/",
        "api_made": f"/api/batches/{batch.pk}/candidates/",
        "api_studies": "/api/studies/",
        "api_experiments": "/api/experiments/",
    }


def plots(crowd: "Crowd") -> dict[str, str]:
    from django.urls import reverse

    from feedback_app.results.cache import figures_for, state_of
    from feedback_app.results.plots.catalogue import plots_of

    found = plots_of(figures_for(crowd.shared, state=state_of(crowd.shared)))
    return {
        f"plot_{name}": reverse("readings:plot", args=[crowd.shared.pk, name, "svg"])
        for name in found
    }


def cost_of(client: "Client", address: str, *, forgets: bool = True) -> Cost:
    """Returns what a page costs; where it ``forgets``, with no figure kept."""
    from django.core.cache import cache
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client.get(address)
    if forgets:
        cache.clear()
    with connection.cursor() as cursor:
        cursor.execute("SET max_parallel_workers_per_gather = 0; SELECT pg_backend_pid()")
        database = psutil.Process(cursor.fetchone()[0])
    before = time.process_time() + sum(database.cpu_times()[:2])
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(address)
        content = answer.getvalue()
    after = time.process_time() + sum(database.cpu_times()[:2])
    assert answer.status_code == 200, (address, answer.status_code)
    return Cost(1_000 * (after - before), len(queries), len(content) / 1_024)
