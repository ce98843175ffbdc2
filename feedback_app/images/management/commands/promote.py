"""Promote a model version: new batches take it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from feedback_app.images.models import ModelVersion
from feedback_app.images.services.versions import promote


class Command(BaseCommand):
    help = "Promote a model version: new batches take it unless told otherwise."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")

    def handle(self, *args: Any, **options: Any) -> None:
        version = ModelVersion.objects.filter(name=options["name"]).first()
        if version is None:
            names = ", ".join(ModelVersion.objects.values_list("name", flat=True)) or "none"
            raise CommandError(
                f"There is no model version {options['name']!r}.\nRegistered: {names}."
            )
        promote(version)
        self.stdout.write(f"{version.name} is promoted.")
