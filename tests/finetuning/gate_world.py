"""Versions, candidates and figures for tests of the gate, without a model."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from feedback_app.finetuning.gates.services import keep_verdict, start_gate
from feedback_app.finetuning.models import FineTune, Gate, GateStudy, GateVerdict
from feedback_app.images.blobs.services import store_image
from feedback_app.images.models import (
    Batch,
    Candidate,
    ModelVersion,
)
from feedback_app.readings.models import Verdict
from feedback_app.readings.services import GivenChoice, submit
from feedback_app.runs.models import Run, State
from feedback_app.studies.models import Slot
from generation.quality.gate_rules import decide
from generation.quality.gate_spec import GateSpec, gate_prompts
from tests.finetuning.read_studies import grey_png

SMALL = {"images_per_prompt": 2, "steps": 2}
PROMPTS = gate_prompts()[:12]


def child_of(fine_tune: FineTune, *, name: str = "base-1") -> ModelVersion:
    """The version that a fine-tune gave, as if it had run."""
    child = ModelVersion.objects.create(
        name=name,
        location="x",
        sha256="1" * 64,
        parent=fine_tune.parent,
        method=fine_tune.method,
        taught_by_simulated_readers=fine_tune.snapshot.is_simulated,
    )
    fine_tune.model_version = child
    fine_tune.save()
    Run.objects.filter(pk=fine_tune.run_id).update(
        state=State.SUCCEEDED, finished_at=fine_tune.created_at
    )
    return child


def fill(batch: Batch, *, side: int = 32) -> list[Candidate]:
    """Candidates of noise for every recipe of a batch."""
    return [
        Candidate.objects.create(
            image=store_image(grey_png(int(place.recipe.key[:7], 16), side=side), name="test"),
            recipe=place.recipe,
        )
        for place in batch.batchrecipe_set.select_related("recipe").order_by("position")
    ]


def asked(child: ModelVersion, *, prompts: Sequence[str] | None = None) -> Gate:
    """A gate of a child whose images are all made."""
    gate = start_gate(child, prompts=prompts or PROMPTS, settings=SMALL)
    fill(gate.child_batch)
    fill(gate.parent_batch)
    return gate


def decided(gate: Gate, **changes: Any) -> GateVerdict:
    """A verdict from figures that are all good but for ``changes``."""
    figures = good_figures(**changes)
    figures["images"] = images_of(gate)
    return keep_verdict(gate, decide(figures, gate.asked), figures=figures)


def images_of(gate: Gate) -> list[dict[str, Any]]:
    sides = {}
    for side in ("child", "parent"):
        places = getattr(gate, f"{side}_batch").batchrecipe_set.with_candidates()
        sides[side] = [(place.recipe, str(place.recipe.candidate.pk)) for place in places]
    return [
        {"prompt": recipe.prompt, "seed": recipe.seed, "child": child, "parent": parent}
        for (recipe, child), (_, parent) in zip(sides["child"], sides["parent"], strict=True)
    ]


def good_figures(**changes: Any) -> dict[str, Any]:
    """The figures of a child that is better by its judge and no worse by anything."""
    won = {"share": 0.7, "low": 0.6, "high": 0.8, "pairs": 24, "prompts": 12}
    randomness = np.random.default_rng(0)
    figures = {
        "prompts": 12,
        "pairs": 24,
        "judge": {
            "name": "The second taste",
            "about": "It stands for no radiologist.",
            "win_rate": won,
            "child_mean": 3.1,
            "parent_mean": 2.8,
        },
        "no_judge": "no reward model is registered.",
        "trained_on": {
            "name": "The simulated readers’ own taste",
            "about": "It gave the readings.",
            "value": 0.8,
            "low": 0.7,
            "high": 0.9,
            "neutral": 0.5,
        },
        "quality": {
            name: {
                "child": 0.5,
                "parent": 0.5,
                "change": {"value": 0.0, "low": -0.01, "high": 0.01},
            }
            for name in ("kid", "precision", "recall", "density", "coverage", "ms_ssim")
        },
        "no_quality": {},
        "copies": {side: {"value": 0.01, "low": 0.0, "high": 0.03} for side in ("child", "parent")},
        "threshold": 0.9,
        "similarity": {
            side: randomness.uniform(0.4, 0.92, 24).tolist() for side in ("child", "parent")
        },
        "findings": {
            "edema": {"prompts": 4, "pairs": 8, "win_rate": won, "copies": 0},
            "effusion": {"prompts": 2, "pairs": 4, "win_rate": won, "copies": 1},
        },
        "suspicious": [
            {"pair": 3, "similarity": 0.92, "is_too_close": True, "nearest_image_id": "a.png"},
            {"pair": 5, "similarity": 0.85, "is_too_close": False, "nearest_image_id": "gone"},
        ],
    }
    return figures | changes


def spec() -> GateSpec:
    return GateSpec(prompts=PROMPTS)


def choose(slot: Slot, *, child: bool) -> None:
    """The slot's reader prefers the child, or the parent, on every question."""
    images = list(slot.case.case_images.order_by("position").values_list("image", flat=True))
    gate = GateStudy.objects.get(study=slot.study).gate
    children = set(gate.child_batch.recipes.values_list("candidate", flat=True))
    place = next(
        place
        for place, position in enumerate(slot.image_order)
        if (images[position] in children) == child
    )
    assert slot.reader is not None
    submit(
        slot=slot,
        reader=slot.reader,
        idempotency_key=slot.pk,
        choices=[
            GivenChoice(criterion=slug, verdict=Verdict.BETTER, place=place, strength=2)
            for slug in slot.study.criteria.values_list("slug", flat=True)
        ],
    )
