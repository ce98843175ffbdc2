"""Signs of life: each worker says every few seconds that it is there, and what its GPUs hold."""

import logging
import socket
import threading
from collections.abc import Sequence
from datetime import timedelta

from django.db import DatabaseError, InterfaceError, close_old_connections, connection
from django.db.models.functions import Now

from feedback_app.runs.abilities import abilities, gpus
from feedback_app.runs.models import Worker
from feedback_app.runs.workers import this_worker

EVERY_S = 15.0
FORGOTTEN_AFTER = timedelta(days=1)

logger = logging.getLogger(__name__)


class Presence(threading.Thread):
    """It tells of this worker from a thread, also while a run keeps the worker busy."""

    def __init__(self, queues: Sequence[str]) -> None:
        super().__init__(name="presence", daemon=True)
        self.queues = list(queues)
        self._gone = threading.Event()

    def run(self) -> None:
        try:
            while not self._gone.is_set():
                self._tell()
                self._gone.wait(EVERY_S)
        finally:
            connection.close()

    def leave(self) -> None:
        """Say no more, and take the row away: this worker was asked to stop."""
        self._gone.set()
        self.join()
        Worker.objects.filter(name=this_worker()).delete()

    def _tell(self) -> None:
        """A word that the database does not take is missed; the next one may get through."""
        try:
            close_old_connections()
            tell(self.queues)
        except (DatabaseError, InterfaceError) as error:
            logger.warning("this worker could not say that it is there: %s", error)
            connection.close()


def tell(queues: Sequence[str]) -> None:
    """Note that this worker is there now; rows of those long gone are removed."""
    takes = abilities()
    Worker.objects.update_or_create(
        name=this_worker(),
        defaults={
            "host": socket.gethostname(),
            "queues": list(queues),
            "kinds": list(takes.kinds),
            "gpu_gb": takes.gpu_gb,
            "gpus": gpus(),
            "seen_at": Now(),
        },
    )
    Worker.objects.filter(seen_at__lt=Now() - FORGOTTEN_AFTER).delete()
