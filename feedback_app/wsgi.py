"""The WSGI application that gunicorn serves."""

import os
import sys

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from feedback_app.operations.gathering import gather_processes

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feedback_app.settings")

# A request waits for the database some twenty times, and each time for the other threads of its
# process to let it go on: by default for up to 5 ms, which adds up to what a reader notices.
sys.setswitchinterval(0.0005)

if settings.METRICS_TOKEN or settings.METRICS_NETWORKS:
    gather_processes()

application = get_wsgi_application()
