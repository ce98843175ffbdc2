"""A version's page says what it was shown to follow, and a curated set's how it is made up."""

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.images.models import Candidate, Measure, ModelVersion
from feedback_app.vlms.judging import _agreement, agreement_with_readers, what_is_followed
from generation.statistics.areas import auroc_by_placements
from generation.statistics.ranking import auroc_of_groups
from tests.curation.stage import make_version, set_stage
from tests.experiments.making import make_batch
from tests.images.judged import PROMPTS, measured


@pytest.fixture
def version(db: None) -> ModelVersion:
    version = make_version("drawer")
    make_batch(version, count=80, prompts=PROMPTS, name="For the judge")
    rows = Candidate.objects.filter(recipe__model_version=version)
    measured(list(rows.select_related("recipe")))
    return version


def test_a_version_follows_what_its_candidates_show_and_nothing_else(
    version: ModelVersion, cora_client: Client
) -> None:
    found = {one.attribute: one for one in what_is_followed(version)}
    assert found.keys() == {"view", "sex"}
    view, sex = found["view"], found["sex"]
    assert (view.is_followed, sex.is_followed) == (True, False)
    assert view.agrees is not None
    assert view.agrees.value == 1
    assert {one.phrase: (one.asked, one.others) for one in view.phrases} == {
        "view AP": (40, 40), "view PA": (40, 40),
    }  # fmt: skip
    assert 0.5 < view.reached.value < 0.9
    page = cora_client.get(reverse("model", args=[version.pk])).content.decode()
    assert page.count("this version was not shown to follow it") == 1


def test_the_judge_agrees_with_readers_who_score_what_it_sees(rosa: User, ravi: User) -> None:
    stage = set_stage(rosa, ravi, count=12)
    for index, candidate in enumerate(stage.candidates):
        stage.read(rosa, index, 5 if index % 2 else 1)
        Measure.objects.create(
            image=candidate.image, scorer="visible-finding", version="1",
            value=0.9 if index % 2 else 0.1,
            details={"phrase": "pneumonia", "is_reached": bool(index % 2)},
        )  # fmt: skip
    (found,) = agreement_with_readers(stage.candidates[0].recipe.model_version)
    assert (found.attribute, found.images) == ("finding", 12)
    assert found.correlation.value == pytest.approx(1)
    assert found.kappa.value == pytest.approx(1)


def test_where_readers_and_the_judge_have_nothing_in_common_the_intervals_say_so() -> None:
    holds = 0
    for seed in range(20):
        randomness = np.random.default_rng(seed)
        values, prompts = randomness.random(60), [f"prompt {number % 30}" for number in range(60)]
        scores = randomness.integers(1, 6, 60).astype(float)
        found = _agreement("view", scores, values=values, reached=values > 0.5, prompts=prompts)
        holds += found.correlation.low < 0 < found.correlation.high
        holds += found.kappa.low < 0 < found.kappa.high
        alike = _agreement("view", scores, values=scores, reached=scores >= 3, prompts=prompts)
        assert (alike.correlation.value, alike.kappa.value) == pytest.approx((1, 1))
    assert holds >= 34  # of 40


def test_the_interval_without_drawing_is_that_of_the_bootstrap() -> None:
    randomness = np.random.default_rng(1)
    ill, well = randomness.normal(1, 1, 80), randomness.normal(0, 1, 120)
    quick, drawn = auroc_by_placements(ill, well), auroc_of_groups(ill, well)
    assert quick.value == pytest.approx(drawn.value)
    assert quick.low == pytest.approx(drawn.low, abs=0.02)
    assert quick.high == pytest.approx(drawn.high, abs=0.02)
    assert auroc_by_placements(np.array([1.0, 1.0]), np.array([1.0, 0.0])).value == 0.75
    assert np.isnan(auroc_by_placements(np.array([2.0, 3.0]), np.array([0.0, 1.0])).low)
