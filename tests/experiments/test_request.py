"""An experiment is designed by page and by command: both accept and refuse the same."""

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from feedback_app.curation.models import CuratedSet
from feedback_app.experiments.models import Experiment
from feedback_app.images.models import Cohort
from tests.experiments.making import curate, make_batch, make_cohort

pytestmark = pytest.mark.django_db


@pytest.fixture
def ward() -> Cohort:
    return make_cohort(train=8, validation=2, test=20)


@pytest.fixture
def curated() -> CuratedSet:
    return curate(make_batch(count=16))


PLAIN: dict[str, Any] = {"name": "Does it help?", "sizes": "4", "ratios": "1", "seeds": 2}


def by_form(client: Client, curated: CuratedSet, values: dict[str, Any], training: Any) -> bool:
    posted = {
        "name": values["name"],
        "task": "classification",
        "cohort": "ward",
        "findings": ["pneumonia"],
        "real_sizes": values["sizes"],
        "arms": ["real", "curated"],
        "source_curated": f"curated_set:{curated.pk}",
        "ratios": values["ratios"],
        "seed_count": values["seeds"],
        "metric": "auroc",
        "primary_arm": "curated",
        "primary_size": values["sizes"].split(",")[0],
        "primary_ratio": values["ratios"].split(",")[0],
        **{f"set_{name}": value for name, value in training.items()},
    }
    return client.post(reverse("experiments:create"), posted).status_code == 302


def by_command(curated: CuratedSet, values: dict[str, Any], training: Any) -> bool:
    """``--plan`` says what the design costs and makes nothing."""
    size, ratio = values["sizes"].split(",")[0], values["ratios"].split(",")[0]
    settings = [f"{name}={value}" for name, value in training.items()]
    options = [
        *("--cohort", "ward", "--findings", "pneumonia", "--arms", "real", "curated"),
        *("--sizes", *values["sizes"].split(",")),
        f"--ratios={values['ratios'].split(',')[0]}",
        *(["--ratios", *values["ratios"].split(",")] if "," in values["ratios"] else []),
        f"--seeds={values['seeds']}",
        *("--metric", "auroc", "--source", f"curated:curated_set:{curated.pk}"),
        f"--primary=curated:{size}:{ratio}",
        *(["--set", *settings] if settings else []),
    ]
    try:
        call_command("experiment", values["name"], *options, "--plan", stdout=io.StringIO())
    except CommandError:
        return False
    return True


@pytest.mark.parametrize(
    ("changes", "training", "is_good"),
    [
        ({}, {}, True),
        ({"name": "n" * 100}, {}, True),
        ({"name": "n" * 101}, {}, False),
        ({"name": ""}, {}, False),
        ({"sizes": "2,8"}, {}, True),
        ({"sizes": "1"}, {}, False),
        ({"sizes": "4,4"}, {}, False),
        ({"ratios": "0.5,1"}, {}, True),
        ({"ratios": "0"}, {}, False),
        ({"ratios": "65"}, {}, False),
        ({"seeds": 100}, {}, True),
        ({"seeds": 101}, {}, False),
        ({"seeds": 0}, {}, False),
        ({}, {"resolution": 32}, True),
        ({}, {"resolution": 1024}, True),
        ({}, {"resolution": 16}, False),
        ({}, {"resolution": 33}, False),
        ({}, {"resolution": 1056}, False),
        ({}, {"batch_size": 2}, True),
        ({}, {"batch_size": 1}, False),
        ({}, {"learning_rate": 0.1}, True),
        ({}, {"learning_rate": 0}, False),
        ({}, {"learning_rate": "nan"}, False),
        ({}, {"network": "tiny"}, True),
        ({}, {"network": "huge"}, False),
        ({}, {"patience": 0}, False),
    ],
)
def test_page_and_command_take_the_same_designs(
    cora_client: Client,
    ward: Cohort,
    curated: CuratedSet,
    changes: dict[str, Any],
    training: dict[str, Any],
    is_good: bool,
) -> None:
    values = PLAIN | changes
    assert by_form(cora_client, curated, values, training) == is_good
    assert Experiment.objects.count() == is_good
    Experiment.objects.all().delete()
    assert by_command(curated, values, training) == is_good
