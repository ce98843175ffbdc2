"""Which method of learning gives the best model from how many readings."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from feedback_app.images.candidates.batches import Settings
from feedback_app.images.versions.services import register, register_bundled
from feedback_app.rehearsal.loop import Plan
from feedback_app.rehearsal.method_comparison import ARMS, SIZES, MethodComparison
from feedback_app.remedies import as_command_error
from feedback_app.terminal import quiet_libraries
from generation.conditioning.prompts import default_prompts

FINE_TUNING = {"steps": int, "batch_size": int, "learning_rate": float, "rank": int}


class Command(BaseCommand):
    help = (
        "Teach a model by every method from the same simulated readings, and compare what comes "
        "of it with its parent and with the best of its parent's images. A run that was cut off "
        "goes on where it was; each cell takes some minutes."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        names = [arm.name for arm in ARMS]
        parser.add_argument("--output", type=Path, help="folder (default: in the data)")
        parser.add_argument("--model", default="", help="a diffusers folder (default: bundled)")
        parser.add_argument("--methods", nargs="+", choices=names, default=names)
        parser.add_argument("--readings", nargs="+", type=int, default=SIZES)
        parser.add_argument("--prompts", type=int, default=24, help="that are taught on")
        parser.add_argument("--held-out-prompts", type=int, default=20)
        parser.add_argument("--readers", type=int, default=3)
        parser.add_argument("--sampling-steps", type=int, default=14)
        parser.add_argument("--side", type=int, help="of an image in pixels")
        parser.add_argument("--seed", type=int, default=0)
        for name, kind in FINE_TUNING.items():
            parser.add_argument(f"--{name.replace('_', '-')}", type=kind)

    def handle(self, *args: Any, **options: Any) -> None:
        from feedback_app.rehearsal.method_figure import as_csv, as_svg, as_table

        quiet_libraries()
        if not connection.introspection.table_names():  # servers made for this alone
            call_command("migrate", verbosity=0)
        folder: Path = options["output"] or settings.DATA_ROOT / "method-comparison"
        arms = [arm for arm in ARMS if arm.name in options["methods"]]
        cells = []
        with as_command_error():
            parent = (
                register("compared", options["model"]) if options["model"] else register_bundled()
            )
            comparison = MethodComparison(plan_of(options), parent, folder, self.stdout.write)
            for cell in comparison.run(arms, options["readings"]):
                cells.append(cell)
                (folder / "methods.csv").write_text(as_csv(cells))
                (folder / "methods.svg").write_text(as_svg(cells))
        self.stdout.write(as_table(cells))
        self.stdout.write(f"{folder / 'methods.csv'}, {folder / 'methods.svg'}")


def plan_of(options: dict[str, Any]) -> Plan:
    """Taught prompts are the first of the default prompts, held-out ones the last."""
    prompts = default_prompts()
    taught, held_out = options["prompts"], options["held_out_prompts"]
    if min(taught, held_out) < 1 or taught + held_out > len(prompts):
        raise CommandError(f"There are {len(prompts)} prompts in all; ask for fewer, and for some.")
    return Plan(
        taught_prompts=tuple(prompts[:taught]),
        held_out_prompts=tuple(prompts[len(prompts) - held_out :]),
        sampling=Settings(steps=options["sampling_steps"], side=options["side"]),
        readers=options["readers"],
        fine_tuning={name: options[name] for name in FINE_TUNING if options[name] is not None},
        seed=options["seed"],
    )
