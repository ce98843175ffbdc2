"""Go round the loop with simulated readers and say whether the child is better."""

import time
from dataclasses import replace
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from feedback_app.finetuning.models import Method
from feedback_app.images.candidates.batches import Settings
from feedback_app.images.versions.services import register, register_bundled
from feedback_app.rehearsal.gate import GateRehearsal
from feedback_app.rehearsal.loop import Plan, Rehearsal
from feedback_app.remedies import as_command_error
from feedback_app.terminal import quiet_libraries
from generation.conditioning.prompts import default_prompts
from generation.quality.gate_spec import gate_prompts


class Command(BaseCommand):
    help = (
        "Generate, read with simulated readers, snapshot, fine-tune, generate again on other "
        "prompts, compare, curate, export. Exits non-zero where a stage fails."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--model", default="", help="a diffusers folder (default: bundled)")
        parser.add_argument("--prompts", type=int, default=24, help="that are taught on")
        parser.add_argument("--held-out-prompts", type=int, default=20)
        parser.add_argument("--images", type=int, default=4, help="for each prompt")
        parser.add_argument("--sampling-steps", type=int, default=14)
        parser.add_argument("--readers", type=int, default=3)
        parser.add_argument("--method", choices=Method.values, default=Method.DPO_MARGIN.value)
        parser.add_argument("--steps", type=int, default=None, help="of the fine-tune")
        parser.add_argument("--learning-rate", type=float, default=None)
        parser.add_argument("--beta", type=float, default=None)
        parser.add_argument("--batch-size", type=int, default=None)
        parser.add_argument("--rank", type=int, default=None)
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument(
            "--gate",
            action="store_true",
            help="go as far as the gate, of a child taught well and of one taught flipped "
            "preferences, with a reward model of other readers as the judge",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        quiet_libraries()
        started_at = time.monotonic()
        if not connection.introspection.table_names():  # servers made for this alone
            call_command("migrate", verbosity=0)
        with as_command_error():
            parent = (
                register("rehearsed", options["model"]) if options["model"] else register_bundled()
            )
            self.stdout.write(f"model: {parent.name}, sha256 {parent.sha256[:12]}")
            if options["gate"]:
                GateRehearsal(gate_plan_of(options), self.stdout.write).run(parent)
            else:
                Rehearsal(plan_of(options), self.stdout.write).run(parent)
        self.stdout.write(f"rehearsed in {time.monotonic() - started_at:.0f} s")


def plan_of(options: dict[str, Any]) -> Plan:
    """Taught prompts are the first of the default prompts, held-out ones the last.

    Those between are for whoever tunes the fine-tuning: what is measured on stays untouched.
    """
    prompts = default_prompts()
    taught, held_out = options["prompts"], options["held_out_prompts"]
    if taught + held_out > len(prompts):
        raise CommandError(f"There are {len(prompts)} prompts in all; ask for fewer.")
    chosen = ("steps", "learning_rate", "beta", "batch_size", "rank")
    return Plan(
        taught_prompts=tuple(prompts[:taught]),
        held_out_prompts=tuple(prompts[len(prompts) - held_out :]),
        images_per_taught_prompt=options["images"],
        images_per_held_out_prompt=options["images"],
        sampling=Settings(steps=options["sampling_steps"]),
        readers=options["readers"],
        method=options["method"],
        fine_tuning={name: options[name] for name in chosen if options[name] is not None},
        seed=options["seed"],
    )


def gate_plan_of(options: dict[str, Any]) -> Plan:
    """The judge has prompts that are neither taught on nor asked by the gate."""
    plan = plan_of(options)
    taken = {*plan.taught_prompts, *gate_prompts(frozenset(plan.taught_prompts))}
    free = [prompt for prompt in default_prompts() if prompt not in taken]
    if len(free) < len(plan.taught_prompts):
        raise CommandError(
            f"{len(free)} prompts are left for the judge’s readings. Ask for fewer --prompts."
        )
    return replace(plan, held_out_prompts=tuple(free[: len(plan.taught_prompts)]))
