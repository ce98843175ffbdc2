"""The servers of a home, started only where the environment names none."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from feedback_app.local import homes, postgres, processes, redis
from feedback_app.local.homes import Home
from feedback_app.local.postgres import Postgres
from feedback_app.local.redis import Redis
from generation.errors import RemediableError

Server = Postgres | Redis


@contextmanager
def running_servers(home: Home, *, is_throw_away: bool) -> Iterator[list[Server]]:
    """Start what the environment does not name; stop it at the end, the database last."""
    servers = local_servers(home, is_throw_away=is_throw_away)
    try:
        for server in servers:
            server.start()
        yield servers
    finally:
        for server in reversed(servers):
            server.stop()


def local_servers(home: Home, *, is_throw_away: bool) -> list[Server]:
    """Returns the servers that the environment does not name, not started yet."""
    servers: list[Server] = []
    if "DATABASE_URL" not in os.environ:
        servers.append(Postgres(home, is_throw_away=is_throw_away))
    if "REDIS_URL" not in os.environ:
        servers.append(Redis(home))
    return servers


def environment(home: Home, servers: list[Server]) -> dict[str, str]:
    """Returns what a process of this home needs to know; what is set already stays as it is."""
    settings = {"SECRET_KEY": secret_key(home), "DATA_ROOT": str(home.folder / "data")}
    for server in servers:
        settings["DATABASE_URL" if isinstance(server, Postgres) else "REDIS_URL"] = server.url
    return settings | os.environ | {processes.HOME_VARIABLE: str(home.folder)}


def secret_key(home: Home) -> str:
    """Returns a random key of this home, the same at every start, so that sessions stay valid."""
    path = home.folder / "secret_key"
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(48))
    return path.read_text()


@contextmanager
def throw_away_home() -> Iterator[Home]:
    """Gives a fresh home for one command; those of dead commands are removed on the way."""
    homes.THROW_AWAYS.mkdir(parents=True, exist_ok=True)
    with (homes.ROOT / "exec.lock").open("a") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        for folder in homes.THROW_AWAYS.iterdir():
            with suppress(RemediableError):  # a living command holds it
                _remove_abandoned(folder)
        home = homes.claim(homes.THROW_AWAYS / secrets.token_hex(3))
    try:
        yield home
    finally:
        processes.end(processes.strays_of(home.folder), wait_s=3)
        home.remove()
        home.release()


def _remove_abandoned(folder: Path) -> None:
    home = homes.claim(folder)
    postgres.end_stale_server(home)
    redis.end_stale_server(home)
    home.remove()
    home.release()
