"""Measure a model version by the evaluation kit."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from feedback_app.images.versions.evaluations import EvaluationRequest, ask_for_evaluation
from feedback_app.images.versions.services import find_version
from feedback_app.remedies import as_command_error
from feedback_app.requests import add_options, given, read
from feedback_app.runs.console import finish_here

NAMED = tuple(EvaluationRequest.model_fields)
FLAGS = {"guidance_scale": "--guidance"}


class Command(BaseCommand):
    help = (
        "Make candidates of the usual prompts by a model version, and print all that can be "
        "measured of them, with intervals; with --queue leave it to the workers."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version", nargs="?", default="", help="default: the promoted one")
        add_options(parser, EvaluationRequest, NAMED, flags=FLAGS)
        parser.add_argument("--queue", action="store_true", help="leave it to the workers")

    def handle(self, *args: Any, **options: Any) -> None:
        with as_command_error():
            asked = read(EvaluationRequest, given(options, NAMED))
            run = ask_for_evaluation(asked, find_version(options["version"]))
        if options["queue"]:
            self.stdout.write(f"Queued as run {run.pk}.")
            return
        result = finish_here(run, write=self.stdout.write).result
        for figure in result["figures"]:
            self.stdout.write(line_of(figure))
        for note in result["notes"]:
            self.stdout.write(note)


def line_of(figure: dict[str, Any]) -> str:
    bounds = "" if figure["low"] is None else f" ({figure['low']:.3f} to {figure['high']:.3f})"
    note = f"  {figure['note']}" if figure["note"] else ""
    return f"{figure['label']:34} {figure['value']:.3f}{bounds}{note}"
