"""Gates of children that learnt from masked readings: which masks they ask, and what holds."""

from collections.abc import Callable

import numpy as np
import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.finetuning.gates import masks as gate_masks
from feedback_app.finetuning.gates.masks import patients_behind
from feedback_app.finetuning.gates.services import read_report, start_gate
from feedback_app.finetuning.models import Gate, GateMasks, GateVerdict
from feedback_app.finetuning.services import start_finetune, take_snapshot
from feedback_app.images.blobs.services import store, store_image
from feedback_app.images.candidates.batches import Settings, create_batch
from feedback_app.images.candidates.conditioning import conditioning_masks
from feedback_app.images.candidates.mask_choice import MaskChoice
from feedback_app.images.candidates.mask_plan import keep_masks, plan_masks
from feedback_app.images.models import (
    Batch,
    Candidate,
    Cohort,
    Mask,
    ModelVersion,
    Patient,
    Recipe,
    RecipeMask,
    Scorer,
    ScorerKind,
    Split,
)
from feedback_app.images.scorers.services import register_bundled_proxies
from feedback_app.runs.console import execute_here
from feedback_app.runs.models import Run, State
from feedback_app.studies.models import Slot
from feedback_app.studies.services import add_cases, create_study, open_study
from generation.conditioning.masks import encode_mask
from tests.finetuning.gate_world import PROMPTS, SMALL, child_of, fill
from tests.finetuning.read_studies import Read, grey_png
from tests.finetuning.synthetic_xrays import as_png
from tests.generation.chests import chest_picture, moved_lungs
from tests.images.masked import make_masked_cohort

pytestmark = pytest.mark.django_db


@pytest.fixture
def cohort(db: None) -> Cohort:
    return make_masked_cohort(train=1, validation=3, test=3)


@pytest.fixture
def segmenter(db: None) -> Scorer:
    register_bundled_proxies()
    return Scorer.objects.get(kind=ScorerKind.SEGMENTER)


@pytest.fixture
def masked_child(base: ModelVersion, rosa: User, read: Read) -> Callable[..., ModelVersion]:
    """Taught with readings of images that follow a mask of the cohort."""

    def taught(cohort: Cohort, **choice: object) -> ModelVersion:
        ModelVersion.objects.update(follows_masks=True)
        base.refresh_from_db()
        chosen = MaskChoice(cohort=cohort, kinds=("lungs",), number=1, **choice)  # type: ignore[arg-type]
        batch = create_batch(
            "Masks",
            model_version=base,
            prompts=[],
            images_per_prompt=2,
            mode="m2i",
            conditions=keep_masks(plan_masks(chosen, side=64)),
            allows_held_out=chosen.allows_held_out,
            settings=Settings(side=64),
        )
        for number, recipe in enumerate(batch.recipes.all()):
            image = store_image(grey_png(number), name="test")
            Candidate.objects.create(image=image, recipe=recipe)
        study = create_study(name="Masks", readers=[rosa], readers_per_case=1)
        add_cases(study, [batch])
        for slot in Slot.objects.filter(study=open_study(study)):
            read(slot, [5, 1])
        snapshot = take_snapshot(name="Monday", simulated=False)
        child = child_of(start_finetune(snapshot=snapshot, parent=base, method="dpo_margin"))
        child.follows_masks = True
        child.save()
        return child

    return taught


def asked_masks(gate: Gate) -> list[RecipeMask]:
    return list(RecipeMask.objects.filter(recipe__batches__in=[b for _, b in gate.batches]))


def test_a_child_that_learnt_from_masks_is_asked_for_held_out_ones_in_both_modes(
    masked_child: Callable[..., ModelVersion], cohort: Cohort, segmenter: Scorer
) -> None:
    gate = start_gate(masked_child(cohort), settings=SMALL)
    masked = gate.asked.masked
    assert masked is not None
    assert (masked.kinds, masked.cohort, len(masked.images)) == (("lungs",), cohort.name, 6)
    assert masked.missing == ""
    assert [one.mode for one in gate.masked.all()] == ["tm2i", "m2i"]
    for one in gate.masked.all():
        child, parent = (
            [(recipe.sample, recipe.mask_blobs) for recipe in batch.recipes.order_by("seed")]
            for batch in (one.child_batch, one.parent_batch)
        )
        assert child == parent
        assert len(child) >= 2 * len(masked.images)
        assert {sample.prompt for sample, _ in child} == (
            set(masked.prompts) if one.mode == "tm2i" else {""}
        )
    splits = {mask.parent.cohort_image.patient.split for mask in asked_masks(gate)}
    assert splits == {Split.VALIDATION, Split.TEST}
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        GateMasks.objects.update(mode="t2i")


def test_patients_whose_masks_were_read_are_not_asked_for(
    masked_child: Callable[..., ModelVersion], cohort: Cohort, segmenter: Scorer
) -> None:
    Patient.objects.filter(split=Split.TRAIN).delete()
    child = masked_child(cohort, allows_held_out=True)
    (known,) = patients_behind(child)
    gate = start_gate(child, settings=SMALL)
    asked = {mask.parent.cohort_image.patient_id for mask in asked_masks(gate)}
    assert len(asked) == 5
    assert known not in asked


@pytest.mark.parametrize("lacks", ["segmenter", "patients"])
def test_masks_that_cannot_be_asked_for_hold_and_say_why(
    masked_child: Callable[..., ModelVersion], cohort: Cohort, segmenter: Scorer, *, lacks: str
) -> None:
    if lacks == "segmenter":
        Scorer.objects.update(is_active=False)
        why = "no segmenter measures lungs"
    else:
        Patient.objects.filter(split=Split.TEST).delete()
        why = "3 patients of one cohort are held out"
    gate = start_gate(masked_child(cohort), prompts=PROMPTS, settings=SMALL)
    assert not gate.masked.exists()
    verdict = judged(gate)
    rule = verdict.rules.get(name="masks")
    assert rule.outcome == "missing"
    assert why in rule.sentence
    assert not verdict.is_promote


def test_a_child_that_learnt_from_no_masks_is_asked_for_none(
    make_study: Callable[..., object], read: Read, rosa: User, base: ModelVersion
) -> None:
    make_study(rosa)
    for slot in Slot.objects.all():
        read(slot, [5, 4, 2, 0])
    snapshot = take_snapshot(name="Monday", simulated=False)
    child = child_of(start_finetune(snapshot=snapshot, parent=base, method="dpo_margin"))
    ModelVersion.objects.update(follows_masks=True)
    child.refresh_from_db()
    gate = start_gate(child, settings=SMALL)
    assert gate.asked.masked is None
    assert not GateMasks.objects.exists()


def judged(gate: Gate) -> GateVerdict:
    fill(gate.child_batch)
    fill(gate.parent_batch)
    Run.objects.exclude(pk=gate.run_id).update(state=State.SUCCEEDED, finished_at=gate.created_at)
    run = execute_here(gate.run, write=lambda line: None)
    assert (run.state, run.error) == (State.SUCCEEDED, "")
    return GateVerdict.objects.get(gate=gate)


def move_apart(cohort: Cohort) -> None:
    """Lungs that lie higher and lower, so that one average lung fits few of them."""
    masks = Mask.objects.filter(cohort_image__cohort=cohort, kind="lungs").order_by("pk")
    for mask, shift in zip(masks, (0, -20, -12, -6, 6, 12, 20), strict=True):
        content = encode_mask(moved_lungs(shift))
        mask.blob = store(content, media_type="image/png")
        mask.save()


def draw(batch: Batch, *, follows: bool) -> None:
    """A chest in each mask, or in that of the recipe after the next one."""
    recipes = list(Recipe.objects.filter(batches=batch).order_by("batchrecipe__position"))
    for number, recipe in enumerate(recipes):
        other = recipe if follows else recipes[(number + 2) % len(recipes)]
        ((_, mask),) = conditioning_masks(other)
        pixels = chest_picture(np.asarray(mask), seed=recipe.seed)
        Candidate.objects.create(image=store_image(as_png(pixels), name="test"), recipe=recipe)


@pytest.mark.slow
@pytest.mark.parametrize("follows", [True, False])
def test_a_child_that_stops_following_masks_is_held(
    masked_child: Callable[..., ModelVersion],
    cohort: Cohort,
    segmenter: Scorer,
    cora_client: Client,
    monkeypatch: pytest.MonkeyPatch,
    *,
    follows: bool,
) -> None:
    monkeypatch.setattr(gate_masks, "VARIANTS", 0)
    move_apart(cohort)
    gate = start_gate(masked_child(cohort), prompts=PROMPTS, settings=SMALL)
    for one in gate.masked.all():
        draw(one.child_batch, follows=follows)
        draw(one.parent_batch, follows=True)
    verdict = judged(gate)
    rules = {rule.name: rule for rule in verdict.rules.all()}
    outcome = "passed" if follows else "failed"
    for mode in ("tm2i", "m2i"):
        assert rules[f"mask_fidelity_{mode}"].outcome == outcome
        assert rules[f"follows_{mode}"].outcome == outcome
        assert rules[f"mask_fidelity_{mode}"].limit == -0.1
    assert rules["masks"].outcome == "passed"
    figures = read_report(verdict)["figures"]
    assert figures["masks"]["segmenters"] == {"lungs": segmenter.name}
    page = cora_client.get(reverse("finetuning:gate", args=[gate.pk])).content.decode()
    assert "Same masks, same seed" in page
    assert "masks only" in page
    assert page.count('class="framed"') == 2 * 2 * len({mask.blob_id for mask in asked_masks(gate)})
