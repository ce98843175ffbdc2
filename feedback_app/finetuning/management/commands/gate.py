"""Compare a fine-tuned version with its parent on held-out prompts, and say the verdict."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from feedback_app.finetuning.gates.services import start_gate
from feedback_app.finetuning.models import GateVerdict
from feedback_app.images.management.prompt_files import read_prompt_file
from feedback_app.images.versions.services import find_version
from feedback_app.remedies import as_command_error
from feedback_app.requests import add_options, given
from feedback_app.runs.console import finish_here
from generation.quality.gate_spec import GateSpec

SETTINGS = ("images_per_prompt",)


class Command(BaseCommand):
    help = "Run the gate of a model version; exits non-zero where it says hold."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="of the version")
        parser.add_argument("--prompts", type=Path, help="a file, one prompt a line")
        add_options(parser, GateSpec, SETTINGS, flags={"images_per_prompt": "--images"})
        parser.add_argument("--queue", action="store_true", help="leave it to a worker")

    def handle(self, *args: Any, **options: Any) -> None:
        with as_command_error():
            prompts = read_prompt_file(options["prompts"]) if options["prompts"] else None
            gate = start_gate(
                find_version(options["name"]),
                prompts=prompts,
                settings=given(options, SETTINGS),
            )
        if options["queue"]:
            self.stdout.write(f"Queued as run {gate.run_id}.")
            return
        finish_here(gate.run, write=self.stdout.write)
        verdict = GateVerdict.objects.get(gate=gate)
        for rule in verdict.rules.all():
            self.stdout.write(f"{rule.outcome}: {rule.label}. {rule.sentence}")
        self.stdout.write(f"verdict: {verdict.decision}")
        if not verdict.is_promote:
            raise CommandError(f"{gate.child.name} is held.")
