#!/usr/bin/env python
"""Reading Room's command line."""

import os
import sys

from django.core.management import execute_from_command_line

from feedback_app.text import require_storable_arguments
from generation.errors import RemediableError

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "feedback_app.settings")
    try:
        require_storable_arguments(sys.argv)
    except RemediableError as error:
        sys.exit(f"{error}\n{error.remedy}")
    execute_from_command_line(sys.argv)
