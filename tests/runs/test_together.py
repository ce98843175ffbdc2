"""Trainings that several hosts do together: real processes, which meet on the loopback."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from feedback_app.runs import services
from feedback_app.runs.children import run_child
from feedback_app.runs.models import Gathering, LogLine, Run
from feedback_app.runs.progress import Progress
from feedback_app.runs.together import _free_port
from feedback_app.runs.trouble import ChildFailedBySurroundingsError
from generation.commands.run_folder import RunFolder
from tests.runs import a_shared_child
from tests.workers import address_of_test_database

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

MODULE = "tests.runs.a_shared_child"


def made(folder: Path, **spec: object) -> Path:
    folder.mkdir(parents=True)
    (folder / "spec.json").write_text(json.dumps(spec))
    return folder


@pytest.fixture
def helper(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    """The DATA_ROOT of a second host, on which the command that helps runs."""
    settings.DATA_ROOT = tmp_path / "first"
    settings.TRAINING_HOSTS, settings.TRAINING_ADDRESS = 2, f"127.0.0.1:{_free_port()}"
    root = tmp_path / "second"
    made(root / "runs" / "one", dies_once=True)
    environment = os.environ | {
        "DATABASE_URL": address_of_test_database(),
        "DATA_ROOT": str(root),
        "OMP_NUM_THREADS": "1",
    }
    command = [sys.executable, "manage.py", "join_trainings", "1"]
    process = subprocess.Popen(command, env=environment, cwd=settings.ROOT)
    yield root
    process.terminate()
    assert process.wait(30) == 0


def attempt(queued: Run) -> Progress:
    run = services.claim(queued.pk)
    assert run is not None
    return Progress(run)


def test_two_hosts_learn_what_one_process_does_though_one_of_them_dies(
    queued: Run, helper: Path, tmp_path: Path
) -> None:
    """They share no folder: what the first one kept is handed on to the other."""
    alone = a_shared_child.work(RunFolder(made(tmp_path / "alone")))
    assert (alone["processes"], alone["began_at"]) == (1, 1)
    progress = attempt(queued)

    run_dir = made(tmp_path / "first" / "runs" / "one", dies_once=True)
    with pytest.raises(ChildFailedBySurroundingsError, match="trained with this one is gone"):
        run_child(progress, module=MODULE, run_dir=run_dir, is_shared=True)
    assert not Gathering.objects.exists()
    services.release(progress.run, why="Its helper died")

    progress = attempt(queued)
    together = run_child(progress, module=MODULE, run_dir=run_dir, is_shared=True)
    assert (together["processes"], together["began_at"]) == (2, 5)
    assert together["weights"] == pytest.approx(alone["weights"], abs=1e-5)
    assert (helper / "runs" / "one" / "checkpoint" / "training.pt").exists()
    lines = LogLine.objects.filter(text__contains="joins at place 1")
    assert set(lines.values_list("attempt", flat=True)) == {1, 2}
