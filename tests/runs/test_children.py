"""Training children: real processes, ended in every way that there is."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from django.conf import settings
from django.db import connection

from feedback_app.runs import children, process_groups, services
from feedback_app.runs.children import run_child
from feedback_app.runs.kinds import Handler
from feedback_app.runs.models import LogLine, Run, State
from feedback_app.runs.progress import Cancelled, Progress, Superseded
from feedback_app.runs.tasks import execute
from feedback_app.runs.trouble import ChildFailedBySurroundingsError, ChildKilledError
from generation.errors import RemediableError

pytestmark = pytest.mark.django_db

MODULE = "tests.runs.a_child"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(children, "POLL_EVERY_S", 0.1)
    monkeypatch.setattr(process_groups, "STOP_WITHIN_S", 0.5)


@pytest.fixture
def progress(queued: Run) -> Progress:
    run = services.claim(queued.pk)
    assert run is not None
    return Progress(run)


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[str], Path]:
    def that(does: str) -> Path:
        (tmp_path / "spec.json").write_text(json.dumps({"do": does}))
        return tmp_path

    return that


def wait_for(file: Path) -> int:
    """The process id that the file holds, once it is there."""
    for _ in range(200):
        if file.exists() and file.read_text():
            return int(file.read_text())
        time.sleep(0.05)
    raise AssertionError(f"{file.name} did not appear")


def is_gone(pid: int) -> bool:
    for _ in range(100):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def test_progress_and_log_of_a_child_reach_the_run(
    progress: Progress, folder: Callable[[str], Path]
) -> None:
    assert run_child(progress, module=MODULE, run_dir=folder("finish")) == {"answer": 42}
    run = Run.objects.get(pk=progress.run.pk)
    assert (run.done, run.total, run.note, run.figures) == (2, 4, "two", {"loss": 1})
    assert [line.text for line in LogLine.objects.filter(run=run)] == ["epoch 1 100 %"]


def test_a_child_that_is_run_twice_gives_the_same(
    progress: Progress, folder: Callable[[str], Path]
) -> None:
    first = run_child(progress, module=MODULE, run_dir=folder("finish"))
    assert run_child(progress, module=MODULE, run_dir=folder("finish")) == first


def test_an_error_that_the_child_wrote_down_is_raised_with_its_remedy(
    progress: Progress, folder: Callable[[str], Path]
) -> None:
    with pytest.raises(RemediableError, match="No such cohort") as caught:
        run_child(progress, module=MODULE, run_dir=folder("fail"))
    assert caught.value.remedy == "Import it."


def test_an_old_error_is_not_taken_for_a_new_one(
    progress: Progress, folder: Callable[[str], Path]
) -> None:
    run_dir = folder("crash")
    (run_dir / "error.json").write_text(json.dumps({"error": "old", "remedy": "old"}))
    with pytest.raises(RemediableError, match="status 3") as caught:
        run_child(progress, module=MODULE, run_dir=run_dir)
    assert "the last words" in str(caught.value)


@pytest.mark.parametrize("how", ["die", "die in a shell"])
def test_a_child_that_was_killed_says_so_and_names_the_memory(
    progress: Progress, folder: Callable[[str], Path], how: str
) -> None:
    with pytest.raises(ChildKilledError, match="SIGKILL") as caught:
        run_child(progress, module=MODULE, run_dir=folder(how))
    assert "memory" in caught.value.remedy


def test_a_child_that_found_no_room_was_failed_by_its_surroundings(
    progress: Progress, folder: Callable[[str], Path]
) -> None:
    with pytest.raises(ChildFailedBySurroundingsError, match="No space left on device"):
        run_child(progress, module=MODULE, run_dir=folder("find no room"))


@pytest.mark.django_db(transaction=True)
def test_a_training_outlives_the_connection_to_the_database(
    queued: Run, folder: Callable[[str], Path]
) -> None:
    run = services.claim(queued.pk)
    assert run is not None
    run_dir = folder("train")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone()

    def cut_when_it_trains() -> None:
        wait_for(run_dir / "pid")
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [backend])
        connection.close()

    cutter = threading.Thread(target=cut_when_it_trains)
    cutter.start()
    try:
        assert run_child(Progress(run), module=MODULE, run_dir=run_dir) == {"steps": 3}
    finally:
        cutter.join()
        connection.close()  # it may be cut after its last use, and the next test wants one
    assert (run_dir / "steps").read_text().split() == ["1", "2", "3"]


def test_a_child_without_a_result_is_an_error(
    progress: Progress, folder: Callable[[str], Path]
) -> None:
    with pytest.raises(RemediableError, match=r"result\.json"):
        run_child(progress, module=MODULE, run_dir=folder("leave nothing"))


@pytest.mark.parametrize("why", ["cancelled", "superseded"])
@pytest.mark.django_db(transaction=True)
def test_a_stopped_run_ends_the_child_and_its_children(
    queued: Run, folder: Callable[[str], Path], why: str
) -> None:
    run = services.claim(queued.pk)
    assert run is not None
    run_dir = folder("hang")

    def stop_when_it_hangs() -> None:
        wait_for(run_dir / "grandchild")
        (services.cancel(run) if why == "cancelled" else services.release(run, why="dead"))

    stopper = threading.Thread(target=stop_when_it_hangs)
    stopper.start()
    with pytest.raises(Cancelled if why == "cancelled" else Superseded):
        run_child(Progress(run), module=MODULE, run_dir=run_dir)
    stopper.join()
    assert is_gone(wait_for(run_dir / "pid"))
    assert is_gone(wait_for(run_dir / "grandchild"))


@pytest.mark.django_db(transaction=True)
def test_a_long_training_lets_a_short_batch_pass_and_loses_nothing(
    queued: Run, handle: Callable[[Handler], Handler], folder: Callable[[str], Path]
) -> None:
    """The batch is asked for while the training works, and does not wait for its end."""
    run_dir = folder("train")
    ended: list[str] = []

    def ask_when_it_trains() -> None:
        wait_for(run_dir / "pid")
        services.start("import_cohort", title="A batch", spec={}, priority=10)
        services.start("import_cohort", title="No hurry", spec={})
        connection.close()

    def work(progress: Progress) -> dict[str, object]:
        if progress.run.title == queued.title:
            run_child(progress, module=MODULE, run_dir=run_dir)
        ended.append(progress.run.title)
        return {}

    handle(work)
    asker = threading.Thread(target=ask_when_it_trains)
    asker.start()
    execute(run_id=str(queued.pk))
    asker.join()
    assert ended == ["A batch", queued.title, "No hurry"]
    queued.refresh_from_db()
    assert (queued.state, queued.attempt, queued.crashes) == (State.SUCCEEDED, 2, 0)
    assert (run_dir / "steps").read_text().split() == ["1", "2", "3"]
    said = [line.text for line in LogLine.objects.filter(run=queued)]
    assert "Gave way to “A batch”; queued again" in said


def test_a_training_that_keeps_no_state_is_not_interrupted(
    progress: Progress, folder: Callable[[str], Path]
) -> None:
    services.start("import_cohort", title="A batch", spec={}, priority=10)
    assert run_child(progress, module=MODULE, run_dir=folder("finish")) == {"answer": 42}


@pytest.mark.skipif(sys.platform != "linux", reason="NO LEASH: only Linux ends orphans")
def test_a_child_dies_with_the_worker_that_started_it(tmp_path: Path) -> None:
    (tmp_path / "spec.json").write_text(json.dumps({"do": "hang"}))
    command = [*process_groups.LEASH, "PARENT", sys.executable, "-m", MODULE, str(tmp_path)]
    script = (
        "import os, subprocess, time\n"
        f"command = [str(os.getpid()) if c == 'PARENT' else c for c in {command!r}]\n"
        "subprocess.Popen(command, start_new_session=True)\n"
        "time.sleep(600)\n"
    )
    worker = subprocess.Popen([sys.executable, "-c", script], cwd=settings.ROOT)
    grandchild = wait_for(tmp_path / "grandchild")
    worker.kill()
    worker.wait()
    try:
        assert is_gone(wait_for(tmp_path / "pid"))
    finally:
        os.kill(grandchild, 9)  # nobody holds a leash of a child's child
