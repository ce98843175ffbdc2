"""The demo: servers, migrations, demo data, then web, workers and beat in one terminal."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from feedback_app.local import homes
from feedback_app.local.homes import CHECKOUT, Home
from feedback_app.local.processes import die_with_parent
from feedback_app.local.servers import Server, environment, running_servers
from feedback_app.local.supervisor import Child, Supervisor
from feedback_app.terminal import QUIET
from generation.errors import RemediableError

READY_LIMIT_S = 90
FIRST_PORT = 8000
CORES_OF_WEB = 8
"""More cores than that are left to the workers and to PostgreSQL."""
LOGIN_MARK = "login: "
"""``manage.py demo_data`` begins a line with this for every login; they are shown last."""


def run_demo() -> int:
    """Run until Ctrl-C or SIGTERM."""
    started_at = time.monotonic()
    home = homes.claim(homes.DEMO)  # ends what a killed supervisor left, which may hold the port
    try:
        port = choose_port()
        say(f"Reading Room keeps its data and logs in {home.folder}")
        with running_servers(home, is_throw_away=False) as servers:
            env = _quiet(environment(home, servers))
            (Path(env["DATA_ROOT"]) / "static").mkdir(parents=True, exist_ok=True)
            _manage(["migrate", "--verbosity", "0"], env=env)
            logins = _make_demo_data(env)
            _supervise(home, servers, env, port=port, logins=logins, started_at=started_at)
    except KeyboardInterrupt:
        say("Reading Room has stopped; `make demo` goes on where it was.")
    finally:
        home.release()
    return 0


def say(line: str) -> None:
    print(line, flush=True)


def choose_port() -> int:
    """Returns the port in PORT, which must be free, or the first free one from 8000 on."""
    wanted = os.environ.get("PORT")
    if wanted is None:
        return next(port for port in range(FIRST_PORT, 65536) if _is_free(port))
    if not wanted.isdigit() or not 0 < int(wanted) < 65536:
        raise RemediableError(f"PORT={wanted!r} is not a port.", remedy="Set 1024 to 65535.")
    if not _is_free(int(wanted)):
        raise RemediableError(f"Port {wanted} is taken.", remedy="Set PORT to a free one.")
    return int(wanted)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _manage(arguments: list[str], *, env: Mapping[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=CHECKOUT,
        env=env,
        check=False,
        preexec_fn=die_with_parent(signal.SIGTERM),
    )
    if done.returncode != 0:
        raise _failed(arguments)


def _make_demo_data(env: Mapping[str, str]) -> list[str]:
    """Run ``manage.py demo_data``, show its lines, and return those that are logins."""
    logins = []
    command = [sys.executable, "-u", "manage.py", "demo_data"]
    with subprocess.Popen(
        command,
        cwd=CHECKOUT,
        env=env,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=die_with_parent(signal.SIGTERM),
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith(LOGIN_MARK):
                logins.append(line.removeprefix(LOGIN_MARK).rstrip())
            else:
                say(line.rstrip())
    if process.returncode != 0:
        raise _failed(["demo_data"])
    return logins


def _failed(arguments: list[str]) -> RemediableError:
    return RemediableError(
        f"manage.py {arguments[0]} failed; the lines above say why.",
        remedy=f"Put that right and start again; to start from nothing, remove {homes.DEMO}.",
    )


def _supervise(
    home: Home,
    servers: list[Server],
    env: Mapping[str, str],
    *,
    port: int,
    logins: list[str],
    started_at: float,
) -> None:
    supervisor = Supervisor(children_of(home, port), servers=servers, env=env)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for_web(supervisor, address, home)
        say(f"\nReading Room is ready after {time.monotonic() - started_at:.0f} s: {address}")
        for login in logins:
            say(f"  {login}")
        say("Ctrl-C stops it.\n")
        while True:
            supervisor.tick(1)
    finally:
        say("Stopping ...")
        supervisor.stop()


def _wait_for_web(supervisor: Supervisor, address: str, home: Home) -> None:
    deadline = time.monotonic() + READY_LIMIT_S
    while not _answers(f"{address}/healthz"):
        if time.monotonic() > deadline:
            raise RemediableError(
                f"The web process did not answer at {address}/healthz within {READY_LIMIT_S} s.",
                remedy=f"See {home.log('web')} and the lines above.",
            )
        supervisor.tick(0.2)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _quiet(env: Mapping[str, str]) -> dict[str, str]:
    """Warnings only, save where the environment says otherwise; root is no news on a laptop."""
    return {
        **QUIET,
        "LOG_LEVEL": "WARNING",
        "PYTHONWARNINGS": "ignore:You're running the worker",
        **env,
    }


def web_command(port: int) -> list[str]:
    """Returns one process more than there are cores: what is more waits for a core, and costs
    it turns.
    """
    processes = min(os.cpu_count() or 1, CORES_OF_WEB) + 1
    return [
        *(sys.executable, "-m", "gunicorn", "feedback_app.wsgi", "--bind", f"127.0.0.1:{port}"),
        *("--config", "python:feedback_app.local.gunicorn_hooks"),
        *("--preload", "--workers", str(processes), "--threads", "2", "--log-level", "warning"),
    ]


def children_of(home: Home, port: int) -> list[Child]:
    """In the order in which they are stopped."""
    python = sys.executable
    celery = [python, "-m", "celery", "--quiet", "--app", "feedback_app"]
    worker = [*celery, "worker", "--pool", "solo", "--without-gossip", "--without-mingle"]
    commands = {
        "beat": [*celery, "beat", "--pidfile="],
        "web": web_command(port),
        "worker-cpu": [*worker, "--queues", "cpu", "--hostname", "cpu@%h"],
        "worker-gpu": [*worker, "--queues", "gpu", "--hostname", "gpu@%h"],
    }
    return [
        Child(name=name, command=command, log=home.log(name)) for name, command in commands.items()
    ]
