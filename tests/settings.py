"""Settings of a test process: of several that run side by side, each has a Redis of its own.

Each has one thread, too: several threads of processes that share the cores slow each other down.
Libraries read the number when they are imported, which is after these settings.
"""

import os

if place := os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw"):
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    address, _, _ = os.environ["REDIS_URL"].partition("?")
    os.environ["REDIS_URL"] = f"{address}?virtual_host={int(place) + 1}"

from feedback_app.settings import *  # noqa: F403

WHITENOISE_AUTOREFRESH = True
"""Files are looked for when they are asked for, not all of them by every test's client."""
