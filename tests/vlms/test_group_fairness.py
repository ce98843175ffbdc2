"""Classifiers of an experiment, and scorers, are compared by group of patients, by a run."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import torch
from django.test import Client
from django.urls import reverse

from feedback_app.images.blobs.services import store
from feedback_app.images.models import Cohort, Image, Scorer
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run
from feedback_app.vlms.fairness import Said, reports_of
from generation.downstream.classifier import Classifier, ClassifierConfig, build_densenet
from tests.experiments.making import (
    design,
    fill,
    finish,
    make_cohort,
    predictions_of,
    started,
    test_rows,
)


def said(number: int, *, shift: float) -> Said:
    """Everything is found likelier in women, by ``shift``."""
    randomness = np.random.default_rng(number)
    is_ill, is_woman = bool(number % 2), number % 4 < 2
    score = float(np.clip(randomness.normal(0.6 if is_ill else 0.4, 0.1), 0, 1))
    return Said(
        patient=str(number),
        truth={"pneumonia": is_ill},
        probability={"pneumonia": score + (shift if is_woman else 0)},
        traits={"sex": "female" if is_woman else "male", "age": "", "view": "PA", "race": ""},
    )


def test_a_shift_of_one_sexs_scores_is_found_and_an_even_judge_is_not_accused() -> None:
    for shift, expected in ((0.2, True), (0.0, False)):
        (report,) = reports_of("made up", [said(number, shift=shift) for number in range(200)])
        sexes = next(one for one in report["attributes"] if one["attribute"] == "sex")
        assert sexes["is_biased"] is expected
        assert {group["images"] for group in sexes["groups"]} == {100}
    assert reports_of("too few", [said(number, shift=0) for number in range(30)]) == []


@pytest.mark.django_db
def test_an_experiments_page_compares_its_arms_by_a_run(cora_client: Client) -> None:
    cohort = make_cohort("trial", train=4, validation=2, test=44)
    values: dict[str, Any] = {"arms": ["real", "transformed"], "real_sizes": [2], "ratios": [1],
              "primary": {"arm": "transformed", "real_size": 2, "ratio": 1}}  # fmt: skip
    experiment = started(design(cohort, **values))
    fill(experiment, gains={"transformed": 0.5})
    address = reverse("vlms:experiment-groups", args=[experiment.pk])
    assert b"not been compared" in cora_client.get(address).content
    cora_client.post(address)
    run = Run.objects.get(kind="experiment_fairness")
    done = runs.execute(run.pk)
    assert done is not None
    assert done.state == "succeeded", done.error
    reports = done.result["reports"]
    assert [one["images"] for one in reports] == [44, 44]
    assert "Real" in reports[0]["source"]
    page = cora_client.get(address).content.decode()
    assert reports[0]["finding"].capitalize() in page
    plot = cora_client.get(reverse("vlms:group-plot", args=[run.pk, 0]))
    assert plot.content.startswith(b"<svg")


@pytest.mark.django_db
def test_classifiers_of_an_experiment_are_accused_where_a_bias_was_planted_alone(
    cora_client: Client,
) -> None:
    cohort = make_cohort("trial", train=4, validation=2, test=88)
    values: dict[str, Any] = {"arms": ["real", "transformed"], "real_sizes": [2], "ratios": [1],
              "primary": {"arm": "transformed", "real_size": 2, "ratio": 1}}  # fmt: skip
    experiment = started(design(cohort, **values))
    rows = test_rows(experiment)
    for cell in experiment.cells.order_by("pk"):
        is_biased = cell.arm == "transformed"
        finish(cell, [shifted(one, by=0.3 * is_biased) for one in
                      predictions_of(cell, rows, gain=0, noise=0.4)])  # fmt: skip
    address = reverse("vlms:experiment-groups", args=[experiment.pk])
    even, biased = compared(address, cora_client)
    assert (of_sex(even)["is_biased"], of_sex(biased)["is_biased"]) == (False, True)


def shifted(prediction: dict[str, Any], *, by: float) -> dict[str, Any]:
    """The same with everything found likelier in women."""
    more = by if prediction["sex"] == "F" else 0
    return prediction | {
        "probability": {name: value + more for name, value in prediction["probability"].items()}
    }


@pytest.mark.django_db
def test_a_scorers_page_accuses_it_where_a_bias_was_planted_alone(
    cora_client: Client, tmp_path: Path
) -> None:
    follows_brightness(tmp_path)
    for name, shift in (("even", 0), ("biased", 30)):
        scorer = Scorer.objects.create(
            name=name, kind="classifier", location=str(tmp_path), sha256="0" * 64,
            cohort=cohort_of_brightness(name, shift=shift), is_active=False,
        )  # fmt: skip
        address = reverse("vlms:scorer-groups", args=[scorer.pk])
        (report,) = compared(address, cora_client)
        assert of_sex(report)["is_biased"] is bool(shift)
        assert {group["images"] for group in of_sex(report)["groups"]} == {44}
        page = cora_client.get(address).content.decode()
        assert ('<span class="badge failed">yes</span>' in page) is bool(shift)


def follows_brightness(folder: Path) -> None:
    """Save a classifier of random weights whose answer grows with brightness below 128."""
    torch.manual_seed(1)
    config = ClassifierConfig(
        findings=("pneumonia",), resolution=32, network="tiny", validation_auroc=0.5
    )
    network = Classifier(build_densenet("tiny", outputs=1), config)
    plain = [np.full((16, 16), value, np.uint8) for value in range(0, 128, 8)]
    assert (np.diff(network.probabilities(plain)[:, 0].numpy()) > 0).all()
    network.save(folder)


def cohort_of_brightness(name: str, *, shift: int) -> Cohort:
    """Test pictures, brighter of the ill, and of women by ``shift``."""
    cohort = make_cohort(name, test=88)
    randomness = np.random.default_rng(0)
    rows = cohort.images.filter(patient__split="test").select_related("patient")
    for number, row in enumerate(rows.order_by("source_id")):
        is_ill = "pneumonia" in row.findings
        bright = 55 + 15 * is_ill + shift * (row.patient.sex == "F") + randomness.normal(0, 8)
        pixels = np.full((16, 16), round(bright), np.uint8)
        pixels[0, 0] = number  # no two are alike
        file = io.BytesIO()
        PIL.Image.fromarray(pixels).save(file, format="PNG")
        blob = store(file.getvalue(), media_type="image/png")
        Image.objects.filter(pk=row.image_id).update(blob=blob)
    return cohort


def compared(address: str, client: Client) -> list[dict[str, Any]]:
    """Ask for it on the page; what the run found."""
    client.post(address)
    done = runs.execute(Run.objects.filter(finished_at=None).latest("created_at").pk)
    assert done is not None and done.state == "succeeded", done and done.error
    reports: list[dict[str, Any]] = done.result["reports"]
    return reports


def of_sex(report: dict[str, Any]) -> dict[str, Any]:
    (found,) = (one for one in report["attributes"] if one["attribute"] == "sex")
    return dict(found)


@pytest.mark.django_db
def test_a_scorer_without_findings_is_not_compared(cora_client: Client) -> None:
    scorer = Scorer.objects.create(name="draws lungs", kind="segmenter", location="x",
                                   sha256="0" * 64)  # fmt: skip
    address = reverse("vlms:scorer-groups", args=[scorer.pk])
    answer = cora_client.post(address, follow=True)
    assert b"says nothing of findings" in answer.content
    assert not Run.objects.filter(kind="scorer_fairness").exists()
