"""One of everything, as in an installation that is in use: for tests that look at all pages."""

from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import Any

from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.curation.models import CuratedSet
from feedback_app.curation.services import apply_policy, create_policy
from feedback_app.experiments.models import Cell, Experiment
from feedback_app.experiments.services.experiments import create_experiment
from feedback_app.exports.models import Export
from feedback_app.exports.services import start_export
from feedback_app.finetuning.models import FineTune, Gate, Schedule, Snapshot
from feedback_app.finetuning.services import save_schedule, start_finetune, take_snapshot
from feedback_app.finetuning.services.schedules import ScheduleDesign
from feedback_app.images.models import (
    Batch,
    Mask,
    ModelVersion,
    PromptSetVersion,
    Scorer,
    ScorerKind,
)
from feedback_app.images.prompts.services import create_set
from feedback_app.readings.retraction_models import Retraction
from feedback_app.readings.services.retractions import retract
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run
from feedback_app.studies.models import Case, DraftSet, Slot, Study
from feedback_app.studies.services import add_cases_from_batch, create_study
from feedback_app.vlms.asking import ask_of_image
from feedback_app.vlms.learning.gate_models import VlmGate
from feedback_app.vlms.learning.models import ReportSnapshot, VlmFineTune
from feedback_app.vlms.learning.snapshots import take_report_snapshot
from feedback_app.vlms.models import BenchmarkResult, ImageQuestion
from feedback_app.vlms.requests import QuestionRequest
from tests.curation.stage import Stage, set_stage
from tests.experiments.making import design, fill, make_cohort, started
from tests.finetuning.gate_world import asked, child_of, decided
from tests.images.cohort_folders import grey, import_folder, lay_out, mask_png
from tests.readings.answers import posted_for
from tests.studies.making import make_study
from tests.vlms.made import (
    asked_cohort,
    being_gated,
    being_taught,
    brought,
    built,
    report_readings,
    some_version,
)

COHORT = "ward"


@dataclass(frozen=True, kw_only=True)
class World:
    """Rosa and Ravi read ``study``; ``slot`` is Rosa's and not read yet."""

    study: Study
    slot: Slot
    draft: Study
    case: Case
    stage: Stage
    batch: Batch
    version: ModelVersion
    scorer: Scorer
    prompt_set: PromptSetVersion
    mask: Mask
    curated_set: CuratedSet
    export: Export
    snapshot: Snapshot
    fine_tune: FineTune
    gate: Gate
    schedule: Schedule
    run: Run
    experiment: Experiment
    draft_experiment: Experiment
    cell: Cell
    benchmark_result: BenchmarkResult
    image_question: ImageQuestion
    draft_set: DraftSet
    report_snapshot: ReportSnapshot
    vlm_fine_tune: VlmFineTune
    vlm_gate: VlmGate
    retraction: Retraction
    """It takes back a reader who read nothing that the others rest on."""


def build_world(*, rosa: User, ravi: User, cora: User, folder: Path) -> World:
    study = make_study(rosa, ravi, name="November")
    first, slot = study.slots.filter(reader=rosa).order_by("position")
    read(first)
    stage = set_stage(rosa, ravi, name="Single images")
    for index, score in enumerate((5, 4, 4)):
        stage.read(rosa, index, score)
        stage.read(ravi, index, score - 1)
    lay_out(
        folder, {"a.png": grey(1), "b.png": grey(2), "bad.png": b"="}, masks={"a.png": mask_png()}
    )
    import_run = import_folder(folder, name=COHORT)
    policy = create_policy("Night 1", studies=[stage.study], min_mean_scores={"realism": 2.5})
    curated_set = apply_policy(policy)
    export = start_export(curated_set)
    runs.execute(export.run_id)
    export.refresh_from_db()
    snapshot = take_snapshot(name="Monday", simulated=False)
    version = ModelVersion.objects.earliest("pk")
    draft = make_draft(study, rosa, cora)
    fine_tune = trained(snapshot, version)
    gate = asked(child_of(fine_tune))
    decided(gate)
    experiment, draft_experiment = experiments()
    reports = take_report_snapshot("Reports", studies=[report_readings(rosa)])
    taught, result = being_taught(reports), brought(built(asked_cohort("asked", test=6)))
    return World(
        study=study,
        slot=slot,
        draft=draft,
        case=draft.cases.earliest("position"),
        stage=stage,
        batch=Batch.objects.earliest("created_at"),
        version=version,
        scorer=Scorer.objects.create(
            name="sees findings", kind=ScorerKind.CLASSIFIER, location="x", sha256="2" * 64
        ),
        prompt_set=create_set("Effusions", ["left effusion", "right effusion"], origin="written"),
        mask=Mask.objects.get(),
        curated_set=curated_set,
        export=export,
        snapshot=snapshot,
        fine_tune=fine_tune,
        gate=gate,
        schedule=save_schedule(ScheduleDesign(name="Nightly", at=time(2), min_new_pairs=5)),
        run=import_run,
        experiment=experiment,
        draft_experiment=draft_experiment,
        cell=experiment.cells.earliest("pk"),
        benchmark_result=result,
        image_question=question(stage),
        draft_set=DraftSet.objects.create(name="a model elsewhere"),
        report_snapshot=reports,
        vlm_fine_tune=taught,
        vlm_gate=being_gated(taught, result.instruction_set),
        retraction=retract(reader=make_stranger(), reason="They read the wrong studies."),
    )


def question(stage: Stage) -> ImageQuestion:
    asked = QuestionRequest(
        version=some_version().name,
        image=str(stage.candidates[0].pk),
        question="Which view is this?",
        options=("PA", "AP"),
    )
    return ask_of_image(asked)


def experiments() -> tuple[Experiment, Experiment]:
    """One that is finished, and a draft."""
    cohort = make_cohort("trial", train=4, validation=2, test=20)
    transformed: dict[str, Any] = {
        "arms": ["real", "transformed"],
        "real_sizes": [2, 4],
        "ratios": [1, 2],
        "primary": {"arm": "transformed", "real_size": 2, "ratio": 1},
    }
    finished = started(design(cohort, **transformed))
    fill(finished, gains={"transformed": 0.5})
    finished.refresh_from_db()
    return finished, create_experiment(design(cohort, name="Longer", **transformed))


def trained(snapshot: Snapshot, version: ModelVersion) -> FineTune:
    """Queued as ever, with the curve that it would have at its end."""
    fine_tune = start_finetune(snapshot=snapshot, parent=version, method="dpo_margin")
    fine_tune.curve = {"step": [1, 2], "loss": [0.7, 0.6], "accuracy": [0.5, 0.6]}
    fine_tune.save(update_fields=["curve"])
    return fine_tune


def make_stranger() -> User:
    return User.objects.create_user("remy", first_name="Remy")


def read(slot: Slot) -> None:
    """The slot's reader scores its images, the first best."""
    body = posted_for(slot)
    for score in body["scores"]:
        score["value"] = 5 - score["place"]
    client = Client()
    assert slot.reader is not None
    client.force_login(slot.reader)
    address = reverse("api:readings", args=[slot.pk])
    answer = client.post(address, body, content_type="application/json")
    assert answer.status_code == 201, answer.content


def make_draft(study: Study, rosa: User, cora: User) -> Study:
    draft = create_study(
        name="December", mode="rate", readers=[rosa], readers_per_case=1, created_by=cora
    )
    add_cases_from_batch(draft, Batch.objects.earliest("created_at"))
    return draft
