"""Making a model version follow masks, by the command and a real child process."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from feedback_app.images.blobs.services import store, store_image
from feedback_app.images.candidates.tasks.pipelines import pipeline_of
from feedback_app.images.models import Cohort, CohortImage, Mask, ModelVersion
from feedback_app.images.versions.controlnets import start_controlnet
from feedback_app.images.versions.folders import hash_model, path_of
from feedback_app.runs.models import Run
from tests.tiny_model import save_tiny_model

pytestmark = pytest.mark.django_db

JSON = "application/json"
TWO_STEPS = {"steps": 2, "latent_versions": 1, "batch_size": 2}


def encode(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    PIL.Image.fromarray(pixels).save(file, format="PNG")
    return file.getvalue()


@pytest.fixture
def cohort(db: None) -> Cohort:
    """Two training images: one with a lung mask, one without."""
    cohort = Cohort.objects.create(name="noise", source="folder")
    patient = cohort.patients.create(source_id="p", split="train")
    for number in range(2):
        pixels = np.random.default_rng(number).integers(0, 256, (40, 40), dtype=np.uint8)
        CohortImage.objects.create(
            image=store_image(encode(pixels), name="noise"),
            cohort=cohort,
            patient=patient,
            source_id=f"{number}.png",
        )
    image = cohort.images.get(source_id="1.png")
    lungs = np.zeros((40, 40), dtype=np.uint8)
    lungs[5:30, 5:30] = 255
    Mask.objects.create(
        cohort_image=image, kind="lungs", blob=store(encode(lungs), media_type="image/png")
    )
    return cohort


def test_the_manifest_names_the_masks_of_every_image(cohort: Cohort, version: ModelVersion) -> None:
    run = start_controlnet(version, cohort, name="masks", settings=TWO_STEPS)
    lines = (path_of(run.spec["run_dir"]) / "manifest.jsonl").read_text().splitlines()
    first, second = (json.loads(line)["masks"] for line in lines)
    assert first == {}
    assert sorted(second) == ["lungs"]
    assert (np.asarray(PIL.Image.open(second["lungs"])) > 0).sum() == 25 * 25


def test_programs_ask_for_trainings_as_commands_do(
    cohort: Cohort, version: ModelVersion, cora_client: Client
) -> None:
    def ask(action: str, *args: int, **body: object) -> Any:
        address = reverse(f"api:model-version-{action}", args=args)
        return cora_client.post(address, {"cohort": "noise"} | body, content_type=JSON)

    pretrained = ask("pretrain", settings={"resolution": 64, "seed": 3})
    assert pretrained.status_code == 202, pretrained.content
    run = Run.objects.get(pk=pretrained.json()["id"])
    assert (run.kind, run.spec["name"], str(run.created_by)) == ("pretrain", "noise-base", "Cora")
    spec = json.loads((path_of(run.spec["run_dir"]) / "spec.json").read_text())
    assert (spec["resolution"], spec["seed"]) == (64, 3)
    taught = ask("train-controlnet", version.pk, name="masks", settings=TWO_STEPS)
    assert (taught.status_code, taught.json()["kind"]) == (202, "train_controlnet")
    further = ask("continue-training", version.pk)
    assert "validation split" in further.json()["error"]["message"]
    for body, place in (
        ({"cohort": "nowhere"}, {"cohort"}),
        ({"name": version.name}, {"name"}),
        ({"settings": {"steps": 0}}, {"settings"}),
        ({"settings": {"manifest": "/etc/passwd"}}, {"settings"}),
        ({"model": "x"}, {"model"}),
    ):
        refused = ask("train-controlnet", version.pk, **body)
        assert (refused.status_code, set(refused.json()["error"]["fields"])) == (400, place)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_version_is_taught_to_follow_masks_once(
    cohort: Cohort, version: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    call_command("train_controlnet", version.name, "noise", now=True, **TWO_STEPS)
    child = ModelVersion.objects.get(name=f"{version.name}-masks")
    assert (child.parent, child.method) == (version, "controlnet")
    assert pipeline_of(child).controlnet.config.conditioning_channels == 7
    with pytest.raises(CommandError, match="already"):
        call_command("train_controlnet", version.name, "noise", now=True, **TWO_STEPS)


def test_what_cannot_be_taught_is_named(cohort: Cohort, version: ModelVersion) -> None:
    Cohort.objects.create(name="empty", source="folder")
    for arguments, said in (
        (("nobody", "noise"), "no model version 'nobody'"),
        ((version.name, "nobody"), "no cohort 'nobody'"),
        ((version.name, "empty"), "no mask in its training split"),
        ((version.name, "noise", "--steps", "0"), "steps = '0'"),
        ((version.name, "noise", "--further"), "no ControlNet to train further"),
    ):
        with pytest.raises(CommandError, match=said):
            call_command("train_controlnet", *arguments)
    assert not Run.objects.exists()


def test_a_controlnet_beside_a_base_model_makes_other_weights_of_it(tmp_path: Path) -> None:
    base = save_tiny_model(tmp_path / "base")
    before = hash_model(str(base))
    (base / "controlnet").mkdir()
    (base / "controlnet" / "diffusion_pytorch_model.safetensors").write_bytes(b"weights")
    assert hash_model(str(base)) != before
