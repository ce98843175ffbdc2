"""Measures that need no trained weights, and the one table that pages and policies read."""

from collections.abc import Callable

import numpy as np
import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from feedback_app.curation.services import create_policy
from feedback_app.images.blobs.pixels import pixels_of
from feedback_app.images.measures import MEASURES, OF_PICTURES, label_of
from feedback_app.images.models import Batch, Measure, ScorerKind
from feedback_app.runs.models import Run, State
from feedback_app.runs.tasks import execute
from generation.errors import RemediableError
from generation.measures.sharpness import sharpness

Ask = Callable[..., Batch]


def test_sharpness_is_what_one_gets_by_hand() -> None:
    """A lone pixel of 10 in 3 x 4 has Laplacians -40 and 10: their deviation is 25."""
    picture = np.zeros((3, 4), dtype=np.uint8)
    picture[1, 1] = 10
    assert sharpness(picture) == pytest.approx(25.0)
    assert sharpness(np.full((8, 8), 255, dtype=np.uint8)) == 0.0
    assert sharpness(np.zeros((2, 9), dtype=np.uint8)) == 0.0


def test_a_softer_picture_is_less_sharp() -> None:
    picture = np.random.default_rng(1).integers(0, 255, (64, 64), dtype=np.uint8)
    softer = (picture[:-1, :-1] / 4 + picture[1:, :-1] / 4 + picture[:-1, 1:] / 4
              + picture[1:, 1:] / 4).astype(np.uint8)  # fmt: skip
    assert sharpness(softer) < 0.6 * sharpness(picture)


def test_every_scorer_gives_a_measure_of_the_table() -> None:
    assert {kind.measure for kind in ScorerKind} <= MEASURES.keys()
    assert label_of("mask-agreement") == "Mask agreement"
    assert label_of("no-longer-made") == "No longer made"


@pytest.mark.django_db
def test_candidates_are_measured_by_every_function_once(ask: Ask, cora_client: Client) -> None:
    batch = ask(per_prompt=2)
    execute(run_id=str(batch.runs.get().pk))
    for kind in OF_PICTURES:
        assert kind.function is not None
        measures = Measure.objects.filter(scorer=kind.name, version=kind.version)
        assert measures.count() == 4
        for measure in measures:
            assert measure.value == kind.function(pixels_of(measure.image))
    Measure.objects.filter(image__in=Measure.objects.values("image")[:1]).delete()
    call_command("measure", now=True)
    run = Run.objects.get(kind="measure")
    assert (run.state, run.result["measured"]["sharpness"]) == (State.SUCCEEDED, 1)
    page = cora_client.get(reverse("images:gallery"), {"order": "sharpness"})
    values = [candidate.measured for candidate in page.context["page"]]
    assert values == sorted(values, reverse=True)
    assert len(values) == 4


@pytest.mark.django_db
def test_a_policy_asks_only_for_measures_of_which_more_is_better() -> None:
    for name in ("sharpness", "nearest-training-image", "nobody"):
        with pytest.raises(RemediableError, match=name):
            create_policy("bad", studies=[], min_mean_scores={}, min_measures={name: 0.5})
