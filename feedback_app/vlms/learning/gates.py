"""Asking the gate of a VLM version that was taught: what it rests on, and its run."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.db import transaction

from feedback_app.accounts.audit import record
from feedback_app.accounts.models import User
from feedback_app.images.blobs.places import put
from feedback_app.images.blobs.services import naming_a_full_disk
from feedback_app.images.cohorts.models import CohortImage
from feedback_app.images.versions.folders import location_of
from feedback_app.images.versions.run_folders import new_run_folder
from feedback_app.runs import services as runs
from feedback_app.runs.models import State
from feedback_app.vlms.asking import ask_for_benchmark
from feedback_app.vlms.learning.finetunes import LESSONS, finetunes_behind, write_lessons
from feedback_app.vlms.learning.gate_models import VlmGate
from feedback_app.vlms.learning.models import ReportSnapshot
from feedback_app.vlms.models import InstructionSet, VlmVersion
from feedback_app.vlms.requests import BenchmarkRequest
from feedback_app.vlms.services import require_vlm
from generation.errors import RemediableError
from generation.specs import VlmComparisonSpec, write_spec

KIND = "gate_vlm"


@transaction.atomic
def start_vlm_gate(
    child: VlmVersion,
    *,
    instruction_set: InstructionSet,
    snapshot: ReportSnapshot | None = None,
    margin: float,
    created_by: User | None = None,
) -> VlmGate:
    """Let child and parent answer the benchmark, and queue their comparison after that.

    The readers of the snapshot that taught the child judge, unless another one is named.
    """
    parent = child.parent
    if parent is None:
        raise RemediableError(
            f"“{child.name}” has no parent to be compared with.",
            remedy="Choose a version that was taught here.",
        )
    judged_by = snapshot or _own_snapshot(child)
    folder = new_run_folder()
    spec = VlmComparisonSpec(
        child=str(require_vlm(child)), parent=str(require_vlm(parent)), lessons=LESSONS
    )
    with naming_a_full_disk("a gate's lessons"):
        write_lessons(held_out(judged_by), folder / LESSONS)
        write_spec(replace(spec, lessons=str(folder / LESSONS)), folder / "spec.json")
    put(folder)
    asked = [
        BenchmarkRequest(version=one.name, instruction_set=instruction_set.name)
        for one in (child, parent)
    ]
    answers = [ask_for_benchmark(one, created_by=created_by).run for one in asked]
    run = runs.start(
        KIND,
        title=f"Gate of {child.name}",
        spec={"run_dir": location_of(folder)},
        after=[one for one in answers if one.state != State.SUCCEEDED],
        created_by=created_by,
    )
    record(
        "vlm_gate.asked",
        actor=created_by,
        target=child.name,
        target_id=child.pk,
        details={"benchmark": instruction_set.name, "judges": judged_by.name},
    )
    return VlmGate.objects.create(
        child=child,
        parent=parent,
        instruction_set=instruction_set,
        snapshot=judged_by,
        margin=margin,
        folder=location_of(folder),
        run=run,
        created_by=created_by,
    )


def held_out(snapshot: ReportSnapshot) -> list[dict[str, Any]]:
    """Returns what readers said of patients whose images nothing is taught of."""
    return [line for line in snapshot.lines if line["is_held_out"]]


def taught_images(version: VlmVersion) -> frozenset[str]:
    """Hashes of all images of patients of whom readers taught the version, or an ancestor."""
    lines = (line for row in finetunes_behind(version) for line in row.snapshot.lines)
    shown = {line["image"] for line in lines if not line["is_held_out"]}
    return frozenset(shown | set(_of_same_patients(shown)))


def _of_same_patients(hashes: Iterable[str]) -> Iterable[str]:
    patients = CohortImage.objects.filter(image__blob__in=hashes).values("patient")
    alike = CohortImage.objects.filter(patient__in=patients)
    return alike.values_list("image__blob", flat=True)


def _own_snapshot(child: VlmVersion) -> ReportSnapshot:
    behind = finetunes_behind(child)
    if not behind:
        raise RemediableError(
            f"“{child.name}” was taught by no reader.",
            remedy="Name the snapshot of reports whose readers are to judge.",
        )
    return behind[0].snapshot
