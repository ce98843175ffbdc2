"""Reward models as runs: from readings to a scorer that measures candidates."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.finetuning.models import Snapshot
from feedback_app.finetuning.services import take_snapshot
from feedback_app.finetuning.services.reward_models import start_reward_model
from feedback_app.images.models import Measure, Scorer, ScorerKind
from feedback_app.images.scorers.services import register_scorer
from feedback_app.runs.models import Run, State
from feedback_app.runs.tasks import execute
from feedback_app.studies.models import Slot, Study
from generation.downstream.classifier import Classifier, ClassifierConfig, build_densenet
from generation.errors import RemediableError
from tests.finetuning.read_studies import Read

PROMPTS = ("edema", "effusion", "mass", "nodule", "hernia", "fracture")
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("trainings_here")]


@pytest.fixture
def snapshot(make_study: Callable[..., Study], read: Read, rosa: User) -> Snapshot:
    """Four candidates of each of six prompts, all scored."""
    study = make_study(rosa, prompts=PROMPTS)
    for slot in Slot.objects.filter(study=study):
        read(slot, [5, 4, 2, 0])
    return take_snapshot(name="Monday", simulated=False)


@pytest.fixture
def classifier(db: None, tmp_path: Path) -> Scorer:
    torch.manual_seed(0)
    config = ClassifierConfig(
        findings=("edema", "mass"), resolution=32, network="tiny", validation_auroc=0.5
    )
    Classifier(build_densenet("tiny", outputs=2), config).save(tmp_path / "classifier")
    return register_scorer(
        "labels", tmp_path / "classifier", kind=ScorerKind.CLASSIFIER, figures={}
    )


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_readings_teach_a_reward_model_that_measures_candidates(
    snapshot: Snapshot, classifier: Scorer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    call_command("train_reward_model", "Monday", name="taste", steps=5, now=True)
    scorer = Scorer.objects.get(name="taste")
    assert (scorer.kind, scorer.taught_by_simulated_readers) == (ScorerKind.REWARD_MODEL, False)
    assert {"pair_accuracy", "calibration_error", "test_groups"} <= set(scorer.figures)
    assert (scorer.folder / "trunk" / "classifier.json").is_file()
    assert Run.objects.filter(kind="measure").exists()
    call_command("measure", now=True)
    measures = Measure.objects.filter(scorer="predicted-score", version=scorer.version)
    assert measures.count() == 24
    assert all(0 <= measure.value <= 5 for measure in measures)
    assert all(measure.details["disagreement"] >= 0 for measure in measures)
    # A training that is done twice registers the same scorer.
    run = Run.objects.get(kind="train_reward_model")
    Run.objects.filter(pk=run.pk).update(state=State.QUEUED, finished_at=None)
    execute(run_id=str(run.pk))
    run.refresh_from_db()
    assert (run.state, run.result["scorer"]) == (State.SUCCEEDED, "taste")
    assert Scorer.objects.count() == 2


def test_programs_ask_for_a_reward_model_and_name_no_code(
    snapshot: Snapshot, cora_client: Client, ada_client: Client, tmp_path: Path
) -> None:
    made = Scorer.objects.create(
        name="eye",
        kind=ScorerKind.CLASSIFIER,
        location=str(tmp_path / "eye"),
        sha256="4" * 64,
        is_active=False,
    )

    def ask(client: Client, **body: object) -> Any:
        asked = {"snapshot": "Monday"} | body
        return client.post(reverse("api:reward-models"), asked, content_type="application/json")

    for client, body, place in (
        (cora_client, {"trunk": str(tmp_path)}, {"trunk"}),
        (ada_client, {"trunk": "os:abort"}, {"trunk"}),
        (cora_client, {"trunk": "eye", "settings": {"members": 1}}, {"settings"}),
        (cora_client, {"trunk": "eye", "settings": {"preferences": "/etc/passwd"}}, {"settings"}),
        (cora_client, {"snapshot": "Tuesday"}, {"snapshot"}),
    ):
        refused = ask(client, **body)
        assert (refused.status_code, set(refused.json()["error"]["fields"])) == (400, place)
    row = ask(cora_client, trunk="eye", settings={"members": 2}).json()
    assert (row["name"], row["trunk_scorer"], row["settings"]["members"]) == (
        "Monday-reward", made.name, 2,
    )  # fmt: skip
    assert ask(ada_client, trunk=str(tmp_path), name="other").status_code == 201
    listed = cora_client.get(reverse("api:reward-models"), {"state": "queued"}).json()
    assert listed["count"] == 2


def test_what_cannot_be_trained_is_named(snapshot: Snapshot) -> None:
    with pytest.raises(CommandError, match="no classifier whose features"):
        call_command("train_reward_model", "Monday")
    with pytest.raises(CommandError, match="no snapshot 'Tuesday'"):
        call_command("train_reward_model", "Tuesday")
    with pytest.raises(RemediableError, match="members = 1"):
        start_reward_model(snapshot, name="taste", trunk="a:b", settings={"members": 1})
    assert not Run.objects.exists()
