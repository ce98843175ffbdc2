"""Say whether the bundled model shows what it is asked for, with figures and intervals."""

import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from feedback_app.images.cohorts.manifests import write_manifest
from feedback_app.images.cohorts.models import Mask
from feedback_app.images.management.finding import find_cohort

MODULE = "generation.commands.fidelity"


class Command(BaseCommand):
    help = (
        "Make candidates of 100 unseen lung masks and of 200 unseen prompts with the bundled "
        "model, read them by proxies that saw real images only, and hold the figures against "
        "those of real held-out images. Exits with 1 where a limit is missed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("cohort", help="with findings, as the model was trained on")
        parser.add_argument("masked_cohort", help="with lung masks that people drew")
        parser.add_argument("--sheet", type=Path, help="a PNG to write, of candidates and masks")

    def handle(self, *args: Any, **options: Any) -> None:
        labelled, masked = (find_cohort(options[name]) for name in ("cohort", "masked_cohort"))
        with TemporaryDirectory(prefix="reading-room-fidelity-") as folder:
            manifests = Path(folder, "labelled.jsonl"), Path(folder, "masked.jsonl")
            for cohort, path in zip((labelled, masked), manifests, strict=True):
                write_manifest(cohort, path, masks=Mask.objects.drawn_by_people())
            command = [sys.executable, "-m", MODULE]
            command += ["--manifest", str(manifests[0]), "--masked", str(manifests[1])]
            if options["sheet"]:
                command += ["--sheet", str(options["sheet"].resolve())]
            sys.exit(subprocess.run(command, cwd=settings.ROOT, check=False).returncode)
