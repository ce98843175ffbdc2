"""Workers say that they are there, and a page shows what each does."""

from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from feedback_app.runs import presence, services
from feedback_app.runs.models import Run, Worker
from feedback_app.runs.workers import this_worker

pytestmark = pytest.mark.django_db


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver's program with two GPUs, one of which tells no figures."""
    program = tmp_path / "nvidia-smi"
    program.write_text(
        "#!/bin/sh\necho '0, NVIDIA H200, 512, 143771'\necho '1, Old, [N/A], [N/A]'\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")


@pytest.mark.usefixtures("driver")
def test_a_worker_is_shown_with_what_it_does(cora_client: Client) -> None:
    presence.tell(["gpu"])
    presence.tell(["gpu"])
    long_ago = timezone.now() - timedelta(days=2)
    old = Worker.objects.create(name="old:1@1", host="old", queues=["cpu"], seen_at=long_ago)
    address = reverse("runs:workers")
    page = cora_client.get(address).content.decode()
    assert "512.0\xa0MB of 140.4\xa0GB" in page and "gone, or cut off" in page
    assert "No worker takes runs of the queue" in page and "waits" in page

    run = services.start("import_cohort", title="Import A", spec={})
    services.claim(run.pk)
    presence.tell(["gpu"])
    assert not Worker.objects.filter(pk=old.pk).exists()
    mine = Worker.objects.with_runs().get()
    assert (mine.name, mine.is_alive) == (this_worker(), True)
    assert (mine.run_id, mine.run_title) == (run.pk, "Import A")  # type: ignore[attr-defined]
    assert [gpu["used_bytes"] for gpu in mine.gpus] == [512 * 1024**2]
    assert "Import A" in cora_client.get(address, {"queue": "gpu"}).content.decode()
    assert "No worker fits" in cora_client.get(address, {"queue": "cpu"}).content.decode()
    assert Run.objects.get().worker == mine.name
