"""Ask a VLM version one question of one image."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from feedback_app.remedies import as_command_error
from feedback_app.requests import add_options, given, read
from feedback_app.runs.console import finish_here
from feedback_app.vlms.asking import ask_of_image
from feedback_app.vlms.requests import QuestionRequest


class Command(BaseCommand):
    help = "Ask a VLM version one question of one image of a cohort, or of a candidate."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version")
        parser.add_argument("image", help="the image's id")
        parser.add_argument("question")
        add_options(parser, QuestionRequest, ("options",), shown={"options": "OPTION"})

    def handle(self, *args: Any, **options: Any) -> None:
        names = ("version", "image", "question")
        values = {name: options[name] for name in names} | given(options, ("options",))
        with as_command_error():
            question = ask_of_image(read(QuestionRequest, values))
        answer = finish_here(question.run, write=self.stdout.write).result
        if "text" in answer:
            self.stdout.write(answer["text"])
            return
        blind = answer["blind"] or [float("nan")] * len(question.options)
        for option, here, there in zip(
            question.options, answer["probabilities"], blind, strict=True
        ):
            self.stdout.write(f"{option}: {here:.3f} (other images {there:.3f})")
