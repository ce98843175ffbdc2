"""What gunicorn does beside its settings: its processes end with the one that started them."""

import signal
from typing import Any

from feedback_app.local.processes import tie_to


def post_fork(server: Any, _worker: Any) -> None:
    """Without it the workers of a killed master go on for a while, and hold its port."""
    tie_to(server.pid, signal.SIGKILL)
