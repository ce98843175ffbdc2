"""The Celery application; messages only wake a worker up, the Run table is the queue."""

import os
from typing import Any

from celery import Celery
from celery.signals import celeryd_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feedback_app.settings")
# Read when torch is loaded. Threads that wait by spinning made an image ten times as slow
# on a CPU that something else uses too, such as the web process or a training child.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

app = Celery("feedback_app")
app.config_from_object("django.conf:settings", namespace="CELERY")


@celeryd_init.connect
def discover_tasks(**_: Any) -> None:
    """Only workers import ``tasks`` modules, and with them torch; beat sends names."""
    app.autodiscover_tasks(force=True)
