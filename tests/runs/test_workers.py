"""Workers say that they are there, and a page shows what each does."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from feedback_app.environment import amounts
from feedback_app.runs import presence, services, tasks
from feedback_app.runs.abilities import Abilities, _own_gpu_gb, abilities
from feedback_app.runs.kinds import Handler
from feedback_app.runs.models import Run, Worker
from feedback_app.runs.workers import this_worker

pytestmark = pytest.mark.django_db


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A driver's program with two GPUs, one of which tells no figures."""
    program = tmp_path / "nvidia-smi"
    program.write_text(
        "#!/bin/sh\necho '0, NVIDIA H200, 512, 143771'\necho '1, Old, [N/A], [N/A]'\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    _own_gpu_gb.cache_clear()
    yield
    _own_gpu_gb.cache_clear()


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


@pytest.mark.usefixtures("driver")
def test_a_worker_takes_its_kinds_and_what_its_gpu_holds(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.TORCH_DEVICE = "auto"
    assert abilities() == Abilities(gpu_gb=140)
    settings.WORKER_KINDS, settings.WORKER_GPU_GB = ["generate", "measure"], 80
    assert abilities() == Abilities(kinds=("generate", "measure"), gpu_gb=80)
    settings.TORCH_DEVICE, settings.WORKER_GPU_GB = "cpu", 0
    assert abilities().gpu_gb is None  # a processor's memory is not counted
    settings.WORKER_KINDS = ["paint"]
    with pytest.raises(SystemExit, match="no kind of run paint"):
        tasks.refuse_unknown_kinds()
    monkeypatch.setenv("RUN_GPU_GB", "finetune=24, train_vlm=40")
    assert amounts("RUN_GPU_GB") == {"finetune": 24, "train_vlm": 40}
    monkeypatch.setenv("RUN_GPU_GB", "finetune=much")
    with pytest.raises(ImproperlyConfigured, match="finetune=much"):
        amounts("RUN_GPU_GB")


def test_a_run_is_left_to_a_worker_that_it_fits(
    settings: Any, handle: Callable[[Handler], Handler], cora_client: Client
) -> None:
    handle(lambda progress: {})
    settings.RUN_GPU_GB = {"import_cohort": 24}
    large = services.start("import_cohort", title="Large", spec={})
    settings.RUN_GPU_GB = {}
    small = services.start("import_cohort", title="Small", spec={})
    settings.WORKER_GPU_GB = 16
    presence.tell(["cpu"])
    tasks.execute(run_id=str(large.pk))
    assert [Run.objects.get(pk=run.pk).state for run in (large, small)] == ["queued", "succeeded"]
    said = "import_cohort with 24 GB of GPU memory on queue cpu"
    assert f"No worker takes {said}" in cora_client.get(reverse("runs:list")).content.decode()
    assert f'1 run waits for a worker that takes <span class="mono">{said}</span>' in (
        cora_client.get(reverse("runs:workers")).content.decode()
    )
    assert "there is none" in cora_client.get(reverse("runs:run", args=[large.pk])).content.decode()

    settings.WORKER_KINDS, settings.WORKER_GPU_GB = ["export"], 80
    presence.tell(["cpu"])
    tasks.execute(run_id=str(large.pk))
    assert Run.objects.with_takers().get(pk=large.pk).has_taker is False  # type: ignore[attr-defined]
    settings.WORKER_KINDS = ["export", "import_cohort"]
    presence.tell(["cpu"])
    assert Run.objects.with_takers().get(pk=large.pk).has_taker is True  # type: ignore[attr-defined]
    tasks.execute(run_id=str(large.pk))
    assert Run.objects.get(pk=large.pk).state == "succeeded"
