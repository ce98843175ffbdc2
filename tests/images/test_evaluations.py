"""Evaluations of a model version: by page, API and command, each a run with all figures."""

import io
from pathlib import Path

import pytest
import torch
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from feedback_app.accounts.models import User
from feedback_app.images.models import ModelVersion
from feedback_app.images.versions.evaluations import EvaluationRequest, ask_for_evaluation
from feedback_app.images.versions.services import register
from feedback_app.runs.models import Run
from generation.errors import RemediableError
from generation.measures.features import FeatureNet
from generation.measures.reference import Reference, save_reference
from tests.images.masked import make_masked_cohort
from tests.published_trunk import save_published
from tests.tiny_model import save_tiny_model

pytestmark = pytest.mark.django_db


@pytest.fixture
def measured(tmp_path: Path) -> ModelVersion:
    """A tiny model that came with features of its training images."""
    folder = save_tiny_model(tmp_path / "tiny")
    torch.manual_seed(0)
    FeatureNet().save(folder / "quality")
    embeddings = torch.nn.functional.normalize(torch.randn(4, 128), dim=1)
    reference = Reference(embeddings, ("a", "b", "c", "d"), torch.rand(12, 256), 0.999)
    save_reference(reference, folder / "quality")
    return register("measured", str(folder))


def test_the_command_measures_all_that_it_is_given_networks_for(
    measured: ModelVersion, tmp_path: Path
) -> None:
    make_masked_cohort(train=12, validation=6, test=6)
    trunk = save_published(tmp_path / "trunk")
    printed = io.StringIO()
    call_command(
        "evaluate_version", "measured", "--images", "32", "--steps", "1", "--judge", "",
        "--trunk", str(trunk), "--cohort", "ward", stdout=printed,
    )  # fmt: skip
    run = Run.objects.get(kind="evaluate_version")
    names = {figure["name"] for figure in run.result["figures"]}
    of_both = ("kid", "fid", "precision", "recall", "density", "coverage")
    assert {f"{name}_{slug}" for name in of_both for slug in ("own", "trunk")} <= names
    assert {"copies", "similarity", "fid_trunk_real", "seconds"} <= names
    assert "Recall, second trunk" in printed.getvalue()
    assert "MS-SSIM wants images" in printed.getvalue()  # the tiny model's are of 32 pixels
    assert "No judge was named" in printed.getvalue()


def test_page_and_api_ask_for_it_and_show_its_figures(
    client: Client, cora: User, measured: ModelVersion
) -> None:
    client.force_login(cora)
    page = reverse("images:evaluations", args=[measured.pk])
    assert "No figures yet" in client.get(page).content.decode()
    filled = {"images": 64, "guidance_scale": 1, "steps": 2, "sampler": "ddim"}
    assert client.post(page, filled).status_code == 302
    asked = reverse("api:model-version-evaluate", args=[measured.pk])
    answer = client.post(asked, {"images": 64}, content_type="application/json")
    assert answer.status_code == 202
    result = {
        "images": 64,
        "figures": [{"name": "fid_own", "label": "FID, own features", "value": 1.25,
                     "low": 1.0, "high": 1.5, "note": "of 64 and 12 images"}],
        "notes": ["No second trunk was named."],
    }  # fmt: skip
    made = Run.objects.filter(pk=answer.json()["id"])
    made.update(state="succeeded", result=result, finished_at=timezone.now())
    shown = client.get(page).content.decode()
    assert "1.000 to 1.500" in shown
    assert "No second trunk was named." in shown
    told = client.get(reverse("api:model-version-evaluations", args=[measured.pk])).json()
    assert [run["result"].get("images") for run in told["results"]] == [64, None]


def test_only_an_admin_names_folders_of_the_server(
    cora: User, ada: User, measured: ModelVersion, tmp_path: Path
) -> None:
    for named in ({"judge": str(tmp_path)}, {"trunk": str(tmp_path), "cohort": "ward"}):
        with pytest.raises(RemediableError, match="Only an admin"):
            ask_for_evaluation(EvaluationRequest(**named), measured, created_by=cora)
    with pytest.raises(RemediableError, match="needs real images"):
        ask_for_evaluation(EvaluationRequest(trunk=str(tmp_path)), measured, created_by=ada)
    with pytest.raises(RemediableError, match="There is no folder"):
        ask_for_evaluation(
            EvaluationRequest(trunk="os:getcwd", cohort="ward"), measured, created_by=ada
        )
    make_masked_cohort(train=2, validation=1)
    with pytest.raises(CommandError, match="1 held out"):
        call_command("evaluate_version", "measured", "--trunk", str(tmp_path), "--cohort", "ward")
    assert not Run.objects.filter(kind="evaluate_version").exists()
