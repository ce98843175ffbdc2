"""The supervisor with small real children."""

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from feedback_app.local import processes
from feedback_app.local.demo import web_command
from feedback_app.local.supervisor import Child, Supervisor

CHECKOUT = Path(__file__).resolve().parents[2]
FOREVER = "import time\nprint('up', flush=True)\ntime.sleep(600)"

Supervise = Callable[[str], tuple[Supervisor, Child, io.StringIO]]


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Supervise]:
    supervisors: list[Supervisor] = []

    def supervised(program: str) -> tuple[Supervisor, Child, io.StringIO]:
        said = io.StringIO()
        child = Child(
            name="child", command=[sys.executable, "-c", program], log=tmp_path / "child.log"
        )
        supervisor = Supervisor([child], servers=[], env=os.environ, out=said)
        supervisors.append(supervisor)
        return supervisor, child, said

    yield supervised
    for supervisor in supervisors:
        supervisor.stop()


def tick_until(supervisor: Supervisor, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        supervisor.tick(0.1)


def test_a_childs_lines_are_shown_with_its_name_and_kept(
    supervise: Supervise, tmp_path: Path
) -> None:
    supervisor, _, said = supervise(FOREVER)
    tick_until(supervisor, lambda: "child | up" in said.getvalue())
    assert (tmp_path / "child.log").read_text() == "up\n"


def test_a_killed_child_is_started_again_and_a_line_says_so(supervise: Supervise) -> None:
    supervisor, child, said = supervise(FOREVER)
    tick_until(supervisor, lambda: "up" in said.getvalue())
    assert child.process is not None
    child.process.kill()
    tick_until(supervisor, lambda: said.getvalue().count("child | up") == 2)
    assert "child ended (signal SIGKILL), again in 1 s" in said.getvalue()


def test_a_child_that_keeps_dying_waits_longer_each_time(supervise: Supervise) -> None:
    supervisor, _, said = supervise("raise SystemExit(3)")
    tick_until(supervisor, lambda: "again in 2 s" in said.getvalue())
    assert "child ended (exit status 3), again in 1 s" in said.getvalue()


def test_a_busy_child_is_ended_after_a_bounded_wait(supervise: Supervise) -> None:
    stubborn = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + FOREVER
    supervisor, child, said = supervise(stubborn)
    child.stop_wait_s = 0.5
    tick_until(supervisor, lambda: "up" in said.getvalue())
    supervisor.stop()
    supervisor.children = []
    assert child.process is not None
    assert child.process.returncode == -signal.SIGKILL
    assert "still busy" in said.getvalue()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the next start finds the strays")
def test_a_child_dies_with_a_killed_parent() -> None:
    program = """if True:
        import signal, subprocess, time
        from feedback_app.local.processes import spawn
        child = spawn(["sleep", "600"], output=None, death_signal=signal.SIGKILL)
        print(child.pid, flush=True)
        time.sleep(600)
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", program], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    psutil.wait_procs([child], timeout=5)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_a_dead_childs_children_are_ended_before_it_is_started_again(supervise: Supervise) -> None:
    """A killed web process leaves workers that hold its port."""
    holds_a_port = """if True:
        import os, socket, time
        held = socket.create_server(("127.0.0.1", 0))
        if not os.fork():
            time.sleep(600)
        print("up", flush=True)
        time.sleep(600)
    """
    supervisor, child, said = supervise(holds_a_port)
    tick_until(supervisor, lambda: "up" in said.getvalue())
    assert child.process is not None
    left = processes.session_of(child.process.pid)
    assert len(left) == 1
    child.process.kill()
    tick_until(supervisor, lambda: "ended (signal SIGKILL)" in said.getvalue())
    assert not left[0].is_running() or left[0].status() == psutil.STATUS_ZOMBIE


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the supervisor ends them")
def test_a_web_process_dies_with_its_killed_master(tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text("def application(environ, start_response): return []\n")
    command = web_command(0)
    command[command.index("feedback_app.wsgi")] = "plain"
    master = subprocess.Popen(
        command, cwd=CHECKOUT, env={**os.environ, "PYTHONPATH": f"{tmp_path}:{CHECKOUT}"}
    )
    try:
        deadline = time.monotonic() + 20
        while not (workers := psutil.Process(master.pid).children()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        master.kill()
        master.wait()
    _, alive = psutil.wait_procs(workers, timeout=5)
    assert not [one for one in alive if one.status() != psutil.STATUS_ZOMBIE]


def test_strays_of_a_home_are_found_and_others_left_alone(tmp_path: Path) -> None:
    stray, other = (
        subprocess.Popen(["sleep", "600"], env={**os.environ, processes.HOME_VARIABLE: str(home)})
        for home in (tmp_path / "home", tmp_path / "other")
    )
    try:
        time.sleep(0.2)
        assert [found.pid for found in processes.strays_of(tmp_path / "home")] == [stray.pid]
        processes.end(processes.strays_of(tmp_path / "home"), wait_s=3)
        assert not psutil.pid_exists(stray.pid)
        stray.wait()
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()
