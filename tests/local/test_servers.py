"""Real servers: kept data, killed supervisors, recycled process ids, long paths."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pytest
import redis

from feedback_app.local import homes, postgres
from generation.errors import RemediableError

CHECKOUT = Path(__file__).resolve().parents[2]
HOLDER = [sys.executable, "-m", "tests.local.holder"]
Start = Callable[..., tuple["subprocess.Popen[str]", dict[str, Any]]]


def own_environment() -> dict[str, str]:
    """The environment without the servers of this test run."""
    without = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DATA_ROOT", "READING_ROOM_HOME"}
    return {name: value for name, value in os.environ.items() if name not in without}


@pytest.fixture
def start() -> Iterator[Start]:
    holders: list[subprocess.Popen[str]] = []

    def started(folder: Path) -> tuple["subprocess.Popen[str]", dict[str, Any]]:
        holder = subprocess.Popen(
            [*HOLDER, str(folder)],
            cwd=CHECKOUT,
            env=own_environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        holders.append(holder)
        assert holder.stdout is not None
        return holder, json.loads(holder.stdout.readline())

    yield started
    for holder in holders:
        if holder.poll() is None:
            holder.terminate()
            holder.wait(30)
        assert holder.stdout is not None
        holder.stdout.close()


def query(url: str, statement: str) -> list[tuple[Any, ...]]:
    connection = psycopg2.connect(url)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def server_user() -> int | None:
    account = homes.server_account()
    return None if account is None else account.pw_uid


def wait_until_gone(pids: list[int]) -> None:
    alive = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    _, left = psutil.wait_procs(alive, timeout=20)
    assert not left


@pytest.fixture
def home_folder() -> Iterator[Path]:
    """A home that other accounts can get to, as a checkout mostly is; ``tmp_path`` is closed."""
    with tempfile.TemporaryDirectory() as parent:
        Path(parent).chmod(0o755)
        folder = Path(parent) / "home"
        yield folder
        homes.at(folder).remove()


def test_data_are_kept_when_the_supervisor_is_killed(home_folder: Path, start: Start) -> None:
    holder, first = start(home_folder)
    query(first["database"], "CREATE TABLE kept (n int)")
    query(first["database"], "INSERT INTO kept VALUES (42)")
    holder.kill()
    holder.wait()
    if sys.platform == "linux":
        wait_until_gone(first["pids"])
    _, second = start(home_folder)
    assert query(second["database"], "SELECT n FROM kept") == [(42,)]
    address = second["redis"].replace("redis+socket://", "unix://")
    assert redis.Redis.from_url(address).ping()


def test_stopping_the_supervisor_stops_its_servers(home_folder: Path, start: Start) -> None:
    holder, started = start(home_folder)
    holder.send_signal(signal.SIGTERM)
    assert holder.wait(30) == 0
    assert not any(psutil.pid_exists(pid) for pid in started["pids"])


def test_a_server_without_its_supervisor_is_replaced(home_folder: Path, start: Start) -> None:
    holder, first = start(home_folder)
    query(first["database"], "CREATE TABLE kept (n int)")
    postmaster = first["pids"][0]
    os.kill(postmaster, signal.SIGSTOP)  # it cannot follow its supervisor into death
    holder.kill()
    holder.wait()
    assert psutil.pid_exists(postmaster)
    _, second = start(home_folder)
    assert not psutil.pid_exists(postmaster)
    assert query(second["database"], "SELECT count(*) FROM kept") == [(0,)]


def test_a_recycled_process_id_is_not_believed(home_folder: Path, start: Start) -> None:
    holder, _ = start(home_folder)
    holder.send_signal(signal.SIGTERM)
    holder.wait(30)
    bystander = subprocess.Popen(["sleep", "60"], user=server_user())
    try:
        pid_file = postgres.data_folder(homes.at(home_folder)) / "postmaster.pid"
        pid_file.write_text(f"{bystander.pid}\n{pid_file.parent}\n1700000000\n5432\n\n\n\nready\n")
        start(home_folder)
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_second_owner_of_a_home_is_refused(home_folder: Path, start: Start) -> None:
    start(home_folder)
    second = subprocess.run(
        [*HOLDER, str(home_folder)],
        cwd=CHECKOUT,
        env=own_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Reading Room already runs from" in second.stderr


def test_a_long_path_in_a_closed_folder_is_no_obstacle(tmp_path: Path, start: Start) -> None:
    folder = tmp_path / ("long" * 30)
    _, started = start(folder)
    assert query(started["database"], "SELECT 1") == [(1,)]
    homes.at(folder).remove()


def test_a_broken_data_folder_names_its_log_and_the_remedy(home_folder: Path) -> None:
    home = homes.claim(home_folder)
    data = postgres.data_folder(home)
    data.mkdir()
    (data / "PG_VERSION").write_text("9.6\n")
    account = homes.server_account()
    for path in (data, data / "PG_VERSION"):
        if account is not None:
            os.chown(path, account.pw_uid, account.pw_gid)
    with pytest.raises(RemediableError, match=str(home.log("postgresql"))) as raised:
        postgres.Postgres(home, is_throw_away=True).start()
    assert "DATABASE_URL" in raised.value.remedy
    home.release()


@pytest.mark.parametrize("status", [0, 7])
def test_exec_returns_the_status_and_leaves_nothing(status: int) -> None:
    program = (
        "import os, sys; print(os.environ['READING_ROOM_HOME'], 'DATABASE_URL' in os.environ);"
        f"sys.exit({status})"
    )
    done = run_exec(sys.executable, "-c", program)
    folder, has_database = done.stdout.split()
    assert done.returncode == status
    assert has_database == "True"
    assert not Path(folder).exists()


def test_exec_says_when_a_command_cannot_be_run() -> None:
    done = run_exec("no-such-program")
    assert done.returncode == 1
    assert "no-such-program" in done.stderr


def test_exec_passes_sigterm_on_and_ends_with_the_command() -> None:
    program = "import os, signal; os.kill(os.getppid(), signal.SIGTERM); signal.pause()"
    assert run_exec(sys.executable, "-c", program).returncode == 128 + signal.SIGTERM


def run_exec(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "feedback_app.local", "exec", "--", *command],
        cwd=CHECKOUT,
        env=own_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
        check=False,
    )
