"""Move an installation with a folder into a bucket."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from feedback_app.operations.buckets.moving import move
from feedback_app.remedies import as_command_error

SHOWN = 20


class Command(BaseCommand):
    help = (
        "Puts all blobs, weights, run folders and exports of DATA_ROOT into the bucket of "
        "STORAGE_URL, and looks whether all is there. It may be broken off and begun again."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with as_command_error():
            moved = move(say=self.stdout.write)
        if moved.missing:
            raise CommandError(
                f"{len(moved.missing)} files or folders are damaged or missing here, and not in "
                f"the bucket: {', '.join(moved.missing[:SHOWN])}\n"
                "Put them back from a backup, then begin again: the bucket is not to be used yet."
            )
        self.stdout.write(
            "All is in the bucket. Start with these settings; what lies in DATA_ROOT is now a "
            "copy, of which blobs are kept within STORAGE_CACHE_BYTES."
        )
