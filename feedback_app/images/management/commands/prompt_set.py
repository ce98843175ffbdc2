"""Make a prompt set, or a new version of one."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from feedback_app.images.management.finding import find_cohort
from feedback_app.images.prompts.models import PromptSetVersion
from feedback_app.images.prompts.services import (
    describe_origin,
    findings_of,
    prompts_of_cohort,
    save_prompts,
    tallies_of,
)
from feedback_app.remedies import as_command_error
from generation.conditioning.balance import Wish
from generation.conditioning.findings import FINDINGS, NORMAL
from generation.conditioning.prompt_files import read_prompts


class Command(BaseCommand):
    help = "Make a prompt set, or a new version, from a file or a cohort's labels."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        source = parser.add_mutually_exclusive_group(required=True)
        source.add_argument("--file", type=Path, help="one prompt a line, or CSV; - reads here")
        source.add_argument("--cohort", help="a cohort's name")
        parser.add_argument("--skip-bad-rows", action="store_true")
        parser.add_argument("--count", type=int, default=64, help="prompts from a cohort")
        parser.add_argument(
            "--finding", action="append", default=[], choices=[NORMAL, *FINDINGS],
            metavar="FINDING", help="of a cohort; all that it has unless given",
        )  # fmt: skip
        parser.add_argument("--several-percent", type=int, default=0, help="with several findings")
        parser.add_argument("--seed", type=int, default=0)

    def handle(self, *args: Any, **options: Any) -> None:
        with as_command_error():
            version = self.of_file(options) if options["file"] else self.of_cohort(options)
        self.stdout.write(f"prompt set {version}: {version.prompts.count()} prompts")
        for line in version.shortfalls:
            self.stdout.write(f"  not filled: {line}")
        for tally in tallies_of(version):
            counted = ", ".join(f"{value} {count}" for value, count, _ in tally.rows)
            self.stdout.write(f"  {tally.name}: {counted}")

    def of_file(self, options: dict[str, Any]) -> PromptSetVersion:
        path: Path = options["file"]
        try:
            text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{path} cannot be read: {error}") from error
        read = read_prompts(text)
        for row in read.bad_rows:
            self.stderr.write(f"line {row.number}: {row.reason}")
        if read.bad_rows and not options["skip_bad_rows"]:
            raise CommandError(
                f"{len(read.bad_rows)} rows cannot be used.\n"
                "Mend them, or leave them out with --skip-bad-rows."
            )
        left_out = f", {len(read.bad_rows)} bad rows left out" if read.bad_rows else ""
        return save_prompts(options["name"], read.prompts, origin=f"{path.name}{left_out}")

    def of_cohort(self, options: dict[str, Any]) -> PromptSetVersion:
        cohort = find_cohort(options["cohort"])
        if options["count"] < 1 or not 0 <= options["several_percent"] <= 100:
            raise CommandError("--count is at least 1, --several-percent from 0 to 100.")
        wish = Wish(
            findings=tuple(options["finding"]) or findings_of(cohort),
            count=options["count"],
            several_percent=options["several_percent"],
            seed=options["seed"],
        )
        balanced = prompts_of_cohort(cohort, wish)
        return save_prompts(
            options["name"],
            balanced.prompts,
            origin=describe_origin(cohort, wish, balanced),
            shortfalls=balanced.shortfalls,
        )
