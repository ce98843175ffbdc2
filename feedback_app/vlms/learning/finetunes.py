"""Teaching a VLM version what readers prefer: asked for, its run folder, its child."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

from django.db import transaction

from feedback_app.accounts.audit import record
from feedback_app.accounts.models import User
from feedback_app.images.blobs.places import path_of_blob, put
from feedback_app.images.blobs.services import naming_a_full_disk
from feedback_app.images.versions.folders import location_of, path_of
from feedback_app.images.versions.run_folders import new_run_folder
from feedback_app.runs import services as runs
from feedback_app.runs.models import UNSUCCESSFUL
from feedback_app.vlms.learning.dependents import retracted_report_snapshots
from feedback_app.vlms.learning.models import LessonKind, ReportSnapshot, VlmFineTune, VlmMethod
from feedback_app.vlms.models import InstructionSet, VlmVersion
from feedback_app.vlms.services import register_vlm, require_vlm
from generation.errors import RemediableError
from generation.specs import VlmPreferenceSpec, naming_the_setting, write_spec

KIND, THEN = "teach_vlm", "ask_vlm_gate"
MARGIN = 0.05
LESSONS = "lessons.jsonl"
LEAST = 2
SETTINGS = (
    "steps", "batch_size", "learning_rate", "beta", "lora_rank", "checkpoint_every", "seed",
)  # fmt: skip
"""What may be set of a ``VlmPreferenceSpec``, which has their limits."""
UNTEACHABLE = {
    "paligemma": "its processor reads no text without a picture, which trl needs for answers"
}
"""Families that cannot be taught so, and why."""


@transaction.atomic
def start_vlm_finetune(
    name: str,
    *,
    snapshot: ReportSnapshot,
    parent: VlmVersion,
    method: str,
    settings: Mapping[str, Any] | None = None,
    replaces: VlmFineTune | None = None,
    gate_on: InstructionSet | None = None,
    margin: float = MARGIN,
    created_by: User | None = None,
) -> VlmFineTune:
    """Queue the training of a child to be called ``name``, on what is not held out.

    With ``gate_on`` a run after it asks the child's gate on the benchmark of this set.
    """
    VlmFineTune.objects.filter(name=name, run__state__in=UNSUCCESSFUL, version=None).delete()
    _require_free(name)
    require_teachable(parent)
    lessons = _lessons(snapshot, method=method)
    spec = _spec(parent, method=method, settings=settings or {})
    run = runs.start(
        KIND,
        title=f"Teach {name} what readers prefer",
        spec={"run_dir": location_of(_run_folder(spec, lessons))},
        total=spec.steps,
        created_by=created_by,
    )
    record(
        "vlm_fine_tune.started",
        actor=created_by,
        target=name,
        details={"method": method, "snapshot": snapshot.name, "parent": parent.name},
    )
    row = VlmFineTune.objects.create(
        name=name,
        snapshot=snapshot,
        parent=parent,
        method=method,
        settings={setting: getattr(spec, setting) for setting in SETTINGS},
        run=run,
        replaces=replaces,
    )
    if gate_on:
        runs.start(
            THEN,
            title=f"Ask the gate of {name}",
            spec={"fine_tune": str(row.pk), "instruction_set": gate_on.name, "margin": margin},
            after=[run],
            created_by=created_by,
        )
    return row


def repeat_vlm_finetune(
    row: VlmFineTune,
    *,
    snapshot: ReportSnapshot,
    parent: VlmVersion,
    created_by: User | None = None,
) -> VlmFineTune:
    """Queue the same training from another snapshot or parent, in its place."""
    return start_vlm_finetune(
        _free_name(row.name),
        snapshot=snapshot,
        parent=parent,
        method=row.method,
        settings=row.settings,
        replaces=row,
        created_by=created_by,
    )


@transaction.atomic
def finish_vlm_finetune(row: VlmFineTune) -> VlmVersion:
    """Register what the run has left; a training has one child, however often it finishes."""
    locked = VlmFineTune.objects.select_for_update(of=["self"]).get(pk=row.pk)
    if locked.version is None:
        locked.version = register_vlm(
            locked.name,
            str(path_of(locked.run.spec["run_dir"]) / "model"),
            parent=locked.parent,
            run=locked.run,
            created_by=locked.run.created_by,
        )
        locked.save(update_fields=["version"])
    return locked.version


def require_teachable(version: VlmVersion) -> None:
    if why := UNTEACHABLE.get(version.family):
        raise RemediableError(
            f"{version.name} cannot be taught what readers prefer: {why}.",
            remedy="Choose a version of another family.",
        )


def ancestry_of(version: VlmVersion) -> list[VlmVersion]:
    """Returns the version and what it was taught on from, the first one last."""
    line = [version]
    while (parent := line[-1].parent) is not None:
        line.append(parent)
    return line


def finetunes_behind(version: VlmVersion) -> list[VlmFineTune]:
    """Returns what taught a version and its ancestors, the last one first."""
    rows = VlmFineTune.objects.filter(version__in=ancestry_of(version))
    return list(rows.select_related("snapshot__blob", "parent", "run").order_by("-created_at"))


def write_lessons(lessons: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Lessons as JSON lines that name a file each in place of their image's hash."""
    with path.open("w", encoding="utf-8") as lines:
        for one in lessons:
            line = {"picture": path_of_blob(one["image"]), **one}
            lines.write(json.dumps(line, ensure_ascii=False) + "\n")


def _lessons(snapshot: ReportSnapshot, *, method: str) -> list[dict[str, Any]]:
    """Returns what may be taught of a snapshot; a RemediableError where it is too little."""
    if retracted_report_snapshots().filter(pk=snapshot.pk).exists():
        raise RemediableError(
            f"The snapshot “{snapshot}” rests on retracted readings.",
            remedy="Take another one, or rebuild it on the page of the retraction.",
        )
    shown = [line for line in snapshot.lines if not line["is_held_out"]]
    usable = [line for line in shown if _teaches(line, method=method)]
    if len(usable) < LEAST:
        raise RemediableError(
            f"The snapshot “{snapshot}” has {len(usable)} lessons for {method.upper()} on patients "
            "that are not held out.",
            remedy=f"Take one with {LEAST} or more: DPO learns from choices and edits, KTO from "
            "drafts accepted and changed.",
        )
    return usable


def _teaches(line: Mapping[str, Any], *, method: str) -> bool:
    return bool(line["over"]) if method == VlmMethod.DPO else line["kind"] != LessonKind.CHOICE


def _spec(parent: VlmVersion, *, method: str, settings: Mapping[str, Any]) -> VlmPreferenceSpec:
    if unknown := sorted(set(settings) - set(SETTINGS)):
        raise RemediableError(
            f"{', '.join(unknown)} cannot be set.", remedy=f"Choose among {', '.join(SETTINGS)}."
        )
    with naming_the_setting():
        return VlmPreferenceSpec(
            vlm=str(require_vlm(parent)),
            lessons=LESSONS,
            method=method,  # type: ignore[arg-type]
            **settings,
        )


def _run_folder(spec: VlmPreferenceSpec, lessons: Iterable[Mapping[str, Any]]) -> Path:
    folder = new_run_folder()
    with naming_a_full_disk("a run's lessons"):
        write_lessons(lessons, folder / LESSONS)
        write_spec(replace(spec, lessons=str(folder / LESSONS)), folder / "spec.json")
    put(folder)
    return folder


def _require_free(name: str) -> None:
    versions, tunes = VlmVersion.objects.filter(name=name), VlmFineTune.objects.filter(name=name)
    if versions.exists() or tunes.exists():
        raise RemediableError(
            f"There is a VLM version “{name}” already, or one that is being taught.",
            remedy="Choose another name.",
        )


def _free_name(name: str) -> str:
    """``name`` is followed by ``name-2``, ``name-3`` ..."""
    taken = set(VlmVersion.objects.values_list("name", flat=True))
    taken |= set(VlmFineTune.objects.values_list("name", flat=True))
    return next(free for n in count(2) if (free := f"{name[:90]}-{n}") not in taken)
