"""A schedule's night with a tiny real model: new readings, training, gate, verdict, report."""

from datetime import time
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse

from feedback_app.finetuning.models import Gate
from feedback_app.finetuning.services import follow_schedule, save_schedule
from feedback_app.finetuning.services.schedules import ScheduleDesign
from feedback_app.images.candidates.batches import Settings, create_batch
from feedback_app.images.models import Batch, ModelVersion
from feedback_app.images.versions.services import register
from feedback_app.rehearsal.simulation import simulate_readings, staff_and_open
from feedback_app.runs.console import execute_here
from feedback_app.runs.models import Run, State
from feedback_app.studies.services import add_cases_from_batch, create_study
from generation.quality import gate_spec
from tests.finetuning.synthetic_xrays import save_quality
from tests.tiny_model import save_tiny_model

PROMPTS = ["chest x-ray, edema", "chest x-ray, effusion"]
FLIPPED = {"steps": 4, "batch_size": 4, "rank": 2, "learning_rate": 3e-2, "beta": 5_000.0}


def finish(run: Run) -> Run:
    done = execute_here(run, write=lambda line: None)
    assert (done.state, done.error) == (State.SUCCEEDED, "")
    return done


@pytest.fixture
def tiny(db: None, tmp_path: Path) -> ModelVersion:
    folder = save_tiny_model(tmp_path / "tiny")
    save_quality(folder / "quality")
    return register("tiny", str(folder))


@pytest.fixture
def batch(tiny: ModelVersion) -> Batch:
    made = create_batch(
        "Read", model_version=tiny, prompts=PROMPTS, images_per_prompt=4, settings=Settings(steps=2)
    )
    for run in made.runs.unfinished():
        finish(run)
    return made


@pytest.mark.slow
@pytest.mark.usefixtures("trainings_beside")
def test_a_night_ends_with_a_verdict_and_a_bad_child_is_not_promoted(
    batch: Batch, tiny: ModelVersion, cora_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too steep a training on a model of random weights makes nothing better."""
    monkeypatch.setattr(gate_spec, "PROMPTS_A_FINDING", 2)
    study = create_study(name="Simulated")
    add_cases_from_batch(study, batch)
    simulate_readings(staff_and_open(study, reader_count=8))
    schedule = save_schedule(
        ScheduleDesign(
            name="Nightly",
            at=time(2),
            min_new_pairs=2,
            uses_simulated_readers=True,
            promotes_by_itself=True,
        )
    )
    schedule.settings = FLIPPED
    schedule.save()
    outcome = follow_schedule(schedule)
    assert outcome.fine_tune is not None, outcome.reason
    asking = Run.objects.get(kind="ask_gate")
    assert finish(asking).result["prompts"] == 12  # with the training, which comes before it
    result = Run.objects.get(fine_tune=outcome.fine_tune).result
    gate = Gate.objects.get(child__name=result["model_version"])
    assert len(gate.asked.prompts) == 12
    assert not set(gate.asked.prompts) & set(PROMPTS)
    assert finish(gate.run).result == {"decision": "hold"}
    tiny.refresh_from_db()
    assert tiny.is_promoted
    failed = set(gate.verdict.against.values_list("name", flat=True))
    assert "ms_ssim" in failed  # pictures of 32 pixels are too small for it
    page = cora_client.get(reverse("finetuning:gate", args=[gate.pk])).content.decode()
    assert "Hold: " in page
    assert follow_schedule(schedule).fine_tune is None
