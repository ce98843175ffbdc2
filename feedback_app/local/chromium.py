"""Chromium for the browser tests: found, or installed from the distribution or by Playwright."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
INSTALL_LIMIT_S = 600

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def find() -> Path | None:
    """Returns the browser in CHROMIUM, on the path, or fetched by Playwright before."""
    named = os.environ.get("CHROMIUM")
    if named:
        return Path(named) if Path(named).exists() else None
    for program in PROGRAMS:
        path = shutil.which(program)
        if path is not None:
            return Path(path)
    return _of_playwright()


def provide() -> int:
    """Find Chromium or install it, and say what came of it; never fails the caller."""
    browser = find()
    if browser is None and os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing Chromium from the distribution ...", flush=True)
        if _run(["apt-get", "-qq", "update"]):
            _run(["apt-get", "-qq", "install", "--yes", "--no-install-recommends", "chromium"])
        browser = find()
    if browser is None:
        print("Fetching Chromium with Playwright ...", flush=True)
        _run([sys.executable, "-m", "playwright", "install", "chromium"])
        browser = find()
    if browser is None:
        print(
            "NO CHROMIUM: none was found and none could be installed (see above).\n"
            "The browser tests will be SKIPPED. Install Chromium, or name one in CHROMIUM.",
            file=sys.stderr,
        )
    return 0


def _run(command: list[str]) -> bool:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(command, env=environment, timeout=INSTALL_LIMIT_S, check=False)
    except subprocess.TimeoutExpired:
        print(f"{command[0]} took longer than {INSTALL_LIMIT_S} s.", file=sys.stderr)
        return False
    return done.returncode == 0


def _of_playwright() -> Path | None:
    """Playwright's own download, newest first; its cache is asked without starting its driver."""
    named = os.environ.get("PLAYWRIGHT_BROWSERS_PATH")
    caches = [
        *([Path(named)] if named else []),
        Path.home() / ".cache" / "ms-playwright",
        Path.home() / "Library" / "Caches" / "ms-playwright",
    ]
    patterns = (
        "chromium-*/chrome-linux*/chrome",
        "chromium-*/chrome-mac*/*.app/Contents/MacOS/*",
    )
    found = [path for cache in caches for pattern in patterns for path in cache.glob(pattern)]
    return max(found, default=None)
