"""A gate from the question to the verdict, on candidates whose quality is known."""

import json
from collections.abc import Callable
from datetime import time
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, transaction

from feedback_app.accounts.models import AuditEvent, User
from feedback_app.finetuning.gates.promotion import go_back, needs_reason, promote_version
from feedback_app.finetuning.gates.services import read_report, start_gate
from feedback_app.finetuning.lineage import taught_prompts
from feedback_app.finetuning.models import FineTune, Gate, GateVerdict, Snapshot
from feedback_app.finetuning.services import save_schedule, start_finetune, take_snapshot
from feedback_app.finetuning.services.schedules import ScheduleDesign
from feedback_app.images.blobs.services import store_image
from feedback_app.images.candidates.batches import PRIORITY, cancel_batch, make_missing
from feedback_app.images.models import (
    Batch,
    Candidate,
    ModelVersion,
    Promotion,
    PromotionKind,
)
from feedback_app.images.versions.services import promote
from feedback_app.rehearsal.simulation import simulate_readings, staff_and_open
from feedback_app.runs.console import execute_here
from feedback_app.runs.models import Run, State
from feedback_app.studies.models import Slot, Study
from feedback_app.studies.services import add_cases_from_batch, create_study
from generation.errors import RemediableError
from tests.finetuning.gate_world import PROMPTS, SMALL, asked, child_of, decided, good_figures
from tests.finetuning.read_studies import Read
from tests.finetuning.synthetic_xrays import as_png, picture, save_quality, training_picture

MakeStudy = Callable[..., Study]
Draw = Callable[[int], bytes]


@pytest.fixture(scope="module")
def quality(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    save_quality(folder / "quality")
    return folder


@pytest.fixture
def snapshot(make_study: MakeStudy, read: Read, rosa: User) -> Snapshot:
    """By people."""
    study = make_study(rosa)
    read(Slot.objects.get(study=study, case__position=0), [5, 4, 2, 0])
    return take_snapshot(name="Monday", simulated=False)


@pytest.fixture
def simulated(make_batch: Callable[..., Batch]) -> Snapshot:
    study = create_study(name="Simulated")
    add_cases_from_batch(study, make_batch())
    simulate_readings(staff_and_open(study, reader_count=8))
    return take_snapshot(name="Simulated", simulated=True)


def taught(snapshot: Snapshot, parent: ModelVersion, **options: Any) -> ModelVersion:
    return child_of(
        start_finetune(snapshot=snapshot, parent=parent, method="dpo_margin", **options)
    )


def draw(batch: Batch, drawn: Draw) -> None:
    """Candidates as a model would have made them, where they are not made yet."""
    unmade = batch.batchrecipe_set.filter(recipe__candidate=None)
    for number, place in enumerate(unmade.order_by("position")):
        image = store_image(drawn(number), name="test")
        Candidate.objects.create(image=image, recipe_id=place.recipe_id)
    Run.objects.filter(batches=batch).update(state=State.SUCCEEDED, finished_at=batch.created_at)


def of_quality(share: float) -> Draw:
    return lambda number: as_png(picture(number, quality=share))


def judged(child: ModelVersion, drawn: Draw, *, folder: Path) -> GateVerdict:
    """The verdict on a child that draws so, against a parent of middling quality."""
    ModelVersion.objects.filter(parent=None).update(location=str(folder))
    gate = start_gate(child, prompts=PROMPTS, settings=SMALL | {"side": 128})
    draw(gate.child_batch, drawn)
    draw(gate.parent_batch, of_quality(0.7))
    run = execute_here(gate.run, write=lambda line: None)
    assert (run.state, run.error) == (State.SUCCEEDED, "")
    return GateVerdict.objects.get(gate=gate)


def failures(verdict: GateVerdict) -> set[str]:
    return {rule.name for rule in verdict.against}


def test_a_good_child_passes(simulated: Snapshot, base: ModelVersion, quality: Path) -> None:
    verdict = judged(taught(simulated, base), of_quality(0.9), folder=quality)
    assert failures(verdict) == set()
    assert verdict.is_promote


def test_a_child_that_learnt_flipped_preferences_is_held(
    simulated: Snapshot, base: ModelVersion, quality: Path
) -> None:
    """Its images go the way that the losers went."""
    verdict = judged(taught(simulated, base), of_quality(0.4), folder=quality)
    assert {"win_rate", "findings"} <= failures(verdict)


def test_a_child_that_copies_its_training_images_is_held(
    simulated: Snapshot, base: ModelVersion, quality: Path
) -> None:
    verdict = judged(
        taught(simulated, base),
        lambda number: as_png(training_picture(number)),
        folder=quality,
    )
    assert "copies" in failures(verdict)
    assert "win_rate" not in failures(verdict)
    suspects = read_report(verdict)["figures"]["suspicious"]
    assert all(suspect["is_too_close"] for suspect in suspects)
    assert suspects[0]["nearest_image_id"].startswith("train-")


def test_a_child_of_people_without_a_judge_is_held_and_told_what_is_missing(
    snapshot: Snapshot, base: ModelVersion, quality: Path
) -> None:
    verdict = judged(taught(snapshot, base), of_quality(0.9), folder=quality)
    rules = list(verdict.against)
    assert [(rule.name, rule.outcome) for rule in rules] == [("win_rate", "missing")]
    assert "compare the two versions blind" in rules[0].sentence


def test_the_same_gate_done_twice_has_one_verdict_and_report(
    simulated: Snapshot, base: ModelVersion, quality: Path
) -> None:
    verdict = judged(taught(simulated, base), of_quality(0.9), folder=quality)
    Run.objects.filter(pk=verdict.gate.run_id).update(state=State.QUEUED, finished_at=None)
    run = execute_here(verdict.gate.run, write=lambda line: None)
    assert (run.state, run.result) == (State.SUCCEEDED, {"decision": "promote"})
    report = read_report(GateVerdict.objects.get())
    assert report["decision"] == "promote"
    assert len(report["figures"]["images"]) == len(PROMPTS) * 2
    assert report["spec"]["max_kid_rise"] == 0.02


def test_a_verdict_cannot_be_changed(snapshot: Snapshot, base: ModelVersion) -> None:
    verdict = decided(asked(taught(snapshot, base)), judge=None)
    for rows, change in (
        (GateVerdict.objects.all(), {"decision": "promote"}),
        (verdict.rules.all(), {"outcome": "passed"}),
        (Gate.objects.all(), {"spec": {}}),
        (Promotion.objects.all(), {"reason": "none"}),
    ):
        if rows.exists():
            with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
                rows.update(**change)


def test_prompts_that_taught_the_child_or_an_ancestor_are_not_asked(
    snapshot: Snapshot, base: ModelVersion
) -> None:
    child = taught(snapshot, base)
    grandchild = child_of(
        start_finetune(snapshot=snapshot, parent=child, method="dpo_margin"), name="base-1-1"
    )
    assert taught_prompts(grandchild) == {"edema"}
    with pytest.raises(RemediableError, match="“edema” was taught on"):
        start_gate(grandchild, prompts=["edema", *PROMPTS])
    assert not Gate.objects.exists()


def test_both_versions_are_asked_for_the_same_prompts_and_seeds(
    snapshot: Snapshot, base: ModelVersion
) -> None:
    gate = start_gate(taught(snapshot, base), settings=SMALL)
    asked_of = [
        [(recipe.sample) for recipe in batch.recipes.order_by("batchrecipe__position")]
        for batch in (gate.child_batch, gate.parent_batch)
    ]
    assert asked_of[0] == asked_of[1]
    assert len(asked_of[0]) == len(gate.asked.prompts) * 2
    waiting = set(Run.objects.filter(batches=gate.child_batch).values_list("priority", flat=True))
    assert {gate.run.priority + 1} == waiting
    assert max(waiting) < PRIORITY


def test_a_gate_comes_after_its_images_and_after_those_that_complete_them(
    snapshot: Snapshot, base: ModelVersion
) -> None:
    gate = start_gate(taught(snapshot, base), prompts=PROMPTS, settings=SMALL)
    images = Run.objects.filter(batches__in=[gate.child_batch, gate.parent_batch])
    assert set(gate.run.after.all()) == set(images)
    cancel_batch(gate.child_batch)
    gate.run.refresh_from_db()
    assert gate.run.state == State.FAILED
    assert f"Gate of {gate.child.name}, child" in gate.run.error
    started = make_missing(gate.child_batch)
    gate.run.refresh_from_db()
    assert gate.run.state == State.QUEUED
    of_parent = Run.objects.filter(batches=gate.parent_batch)
    assert set(gate.run.after.all()) == {*started, *of_parent}


def test_a_waiting_gate_and_fine_tune_of_before_come_after_what_they_wait_for(
    snapshot: Snapshot, base: ModelVersion
) -> None:
    """What the migration does with them."""
    gate = start_gate(taught(snapshot, base), prompts=PROMPTS, settings=SMALL)
    gate.run.after.clear()
    row = start_finetune(snapshot=snapshot, parent=base, method="dpo_margin", asks_gate=False)
    silent = start_finetune(snapshot=snapshot, parent=base, method="dpo_margin", asks_gate=False)
    Run.objects.filter(pk=silent.run_id).update(spec={"asks_gate": False})
    Run.objects.filter(kind="ask_gate").delete()
    module = import_module("feedback_app.finetuning.migrations.0010_gates_come_after_their_images")
    module.put_after_images(apps, None)
    module.ask_gates_by_runs(apps, None)
    assert set(gate.run.after.all()) == set(
        Run.objects.filter(batches__in=[gate.child_batch, gate.parent_batch])
    )
    assert list(Run.objects.get(kind="ask_gate").after.all()) == [row.run]


def test_too_few_prompts_and_base_models_are_refused(
    snapshot: Snapshot, base: ModelVersion
) -> None:
    with pytest.raises(RemediableError, match="a gate needs 12"):
        start_gate(taught(snapshot, base), prompts=PROMPTS[:11])
    with pytest.raises(RemediableError, match="base model"):
        start_gate(base)


# Promotion


@pytest.fixture
def child(snapshot: Snapshot, base: ModelVersion) -> ModelVersion:
    return taught(snapshot, base)


def test_a_verdict_that_says_promote_needs_no_reason(child: ModelVersion, cora: User) -> None:
    decided(asked(child))
    promotion = promote_version(child, actor=cora)
    assert promotion is not None
    assert promotion.kind == PromotionKind.BY_GATE
    assert child.is_promoted
    assert AuditEvent.objects.get(action="model.promoted").details["verdict"] == "promote"


@pytest.mark.parametrize("has_verdict", [True, False])
def test_a_hold_or_no_verdict_is_overruled_with_a_reason_only(
    child: ModelVersion, cora: User, *, has_verdict: bool
) -> None:
    if has_verdict:
        decided(asked(child), judge=None)
    assert needs_reason(child)
    with pytest.raises(RemediableError, match="says hold" if has_verdict else "not been asked"):
        promote_version(child, actor=cora, reason="  ")
    promotion = promote_version(child, actor=cora, reason="The readers prefer it.")
    assert promotion is not None
    assert promotion.kind == PromotionKind.OVERRULED
    event = AuditEvent.objects.get(action="model.overruled")
    assert (event.actor, event.details["reason"]) == (cora, "The readers prefer it.")


def test_going_back_takes_promotions_back_one_by_one(base: ModelVersion, cora: User) -> None:
    Promotion.objects.create(version=base, kind=PromotionKind.FIRST)
    others = [
        ModelVersion.objects.create(name=name, location="x", sha256="2" * 64) for name in ("b", "c")
    ]
    for other in others:
        promote(other)
    assert go_back(actor=cora).version == others[0]
    assert go_back(actor=cora).version == base
    with pytest.raises(RemediableError, match="No version was promoted before"):
        go_back(actor=cora)
    assert ModelVersion.objects.get(is_promoted=True) == base
    assert Promotion.objects.count() == 5


def scheduled(child: ModelVersion, *, promotes: bool) -> None:
    design = ScheduleDesign(
        name="Nightly", at=time(2), min_new_pairs=5, promotes_by_itself=promotes
    )
    FineTune.objects.filter(model_version=child).update(schedule=save_schedule(design))


@pytest.mark.parametrize("promotes", [True, False])
def test_a_schedule_promotes_by_itself_only_where_it_says_so(
    child: ModelVersion, *, promotes: bool
) -> None:
    scheduled(child, promotes=promotes)
    decided(asked(child))
    child.refresh_from_db()
    assert child.is_promoted == promotes


def test_no_schedule_promotes_a_child_that_is_held(child: ModelVersion) -> None:
    scheduled(child, promotes=True)
    decided(asked(child), judge=None)
    child.refresh_from_db()
    assert not child.is_promoted


def test_a_child_whose_parent_is_promoted_no_more_waits_for_a_person(child: ModelVersion) -> None:
    scheduled(child, promotes=True)
    promote(ModelVersion.objects.create(name="other", location="x", sha256="3" * 64))
    decided(asked(child))
    child.refresh_from_db()
    assert not child.is_promoted


def test_the_report_holds_every_figure(child: ModelVersion) -> None:
    verdict = decided(asked(child))
    assert json.loads(verdict.report.read())["figures"]["judge"] == good_figures()["judge"]
