"""The WSGI application that gunicorn serves."""

import os
import sys

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feedback_app.settings")

# A request waits for the database some twenty times, and each time for the other threads of its
# process to let it go on: by default for up to 5 ms, which adds up to what a reader notices.
sys.setswitchinterval(0.0005)

application = get_wsgi_application()
