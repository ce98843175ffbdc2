"""Fill a fresh installation with what the demo shows."""

from typing import Any

from django.core.management.base import BaseCommand

from feedback_app.images.scorers.services import register_bundled_proxies
from feedback_app.images.versions.services import register_bundled
from feedback_app.rehearsal.demo import make_demo_data
from feedback_app.remedies import as_command_error


class Command(BaseCommand):
    help = "People, the bundled model, real images where there are some, and an open study."

    def handle(self, *args: Any, **options: Any) -> None:
        with as_command_error():
            register_bundled_proxies()
            make_demo_data(register_bundled(), say=self.stdout.write)
