"""Let a VLM version write reports of images, as drafts for studies."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from feedback_app.remedies import as_command_error
from feedback_app.requests import add_options, given, read
from feedback_app.runs.console import finish_here
from feedback_app.vlms.drafting.requests import VlmDraftsRequest, ask_for_writing

OPTIONS = ("cohort", "images", "with_training", "seed", "batches", "question", "longest")


class Command(BaseCommand):
    help = "Let a VLM version write a report of each image of a cohort or of batches."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="what studies choose them by")
        parser.add_argument("version")
        add_options(parser, VlmDraftsRequest, OPTIONS, shown={"batches": "BATCH"})

    def handle(self, *args: Any, **options: Any) -> None:
        values = {"name": options["name"], "version": options["version"]}
        with as_command_error():
            drafts = ask_for_writing(read(VlmDraftsRequest, values | given(options, OPTIONS)))
        assert drafts.run is not None
        result = finish_here(drafts.run, write=self.stdout.write).result
        self.stdout.write(
            f"{drafts}: {result['reports']} reports, {result['without']} images without one, "
            f"sha256 {result['sha256']}"
        )
