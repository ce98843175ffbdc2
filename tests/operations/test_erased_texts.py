"""What is written of a cohort's patients goes with it, and what rests on it says so."""

import json
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from feedback_app.accounts.models import User
from feedback_app.experiments.models import OwnGenerator
from feedback_app.experiments.services.manifests import freeze
from feedback_app.images.blobs.models import Blob
from feedback_app.images.blobs.services import store
from feedback_app.images.cohorts.models import Cohort
from feedback_app.images.versions.folders import location_of
from feedback_app.readings.report_models import WrittenReport
from feedback_app.readings.services import GivenReport
from feedback_app.readings.training_models import TrainingAnswer, TrainingSlot
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run, State
from feedback_app.studies.models import (
    CaseText,
    DraftSet,
    GoldAnswer,
    ReportDraft,
    Study,
    StudyState,
    TrainingCase,
    TrainingImage,
    TrainingReference,
    TrainingText,
)
from feedback_app.vlms.asking import find_with_benchmark
from feedback_app.vlms.learning.finetunes import LESSONS
from feedback_app.vlms.learning.gates import held_out
from feedback_app.vlms.learning.models import ReportSnapshot
from feedback_app.vlms.learning.snapshots import retake_report_snapshot, take_report_snapshot
from feedback_app.vlms.models import VlmVerdict
from generation.errors import RemediableError
from generation.specs import TrainingImage as Line
from tests.readings.answers import read
from tests.readings.rooms import COHORT_NAME, assign, make_room, synthetic
from tests.vlms.made import (
    LONG_DRAFT,
    asked_cohort,
    being_gated,
    being_taught,
    brought,
    built,
    report_readings,
)

pytestmark = pytest.mark.django_db


def erase(name: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transaction, "on_commit", lambda act, **_: act())
        call_command("erase", "cohort", name, "--yes")


def test_reports_go_from_cases_readings_snapshots_trainings_and_gates(
    rosa: User, cora_client: Client, storage: Path
) -> None:
    real = report_readings(rosa, taught=6, held_out=2)
    of_candidates(rosa)
    snapshot = take_report_snapshot("All of them")
    words = LONG_DRAFT.encode()
    before, content = snapshot.sha256, snapshot.blob.read()
    assert words in content and len(snapshot.lines) == 10 and held_out(snapshot)
    tune = being_taught(snapshot)
    gate = being_gated(tune, built(asked_cohort(test=8)))
    folder = storage / "runs" / "taught"
    folder.mkdir(parents=True)
    (folder / LESSONS).write_bytes(content)
    Run.objects.filter(pk=tune.run_id).update(spec={"run_dir": location_of(folder)})
    drafts = DraftSet.objects.create(name="elsewhere")
    picture = next(one["image"] for one in snapshot.lines if one["kind"] == "accepted")
    ReportDraft.objects.create(of_set=drafts, sha256=picture, text=LONG_DRAFT)
    shown = [{"image": picture, "child": "a", "parent": "b", "preferred": LONG_DRAFT}]
    VlmVerdict.objects.create(gate=gate, decision="hold", report={"rules": [], "reports": shown})
    trained = answer_in_training(real, rosa)
    Study.objects.update(state=StudyState.CLOSED)

    with pytest.raises(CommandError, match="is not over"):
        call_command("erase", "cohort", COHORT_NAME, "--yes")
    Run.objects.update(state=State.SUCCEEDED, finished_at=timezone.now())
    shares = WrittenReport.objects.values_list("changed_words", "is_accepted").order_by("pk")
    kept = list(shares)
    erase(COHORT_NAME)

    gone = CaseText.objects.exclude(erased_sha256="")
    assert gone.count() == 8 and set(gone.values_list("case__study", flat=True)) == {real.pk}
    assert {text.split()[0] for text in gone.values_list("text", flat=True)} == {"█"}
    assert all(
        len(text.split()) == len(LONG_DRAFT.split()) for text in gone.values_list("text", flat=True)
    )
    assert WrittenReport.objects.filter(erased_sha256="").count() == 2
    assert list(shares.all()) == kept  # what readers did to drafts is no text
    assert not ReportDraft.objects.exists() and not (folder / LESSONS).exists()
    trained.refresh_from_db()
    assert trained.content["report"]["text"] == TrainingText.objects.get().text == "█ █"
    assert not GoldAnswer.objects.exists() and not TrainingReference.objects.exists()
    snapshot = ReportSnapshot.objects.get()
    assert (snapshot.erased_sha256, snapshot.erased_count, len(snapshot.lines)) == (before, 8, 2)
    assert all(
        set(line) == {"kind", "is_held_out", "erased"} for line in snapshot.kept if "erased" in line
    )
    assert not Blob.objects.filter(pk=before).exists()
    assert not [path for path in storage.rglob("*") if path.is_file() and picture in str(path)]
    assert VlmVerdict.objects.get().report == {"rules": [], "reports": [], "erased": 1}
    assert len(retake_report_snapshot(snapshot).lines) == 2
    for page, said in (
        (reverse("vlms:report-snapshot", args=[snapshot.pk]), "8 lessons, with their cohort"),
        (reverse("vlms:gate", args=[gate.pk]), "cannot be made again"),
        (reverse("readings:results-cases", args=[real.pk]), "Erased with its cohort"),
    ):
        assert said in cora_client.get(page).content.decode(), page
    for rows, change in (
        (WrittenReport.objects, {"text": "x"}),
        (ReportSnapshot.objects, {"erased_sha256": "x"}),
    ):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            rows.update(**change)


def answer_in_training(study: Study, reader: User) -> TrainingAnswer:
    """A training and a gold case on the study's first image, answered in words."""
    shown, criterion = study.cases.earliest("position"), study.criteria.get()
    image = shown.images.get()
    GoldAnswer.objects.create(case=shown, criterion=criterion, image=image, text="An effusion.")
    case = TrainingCase.objects.create(study=study, position=0)
    TrainingImage.objects.create(case=case, image=image, position=0)
    TrainingText.objects.create(case=case, position=0, source="a model", text="Two words.")
    TrainingReference.objects.create(
        case=case, criterion=criterion.slug, image=image, text="An effusion."
    )
    slot = TrainingSlot.objects.create(
        study=study, case=case, reader=reader, round=1, position=0, image_order=[0]
    )
    return TrainingAnswer.objects.create(
        slot=slot, idempotency_key=uuid4(), content={"report": {"text": "Two words."}}, asked=1,
        right=1,
    )  # fmt: skip


def of_candidates(reader: User) -> Study:
    """Reports of synthetic images, which are no patient's."""
    texts = [("a model", "Effusion on the left.")]
    study = make_room("write_report", reader, cases=[[synthetic(1)], [synthetic(2)]], texts=texts,
                      name="Candidates")  # fmt: skip
    for slot in assign(study, reader):
        read(slot, report=GivenReport("No effusion.", ["style"]))
    return study


def test_sets_and_generators_that_hold_its_pictures_go_and_their_figures_stay(
    cora_client: Client, ada_client: Client, storage: Path
) -> None:
    cohort = asked_cohort(test=8)
    row = built(cohort)
    result = brought(row)
    figures = list(result.scores.values_list("value", flat=True))
    copy = store(b"a near copy", media_type="image/png")
    made = Line(path=copy.sha256, image_id="1", patient="synthetic", split="train")
    run = runs.start("own_generator", title="Generator", spec={"cohort": cohort.name})
    own = OwnGenerator.objects.create(
        content_hash="0" * 64, cohort_name=cohort.name, real_size=2, settings={}, run=run,
        learnt_from=freeze([made]), manifest=freeze([made]), seconds=1.0,
    )  # fmt: skip
    weights = storage / "runs" / str(run.pk) / "model"
    weights.mkdir(parents=True)
    with pytest.raises(CommandError, match="is not over"):
        call_command("erase", "cohort", cohort.name, "--yes")
    Run.objects.update(state=State.SUCCEEDED, finished_at=timezone.now())
    erase(cohort.name)

    row.refresh_from_db()
    own.refresh_from_db()
    assert row.erased_at and own.erased_at and Cohort.objects.get().erased_at
    assert not row.path.exists() and not result.path.exists() and not weights.exists()
    assert not Blob.objects.filter(pk=copy.pk).exists()
    with pytest.raises(RemediableError, match="was erased with its cohort"):
        Blob.objects.get(pk=own.manifest_id).read()
    assert list(result.scores.values_list("value", flat=True)) == figures
    for page in ("set", "benchmark"):
        shown = cora_client.get(reverse(f"vlms:{page}", args=[row.pk])).content.decode()
        assert "cannot be made again" in shown
    assert ada_client.get(reverse("vlms:set-download", args=[row.pk])).status_code == 404
    assert cora_client.get(reverse("vlms:picture", args=[result.pk, 0])).status_code == 404
    with pytest.raises(RemediableError, match="was erased with a cohort"):
        find_with_benchmark(row.name)
    assert json.dumps(row.card["splits"])
