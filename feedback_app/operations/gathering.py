"""How the web processes of one master count together.

Apart from the counting itself: prometheus-client reads where to count when it is imported.
"""

import os
import shutil
import tempfile
from pathlib import Path

import psutil

FOLDER = "PROMETHEUS_MULTIPROC_DIR"


def gather_processes() -> None:
    """Let all web processes that this one will fork count in one folder, from nothing.

    It is called before the application is loaded; what masters that are gone left is removed.
    """
    place = Path(tempfile.gettempdir()) / f"reading-room-metrics-{os.getuid()}"
    place.mkdir(mode=0o700, exist_ok=True)
    for folder in place.iterdir():
        if folder.name == str(os.getpid()) or not psutil.pid_exists(int(folder.name)):
            shutil.rmtree(folder, ignore_errors=True)
    mine = place / str(os.getpid())
    mine.mkdir(mode=0o700)
    os.environ[FOLDER] = str(mine)
