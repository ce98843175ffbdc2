"""A gate in the process of a management command, with what it found."""

from collections.abc import Callable

from feedback_app.runs.console import finish_here
from feedback_app.vlms.learning.gate_models import VlmGate, VlmVerdict


def finish_gate_here(gate: VlmGate, *, write: Callable[[str], object]) -> None:
    """Let both versions answer in this process, compare them, and say each rule."""
    for run in (*gate.run.after.order_by("created_at"), gate.run):
        finish_here(run, write=write)
    verdict = VlmVerdict.objects.get(gate=gate)
    for rule in verdict.report["rules"]:
        figures = ", ".join(f"{name} {rule[name]}" for name in ("value", "low", "high"))
        write(f"{rule['name']}: {rule['outcome']}, {figures}")
    write(f"{gate}: {verdict.decision}")
