"""Training a base model of one's own, by the command."""

import io
import json
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from django.core.management import CommandError, call_command

from feedback_app.images.blobs.services import store_image
from feedback_app.images.candidates.batches import Settings, create_batch
from feedback_app.images.measures import NEAREST_TRAINING_IMAGE
from feedback_app.images.models import (
    Candidate,
    Cohort,
    CohortImage,
    Measure,
    ModelVersion,
    Patient,
    Split,
)
from feedback_app.images.versions.folders import path_of
from feedback_app.images.versions.pretraining import start_pretraining
from feedback_app.runs.models import Run, State
from feedback_app.runs.tasks import execute

pytestmark = pytest.mark.django_db

SPLITS = (*([Split.TRAIN] * 6), Split.VALIDATION, Split.TEST)
TWO_STEPS = {
    "resolution": 32,
    "feature_steps": 2,
    "autoencoder_steps": 2,
    "decoder_steps": 2,
    "latent_versions": 2,
    "denoiser_steps": 2,
    "batch_size": 2,
}


@pytest.fixture
def cohort(db: None) -> Cohort:
    """Eight patients with one image of noise each."""
    cohort = Cohort.objects.create(name="noise", source="folder")
    for number, split in enumerate(SPLITS):
        patient = Patient.objects.create(
            cohort=cohort, source_id=f"p{number}", split=split, sex="F"
        )
        pixels = np.random.default_rng(number).integers(0, 256, (40, 40), dtype=np.uint8)
        file = io.BytesIO()
        PIL.Image.fromarray(pixels).save(file, format="PNG")
        CohortImage.objects.create(
            image=store_image(file.getvalue(), name="noise"),
            cohort=cohort,
            patient=patient,
            source_id=f"{number}.png",
            findings=["pneumonia"] if number % 2 else [],
            view="PA",
            age_years=50,
        )
    return cohort


def test_the_manifest_lists_every_image_with_its_file_and_split(cohort: Cohort) -> None:
    run = start_pretraining(cohort, name="mine", settings=TWO_STEPS)
    lines = (path_of(run.spec["run_dir"]) / "manifest.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["image_id"] for row in rows] == [f"{number}.png" for number in range(8)]
    assert [row["split"] for row in rows] == [str(split) for split in SPLITS]
    assert all(Path(row["path"]).is_file() for row in rows)
    assert (rows[1]["findings"], rows[1]["sex"], rows[1]["age_years"]) == (["pneumonia"], "F", 50)


@pytest.mark.slow
@pytest.mark.usefixtures("trainings_beside")
def test_pretrain_gives_a_model_version_that_makes_and_measures_candidates(cohort: Cohort) -> None:
    call_command("pretrain", "noise", name="mine", now=True, **TWO_STEPS)
    version = ModelVersion.objects.get(name="mine")
    assert (version.method, version.resolution, version.parent) == ("pretrain", 32, None)
    batch = create_batch(
        "first",
        model_version=version,
        prompts=["chest x-ray, pneumonia"],
        images_per_prompt=2,
        settings=Settings(steps=2),
    )
    run = batch.runs.get()
    execute(run_id=str(run.pk))
    execute(run_id=str(run.pk))
    run.refresh_from_db()
    assert (run.state, run.error, run.result["made"]) == (State.SUCCEEDED, "", 2)
    close = Measure.objects.filter(scorer=NEAREST_TRAINING_IMAGE)
    assert Candidate.objects.count() == close.count() == 2
    measure = close.first()
    assert measure is not None
    assert -1.0 <= measure.value <= 1.001
    assert {"threshold", "is_too_close", "nearest_image_id"} == set(measure.details)
    # The training that is done twice registers the same version.
    pretrain = Run.objects.get(kind="pretrain")
    Run.objects.filter(pk=pretrain.pk).update(state=State.QUEUED, finished_at=None)
    execute(run_id=str(pretrain.pk))
    pretrain.refresh_from_db()
    assert (pretrain.state, pretrain.error) == (State.SUCCEEDED, "")
    assert ModelVersion.objects.count() == 1
    goes_further(version)


def goes_further(version: ModelVersion) -> None:
    """All weights may change, so it is a base model; its references hold what both saw."""
    options = {"latent_versions": 1, "steps": 2, "batch_size": 2}
    call_command("continue_training", "mine", "noise", name="further", now=True, **options)
    further = ModelVersion.objects.get(name="further")
    assert (further.method, further.resolution, further.parent) == ("continued", 32, None)
    assert Run.objects.get(kind="continue_training").spec["upon"] == version.pk
    parent, child = (
        json.loads((path_of(one.location) / "quality" / "reference.json").read_text())
        for one in (version, further)
    )
    assert child["train_image_ids"] == 2 * parent["train_image_ids"]


def test_what_cannot_be_trained_is_named(cohort: Cohort, version: ModelVersion) -> None:
    Cohort.objects.create(name="empty", source="folder")
    for arguments, said in (
        (("nobody",), "no cohort 'nobody'"),
        (("empty",), "no image in its training split"),
        (("noise", "--name", "tiny"), "already"),
        (("noise", "--resolution", "33"), "resolution = '33'"),
    ):
        with pytest.raises(CommandError, match=said):
            call_command("pretrain", *arguments)
    refused: tuple[tuple[tuple[str, ...], str], ...] = (
        (("nobody", "noise"), "no model version 'nobody'"),
        (("tiny", "empty"), "no image in its train split"),
        (("tiny", "noise", "--steps", "0"), "steps = '0'"),
        (("tiny", "noise", "--sex-contrast", "-1"), "sex_contrast = '-1'"),
    )
    for further, said in refused:
        with pytest.raises(CommandError, match=said):
            call_command("continue_training", *further)
    assert not Run.objects.exists()
