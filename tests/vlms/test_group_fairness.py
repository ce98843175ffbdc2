"""Classifiers of an experiment, and scorers, are compared by group of patients, by a run."""

from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from feedback_app.images.models import Scorer
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run
from feedback_app.vlms.fairness import Said, reports_of
from tests.experiments.making import design, fill, make_cohort, started


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
def test_a_scorer_without_findings_is_not_compared(cora_client: Client) -> None:
    scorer = Scorer.objects.create(name="draws lungs", kind="segmenter", location="x",
                                   sha256="0" * 64)  # fmt: skip
    address = reverse("vlms:scorer-groups", args=[scorer.pk])
    answer = cora_client.post(address, follow=True)
    assert b"says nothing of findings" in answer.content
    assert not Run.objects.filter(kind="scorer_fairness").exists()
