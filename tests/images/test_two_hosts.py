"""Hosts that share the database, Redis and a bucket alone do one installation's work together."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_django import Settings

from feedback_app.accounts.models import User
from feedback_app.curation.services import apply_policy, create_policy
from feedback_app.environment import bucket
from feedback_app.exports.services import start_export
from feedback_app.finetuning.models import FineTune
from feedback_app.finetuning.services import start_finetune, take_snapshot
from feedback_app.images.candidates.batches import Settings as BatchSettings
from feedback_app.images.candidates.batches import create_batch, progress_of
from feedback_app.images.models import Candidate
from feedback_app.images.versions.services import register, require_weights
from feedback_app.runs import services as runs
from feedback_app.runs.models import LogLine, Run, State
from feedback_app.studies.models import Slot, Study
from tests.bucket import served
from tests.finetuning.read_studies import Read, base, make_batch, make_study, read
from tests.workers import Worker, wait_until

__all__ = ["base", "make_batch", "make_study", "read"]
pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PROMPTS = ("chest x-ray, no finding, PA view", "chest x-ray, pneumonia, AP view")


def use_bucket(settings: Settings, environment: dict[str, str]) -> None:
    """Lets this process, the web host, keep nothing of its own either."""
    settings.STORAGE_URL = environment["STORAGE_URL"]
    given = {
        name: environment[f"STORAGE_{name.upper()}"]
        for name in ("endpoint", "region", "access_key", "secret_key")
    }
    default = bucket(environment["STORAGE_URL"], **given)
    settings.STORAGES = {**settings.STORAGES, "default": default}


def is_at_work(worker: Worker) -> bool:
    """Whether a run is the worker's at this moment."""
    assert worker.process is not None
    pid = str(worker.process.pid)
    return any(pid in run.worker for run in Run.objects.running())


def test_hosts_make_a_batch_a_fine_tune_and_an_export_while_one_is_killed(
    start_worker: Callable[..., Worker],
    make_study: Callable[..., Study],
    read: Read,
    rosa: User,
    tiny_model: Path,
    storage: Path,
    settings: Settings,
    tmp_path: Path,
) -> None:
    (tmp_path / "server").mkdir()
    with served(tmp_path / "server") as environment:
        use_bucket(settings, environment)
        study = make_study(rosa)
        for slot in Slot.objects.filter(study=study):
            read(slot, [5, 4, 2, 0])
        version = register("tiny", str(tiny_model))
        curated_set = apply_policy(
            create_policy("Night", studies=[study], min_mean_scores={}, refuses_copies=False)
        )

        one = start_worker("gpu", DATA_ROOT=str(tmp_path / "one"), **environment)
        for queue in ("gpu", "cpu"):
            start_worker(queue, DATA_ROOT=str(tmp_path / "two"), **environment)
        batch = create_batch(
            "Batch",
            model_version=version,
            prompts=PROMPTS,
            images_per_prompt=8,
            settings=BatchSettings(steps=30),
        )
        fine_tune = start_finetune(
            snapshot=take_snapshot(name="Monday", simulated=False),
            parent=version,
            method="dpo_margin",
            settings={"steps": 2, "batch_size": 2, "rank": 2},
            asks_gate=False,
        )
        export = start_export(curated_set)
        wait_until(lambda: is_at_work(one), what="the first host works")
        one.kill()
        runs.sweep()
        asked = [*batch.runs.all(), fine_tune.run, export.run]

        def is_done() -> bool:
            states = Run.objects.filter(pk__in=[run.pk for run in asked])
            return not states.exclude(state__in=[State.SUCCEEDED, State.FAILED]).exists()

        wait_until(is_done, what="all is made")
        errors = Run.objects.filter(state=State.FAILED).values_list("kind", "error")
        assert list(errors) == []
        assert LogLine.objects.filter(text__contains="died; queued again").count() == 1
        assert progress_of(batch).is_complete
        for candidate in Candidate.objects.select_related("image__blob"):
            assert candidate.image.blob.read()
        export.refresh_from_db()
        assert export.blob is not None
        with zipfile.ZipFile(io.BytesIO(export.blob.read())) as archive:
            assert archive.testzip() is None
        child = FineTune.objects.get().model_version
        assert child is not None
        assert not (storage / child.location.removeprefix("data:")).exists()
        require_weights(child)
        assert (storage / child.location.removeprefix("data:")).is_dir()
