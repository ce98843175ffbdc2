"""A home: the folder of one set of servers, locked by the process that runs them."""

import fcntl
import hashlib
import os
import pwd
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from feedback_app.local import processes
from generation.errors import RemediableError

CHECKOUT = Path(__file__).resolve().parents[2]
ROOT = CHECKOUT / ".reading-room"
DEMO = ROOT / "demo"
THROW_AWAYS = ROOT / "exec"

SERVER_ACCOUNT = "nobody"
"""PostgreSQL refuses to run as root: root starts it under this account."""

_SOCKET_PATH_LIMIT = 100
_LONGEST_SOCKET_NAME = ".s.PGSQL.5432.lock"


@dataclass
class Home:
    """Folders and lock of one set of servers; ``servers`` is where their data lies."""

    folder: Path
    servers: Path
    lock: IO[str] | None = None

    @property
    def sockets(self) -> Path:
        """Where the sockets lie: at the servers, or in a short folder where that is too long."""
        folder = self.servers / "sockets"
        if len(str(folder / _LONGEST_SOCKET_NAME)) <= _SOCKET_PATH_LIMIT:
            return folder
        return Path(tempfile.gettempdir()) / f"rr-{os.getuid()}-{_digest(self.folder)}"

    def log(self, name: str) -> Path:
        return self.folder / f"{name}.log"

    def release(self) -> None:
        """Let another process claim this home."""
        if self.lock is not None:
            self.lock.close()

    def remove(self) -> None:
        for folder in {self.sockets, self.servers, self.folder}:
            processes.remove_folder(folder)


def at(folder: Path) -> Home:
    """Returns a home as it lies there, without a claim on it."""
    return Home(folder=folder, servers=_servers_folder(folder))


def claim(folder: Path) -> Home:
    """Lock a home for this process, and end what an earlier owner left running there."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / "lock").open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.seek(0)
        raise RemediableError(
            f"Reading Room already runs from {folder} (process {lock.read().strip()}).",
            remedy="Use that one, or stop it with Ctrl-C in its terminal first.",
        ) from error
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    home = at(folder)
    home.lock = lock
    processes.end(processes.strays_of(folder), wait_s=3)
    _make_own_folder(home.servers)
    _make_own_folder(home.sockets)
    return home


def is_running(folder: Path) -> bool:
    """Returns whether a living process holds this home."""
    lock_file = folder / "lock"
    if not lock_file.exists():
        return False
    with lock_file.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def server_account() -> pwd.struct_passwd | None:
    """Returns the account PostgreSQL is started under; none where it is our own."""
    return pwd.getpwnam(SERVER_ACCOUNT) if os.geteuid() == 0 else None


def is_open_to_others(path: Path) -> bool:
    """Returns whether other accounts get through every folder on the way to ``path``."""
    return all(folder.stat().st_mode & 0o001 for folder in path.resolve().parents)


def _servers_folder(folder: Path) -> Path:
    """The servers' data lies in the home, save where root's server account cannot get there."""
    if server_account() is None or is_open_to_others(folder / "servers"):
        return folder / "servers"
    return Path("/var/tmp") / f"reading-room-{_digest(folder)}"


def _make_own_folder(folder: Path) -> None:
    """Make a folder that only we (and root's server account) get into."""
    account = server_account()
    owner = os.getuid() if account is None else account.pw_uid
    folder.mkdir(parents=True, exist_ok=True)
    if folder.stat().st_uid not in {os.getuid(), owner}:
        raise RemediableError(
            f"{folder} belongs to another user.", remedy="Remove it, or set TMPDIR elsewhere."
        )
    folder.chmod(0o700)
    if account is not None:
        shutil.chown(folder, account.pw_uid, account.pw_gid)


def _digest(folder: Path) -> str:
    return hashlib.sha256(str(folder).encode()).hexdigest()[:10]
