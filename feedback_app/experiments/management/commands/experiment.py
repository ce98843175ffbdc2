"""Design an experiment, or take one from a report's file, and run it to its end here."""

from argparse import ArgumentParser
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from feedback_app.experiments.models import Experiment
from feedback_app.experiments.report.cache import figures_for, state_of
from feedback_app.experiments.report.page import Line, report_of
from feedback_app.experiments.report.power import power_of, room_of
from feedback_app.experiments.report.rerun import read_report_file, require_same_content
from feedback_app.experiments.services.design import (
    OWN_SETTINGS,
    Design,
    read_design,
    settings_of,
)
from feedback_app.experiments.services.experiments import create_experiment, start_experiment
from feedback_app.experiments.services.plan import Plan, plan_of
from feedback_app.remedies import as_command_error
from feedback_app.runs.console import execute_here
from feedback_app.runs.models import State
from feedback_app.runs.templatetags.quantities import duration
from generation.errors import RemediableError
from generation.specs import ARMS

PRIMARY = "ARM:REAL_IMAGES:RATIO"
SOURCE = "ARM:KIND:ID"


class Command(BaseCommand):
    help = "Run an experiment and wait for it: cells that were trained before are not again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", nargs="?", default="", help="the experiment's name")
        parser.add_argument(
            "--from", dest="file", type=Path, help="the JSON file of a report: run it again"
        )
        parser.add_argument("--cohort", default="")
        parser.add_argument("--findings", nargs="+", default=[], help="for a classification")
        parser.add_argument("--mask-kind", default="", help="for a segmentation")
        parser.add_argument("--sizes", nargs="+", type=int, default=[], help="real images")
        parser.add_argument("--arms", nargs="+", default=[], choices=ARMS)
        parser.add_argument("--ratios", nargs="+", type=float, default=[1.0])
        parser.add_argument("--seeds", type=int, default=10, help="how many (default: 10)")
        parser.add_argument("--metric", default="", help="default: macro_f1, or dice")
        parser.add_argument("--primary", default="", help=PRIMARY)
        parser.add_argument(
            "--source",
            action="append",
            default=[],
            help=f"{SOURCE}; the kind is batch, curated_set or export",
        )
        parser.add_argument(
            "--set", nargs="+", default=[], metavar="NAME=VALUE", help="settings of the training"
        )
        parser.add_argument(
            "--own-generator",
            nargs="+",
            default=[],
            metavar="NAME=VALUE",
            help="settings of the generators of the arm own_generator",
        )
        parser.add_argument("--vouching", default="", help="for models of unrecorded training")
        parser.add_argument(
            "--plan", action="store_true", help="say what it costs and can find, and stop"
        )
        parser.add_argument("--for-gain", type=float, help="with it, what finding a gain takes")
        parser.add_argument("--queue", action="store_true", help="leave it to workers")
        parser.add_argument(
            "--on-what-there-is",
            action="store_true",
            help="with --from: run although images are others than when the report was written",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        with as_command_error():
            design, real = self._design(options)
            plan = plan_of(design)
            self._say(plan)
            self._say_power(plan, wanted=options["for_gain"])
            self._say_room(plan)
            if options["plan"]:
                return
            if options["file"] and not options["on_what_there_is"]:
                require_same_content(plan, real=real)
            experiment = create_experiment(design)
            try:
                start_experiment(experiment)
            except RemediableError:
                experiment.delete()
                raise
        if options["queue"]:
            self.stdout.write(f"Started as {experiment.pk}.")
            return
        self._work_off(experiment)

    def _design(self, options: dict[str, Any]) -> tuple[Design, str]:
        """From a report's file, under another name where one is given, or from the options."""
        if options["file"] is None:
            return read_design(design_from(options)), ""
        try:
            content = options["file"].read_bytes()
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from error
        design, real = read_report_file(content)
        return replace(design, name=options["name"] or free_name(design.name)), real

    def _say(self, plan: Plan) -> None:
        cost = plan.cost
        how = f"measured on {cost.measured}" if cost.is_measured else "an estimate"
        self.stdout.write(
            f"{plan.cell_count} cells of about {cost.seconds:.0f} s ({how}): "
            f"{duration(plan.cells_seconds)}"
        )
        if plan.generator_count:
            made = plan.generator_cost
            how = f"measured on {made.measured}" if made.is_measured else "an estimate"
            self.stdout.write(
                f"before them {plan.generator_count} generators of their own of about "
                f"{made.seconds:.0f} s ({how}): {duration(plan.generators_seconds)}"
            )
        if plan.regimes:
            self.stdout.write(f"regime: {plan.regime}")
        for caution in plan.cautions:
            self.stdout.write(f"caution: {caution}")
        for refusal in plan.refusals:
            self.stdout.write(f"refused: {refusal.message} {refusal.remedy}")

    def _say_power(self, plan: Plan, *, wanted: float | None) -> None:
        power = power_of(plan, wanted=wanted)
        if power is None:
            return
        by = f"the variance of {', '.join(power.earlier)}" if power.earlier else "an assumption"
        self.stdout.write(
            f"power: by {by}, a gain of {power.primary:.3f} is found in 80 % of experiments, "
            f"of {power.others:.3f} by one of all {power.comparisons} comparisons"
        )
        if power.wanted:
            seeds, patients = (
                "no number" if needed is None else str(needed)
                for needed in (power.seeds_needed, power.patients_needed)
            )
            self.stdout.write(
                f"a gain of {power.wanted:.3f} needs {seeds} of seeds with these test patients, "
                f"or {patients} of test patients with these seeds"
            )

    def _say_room(self, plan: Plan) -> None:
        if (room := room_of(plan.design)) is None:
            return
        least, most = room.least, room.most
        trivial = f"; {least.trivial_value:.3f} by {least.trivial!r}" if least.trivial else ""
        self.stdout.write(
            f"room: in {room.earlier}, from {least.value:.3f} of {least.real_size} real images "
            f"alone to {most.value:.3f} of {most.real_size}{trivial}"
        )

    def _work_off(self, experiment: Experiment) -> None:
        """One cell after the other; other workers take theirs meanwhile."""
        failed = 0
        waiting = experiment.cells.left().select_related("run").order_by("pk")
        total, known = experiment.cells.count(), experiment.cells.done().count()
        if known:
            self.stdout.write(f"{known} of {total} cells are known from before")
        for number, cell in enumerate(waiting, start=known + 1):
            assert cell.run is not None
            run = execute_here(cell.run, write=lambda line: None)
            failed += run.state != State.SUCCEEDED
            said = run.error or ", ".join(figures_in_words(run.result))
            self.stdout.write(f"{number} of {total}  {cell}: {said}")
        self._conclude(experiment)
        if failed:
            raise CommandError(
                f"{failed} cells failed.\nSee them on the experiment's page, and retry there."
            )

    def _conclude(self, experiment: Experiment) -> None:
        experiment.refresh_from_db()
        report = report_of(experiment, figures_for(experiment, state=state_of(experiment)))
        self.stdout.write(f"{report.metric.label} · regime: {report.regime}")
        for line in report.lines:
            self.stdout.write(line_in_words(line))
        if report.primary:
            self.stdout.write(f"primary comparison: {report.primary.sentence}")
        self.stdout.write(f"experiment {experiment.pk}")


def design_from(options: dict[str, Any]) -> dict[str, Any]:
    task = "segmentation" if options["mask_kind"] else "classification"
    return {
        "name": options["name"],
        "task": task,
        "cohort": options["cohort"],
        "findings": options["findings"],
        "mask_kind": options["mask_kind"],
        "real_sizes": options["sizes"],
        "arms": options["arms"],
        "ratios": options["ratios"],
        "seeds": list(range(options["seeds"])),
        "metric": options["metric"] or ("dice" if options["mask_kind"] else "macro_f1"),
        "primary": dict(
            zip(("arm", "real_size", "ratio"), parts_of(options["primary"], PRIMARY), strict=True)
        ),
        "training": dict(setting(text, known=settings_of(task)) for text in options["set"]),
        "own_generator": dict(
            setting(text, known=OWN_SETTINGS) for text in options["own_generator"]
        ),
        "sources": [
            dict(zip(("arm", "kind", "id"), parts_of(text, SOURCE), strict=True))
            for text in options["source"]
        ],
        "vouching": options["vouching"],
    }


def parts_of(text: str, shape: str) -> list[str]:
    parts = text.split(":")
    if len(parts) != shape.count(":") + 1:
        raise CommandError(f"{text!r} is not of the shape {shape}.")
    return parts


def setting(text: str, *, known: Sequence[str]) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals or name not in known:
        names = ", ".join(known)
        raise CommandError(f"{text!r} is not NAME=VALUE of a setting.\nThere are {names}.")
    return name, [int(part) for part in value.split(",")] if name == "widths" else value


def free_name(name: str) -> str:
    """Returns the name itself, else ``NAME again``, ``NAME again 2`` ..."""
    taken = set(Experiment.objects.values_list("name", flat=True))
    numbers = ("", *(f" {n}" for n in range(2, len(taken) + 2)))
    names = [name, *(f"{name[:80]} again{number}" for number in numbers)]
    return next(one for one in names if one not in taken)


def figures_in_words(result: dict[str, Any]) -> list[str]:
    return [
        f"{name.replace('_', ' ')} {value:.3f}"
        for name, value in result.items()
        if isinstance(value, float) and name != "seconds" and name.count("_") <= 1
    ]


def line_in_words(line: Line) -> str:
    mark = " (primary)" if line.is_primary else ""
    return (
        f"  {line.name}{mark}: {line.value} ({line.interval}), p {line.p_value}, "
        f"Holm {line.p_corrected}, {line.finding}"
    )
