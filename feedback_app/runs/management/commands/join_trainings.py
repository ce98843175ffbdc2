"""manage.py join_trainings PLACE: help with the trainings that this and other hosts do together."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from feedback_app.runs.presence import Presence
from feedback_app.runs.together import help_with_trainings


class Command(BaseCommand):
    help = (
        "Joins every training of a worker whose TRAINING_HOSTS is above PLACE, until it is "
        "stopped. Each helping host has a place of its own: 1, 2, ... The worker's is 0."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("place", type=int, choices=range(1, 1000), metavar="PLACE")

    def handle(self, *, place: int, **_: Any) -> None:
        stopped = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stopped.set())
        presence = Presence([])
        presence.start()
        self.stdout.write(f"Waits at place {place} for trainings.")
        help_with_trainings(place, stopped=stopped)
        presence.leave()
