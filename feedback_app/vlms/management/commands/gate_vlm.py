"""Compare a VLM version that was taught with its parent."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from feedback_app.remedies import as_command_error
from feedback_app.requests import add_options, given, read
from feedback_app.vlms.learning.console import finish_gate_here
from feedback_app.vlms.learning.requests import VlmGateRequest, ask_for_vlm_gate

OPTIONS = ("snapshot", "margin")


class Command(BaseCommand):
    help = "Ask the gate of a VLM version: no task worse, and reports that readers prefer."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version")
        parser.add_argument("instruction_set", help="whose benchmark both versions answer")
        add_options(parser, VlmGateRequest, OPTIONS)
        parser.add_argument("--queue", action="store_true", help="leave it to a worker")

    def handle(self, *args: Any, **options: Any) -> None:
        values = {
            **{name: options[name] for name in ("version", "instruction_set")},
            **given(options, OPTIONS),
        }
        with as_command_error():
            gate = ask_for_vlm_gate(read(VlmGateRequest, values))
        if options["queue"]:
            self.stdout.write(f"Queued as run {gate.run_id}.")
            return
        finish_gate_here(gate, write=self.stdout.write)
