"""Starting a gate, and keeping its verdict."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from django.db import transaction

from feedback_app.accounts.models import User
from feedback_app.finetuning.gates.masks import PlannedMasks, plan_gate_masks
from feedback_app.finetuning.gates.models import (
    Gate,
    GateDecision,
    GateJudge,
    GateMasks,
    GateRule,
    GateVerdict,
)
from feedback_app.finetuning.gates.promotion import promote_by_gate
from feedback_app.finetuning.lineage import taught_prompts
from feedback_app.images.blobs.services import store
from feedback_app.images.candidates.batches import PRIORITY, Settings, create_batch
from feedback_app.images.candidates.mask_plan import Condition
from feedback_app.images.models import Batch, ModelVersion
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run
from generation.errors import RemediableError
from generation.quality.gate_rules import MODE_WORDS, Verdict
from generation.quality.gate_spec import MASKED_MODES, GateSpec, gate_prompts
from generation.specs import Mode, naming_the_setting

IMAGES_PRIORITY = PRIORITY - 2
GATE_PRIORITY = PRIORITY - 3
"""A gate comes after its images, and both after batches that somebody waits for."""


def plan_gate(
    child: ModelVersion,
    *,
    prompts: Sequence[str] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> GateSpec:
    """Returns the spec of a gate of ``child``; raises where prompts were taught on, or are too
    few.
    """
    taught = taught_prompts(child)
    known = sorted(set(prompts or ()) & taught)
    if known:
        raise RemediableError(
            f"“{known[0]}” was taught on"
            + (f", as were {len(known) - 1} more." if known[1:] else "."),
            remedy="A gate asks only for prompts that nothing was taught on: take these out.",
        )
    with naming_the_setting():
        spec = GateSpec(
            prompts=tuple(prompts) if prompts else gate_prompts(taught), **(settings or {})
        )
    if len(spec.prompts) < spec.min_prompts:
        raise RemediableError(
            f"{len(spec.prompts)} prompts are left that nothing was taught on; a gate needs "
            f"{spec.min_prompts}.",
            remedy="Give the gate prompts of its own, which nobody has read images of.",
        )
    return replace(spec, side=spec.side or child.resolution)


@transaction.atomic
def start_gate(
    child: ModelVersion,
    *,
    prompts: Sequence[str] | None = None,
    settings: Mapping[str, Any] | None = None,
    created_by: User | None = None,
) -> Gate:
    """Ask child and parent for the same prompts, masks and seeds, and queue the comparison."""
    if child.parent is None:
        raise RemediableError(
            f"“{child.name}” is a base model: it has no parent to be compared with.",
            remedy="Choose a version that was fine-tuned.",
        )
    spec = plan_gate(child, prompts=prompts, settings=settings)
    masks = plan_gate_masks(child, spec)
    if masks is not None:
        spec = replace(spec, masked=masks.spec)
    batches = {
        side: _ask(version, spec, name=f"Gate of {child.name}, {side}", created_by=created_by)
        for side, version in (("child", child), ("parent", child.parent))
    }
    masked = _ask_for_masks(child, masks, spec=spec, created_by=created_by) if masks else []
    asked = [*batches.values(), *(batch for row in masked for batch in row.batches)]
    run = runs.start(
        "gate",
        title=f"Gate of {child.name} against {child.parent.name}",
        spec={},
        total=len(spec.prompts) * spec.images_per_prompt,
        priority=GATE_PRIORITY,
        after=Run.objects.filter(batches__in=asked),
        created_by=created_by,
    )
    gate = Gate.objects.create(
        child=child,
        parent=child.parent,
        child_batch=batches["child"],
        parent_batch=batches["parent"],
        spec=spec.as_json,
        run=run,
        created_by=created_by,
    )
    for row in masked:
        row.gate = gate
    GateMasks.objects.bulk_create(masked)
    return gate


def _ask_for_masks(
    child: ModelVersion, masks: PlannedMasks, *, spec: GateSpec, created_by: User | None
) -> list[GateMasks]:
    """Ask both sides for images of the held-out masks, in each mode; the rows want a gate yet."""
    if not masks.conditions:
        return []
    assert child.parent is not None
    rows = []
    for mode in MASKED_MODES:
        of_child, of_parent = (
            _ask(
                version,
                spec,
                name=f"Gate of {child.name}, {side}, {MODE_WORDS[mode]}",
                created_by=created_by,
                mode=mode,
                conditions=masks.conditions,
            )
            for side, version in (("child", child), ("parent", child.parent))
        )
        rows.append(GateMasks(mode=mode, child_batch=of_child, parent_batch=of_parent))
    return rows


def _ask(
    version: ModelVersion,
    spec: GateSpec,
    *,
    name: str,
    created_by: User | None,
    mode: Mode = "t2i",
    conditions: Sequence[Condition] = (),
) -> Batch:
    """With masks, as many images of each mask in every mode."""
    prompts, images_per_prompt = spec.prompts, spec.images_per_prompt
    if spec.masked is not None and conditions:
        reads_text = mode == "tm2i"
        prompts = spec.masked.prompts if reads_text else ()
        images_per_prompt = 1 if reads_text else len(spec.masked.prompts)
    batch = create_batch(
        name[:100],
        model_version=version,
        prompts=prompts,
        images_per_prompt=images_per_prompt,
        mode=mode,
        conditions=conditions,
        allows_held_out=bool(conditions),
        settings=Settings(
            steps=spec.steps,
            guidance_scale=spec.guidance_scale,
            sampler=spec.sampler,
            side=spec.side,
        ),
        seed=spec.first_seed,
        created_by=created_by,
    )
    batch.runs.unfinished().update(priority=IMAGES_PRIORITY)
    return batch


@transaction.atomic
def keep_verdict(gate: Gate, verdict: Verdict, *, figures: Mapping[str, Any]) -> GateVerdict:
    """Store a verdict once and for all; promote the child where its schedule says so."""
    Gate.objects.select_for_update(of=("self",)).get(pk=gate.pk)
    known = GateVerdict.objects.filter(gate=gate).first()
    if known is not None:
        return known
    report = {
        "child": {"name": gate.child.name, "sha256": gate.child.sha256},
        "parent": {"name": gate.parent.name, "sha256": gate.parent.sha256},
        "spec": gate.spec,
        "figures": figures,
        "rules": [asdict(rule) for rule in verdict.rules],
        "decision": GateDecision.PROMOTE if verdict.is_promote else GateDecision.HOLD,
    }
    content = json.dumps(report, sort_keys=True, indent=1).encode()
    kept = GateVerdict.objects.create(
        gate=gate,
        decision=report["decision"],
        report=store(content, media_type="application/json"),
    )
    GateRule.objects.bulk_create(
        GateRule(verdict=kept, position=position, **asdict(rule))
        for position, rule in enumerate(verdict.rules)
    )
    source = (figures["judge"] or {}).get("source")
    if source:
        GateJudge.objects.create(
            verdict=kept, scorer_id=source.get("scorer"), study_id=source.get("study")
        )
    promote_by_gate(kept)
    return kept


def read_report(verdict: GateVerdict) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(verdict.report.read())
    return report
