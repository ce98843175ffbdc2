"""Fill a fresh installation with what the demo shows."""

from typing import Any

from django.core.management.base import BaseCommand

from feedback_app.images.scorers.judges import register_bundled_judge
from feedback_app.images.scorers.services import register_bundled_proxies
from feedback_app.images.versions.services import register_bundled
from feedback_app.rehearsal.demo import make_demo_data
from feedback_app.remedies import as_command_error
from feedback_app.vlms.services import register_bundled_vlm


class Command(BaseCommand):
    help = "People, the bundled models, real images where there are some, and an open study."

    def handle(self, *args: Any, **options: Any) -> None:
        with as_command_error():
            register_bundled_proxies()
            register_bundled_judge()
            register_bundled_vlm()
            make_demo_data(register_bundled(), say=self.stdout.write)
