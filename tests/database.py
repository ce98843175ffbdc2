"""The test database, restored from a file instead of made by all migrations: 0.3 s for 8 s.

The first process migrates and keeps what came out in ``.pytest_cache``; whatever changes the
outcome changes the file's name. Django runs its ``migrate`` on the restored database all the same.
"""

import fcntl
import hashlib
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import django
import psycopg2
from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from psycopg2 import sql

from feedback_app.local.homes import CHECKOUT
from feedback_app.local.postgres import installed_programs
from tests.workers import address_of_database

FILES_KEPT = 10
"""As many branches as anybody switches between."""


@contextmanager
def made_database(folder: Path) -> Iterator[None]:
    """Make the database that Django takes for its tests; drop it at the end."""
    given: dict[str, Any] = settings.DATABASES["default"]
    name = given.get("TEST", {}).get("NAME") or f"test_{given['NAME']}"
    _drop(name)
    _run_sql("CREATE DATABASE {}", name)
    try:
        fill(address_of_database(name), folder)
        yield
    finally:
        connection.close()
        _drop(name)


def fill(address: str, folder: Path) -> None:
    """Give a database its tables, from the file; the first process makes it, the others wait."""
    with (folder / "lock").open("a") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        kept = folder / f"{fingerprint()}.sql"
        if not kept.exists():
            _migrate(address)
            _keep(address, kept)
            return
    os.utime(kept)
    _program("psql", address, "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null", "-1f", kept)


def _migrate(address: str) -> None:
    command = [sys.executable, "manage.py", "migrate", "--verbosity=0"]
    subprocess.run(command, cwd=CHECKOUT, env={**os.environ, "DATABASE_URL": address}, check=True)


def _keep(address: str, kept: Path) -> None:
    unfinished = kept.with_suffix(".new")
    try:
        _program("pg_dump", address, "--no-owner", "--no-privileges", "--file", unfinished)
    except subprocess.CalledProcessError as error:
        warnings.warn(f"Every test process runs all migrations: {error.stderr}", stacklevel=2)
        return
    unfinished.rename(kept)
    oldest_first = sorted(kept.parent.glob("*.sql"), key=lambda path: path.stat().st_mtime)
    for old in oldest_first[:-FILES_KEPT]:
        old.unlink()


def fingerprint() -> str:
    """A digest of what decides the tables: migrations, what they import, Django, the server."""
    migrations = MigrationLoader(None).disk_migrations.values()
    modules = {type(migration).__module__ for migration in migrations}
    sources = {name: source_of(name) for name in modules}
    imported = re.findall(
        r"^\s*from ((?:feedback_app|generation)[\w.]*) import",
        "\n".join(sources.values()),
        re.MULTILINE,
    )
    sources |= {name: source_of(name) for name in imported}
    with _beside() as beside:
        versions = f"{django.__version__} {beside.server_version}"
    digest = hashlib.sha256(versions.encode())
    for name, source in sorted(sources.items()):
        digest.update(f"{name}\n{source}\n".encode())
    return digest.hexdigest()[:20]


def source_of(module: str) -> str:
    spec = find_spec(module)
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).read_text()


def _program(name: str, address: str, *arguments: str | Path) -> None:
    command = [installed_programs() / name, "--dbname", address, *arguments]
    subprocess.run(command, check=True, capture_output=True, text=True)


def _drop(name: str) -> None:
    _run_sql("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)


def _run_sql(statement: str, name: str) -> None:
    """Run a statement about a database, from beside it."""
    with _beside() as beside, beside.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(sql.Identifier(name)))


@contextmanager
def _beside() -> Iterator[psycopg2.extensions.connection]:
    with closing(psycopg2.connect(address_of_database("postgres"))) as beside:
        beside.autocommit = True
        yield beside
