"""Teach a VLM version what readers prefer among reports."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from feedback_app.remedies import as_command_error
from feedback_app.requests import add_options, given, read
from feedback_app.runs.console import finish_here
from feedback_app.runs.models import Run
from feedback_app.vlms.learning.console import finish_gate_here
from feedback_app.vlms.learning.finetunes import SETTINGS, THEN
from feedback_app.vlms.learning.gate_models import VlmGate
from feedback_app.vlms.learning.requests import VlmFineTuneRequest, ask_for_vlm_finetune
from generation.specs import VlmPreferenceSpec

OPTIONS = ("method", "gate_on", "margin")


class Command(BaseCommand):
    help = "Teach a VLM version from a snapshot of reports, by DPO or KTO; gives a child."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="of the version that comes of it")
        parser.add_argument("parent", help="the VLM version to be taught")
        parser.add_argument("snapshot", help="id or name of a snapshot of reports")
        add_options(parser, VlmFineTuneRequest, OPTIONS)
        add_options(parser, VlmPreferenceSpec, SETTINGS)
        parser.add_argument("--queue", action="store_true", help="leave it to a worker")

    def handle(self, *args: Any, **options: Any) -> None:
        values = {
            **{name: options[name] for name in ("name", "parent", "snapshot")},
            **given(options, OPTIONS),
            "settings": given(options, SETTINGS),
        }
        with as_command_error():
            row = ask_for_vlm_finetune(read(VlmFineTuneRequest, values))
        if options["queue"]:
            self.stdout.write(f"Queued as run {row.run_id}.")
            return
        result = finish_here(row.run, write=self.stdout.write).result
        self.stdout.write(f"gives the VLM version {result['vlm_version']}")
        for then in Run.objects.filter(kind=THEN, after=row.run):
            gate = finish_here(then, write=self.stdout.write).result["gate"]
            finish_gate_here(VlmGate.objects.get(pk=gate), write=self.stdout.write)
