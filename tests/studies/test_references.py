"""Real images beside cases: of the same findings, never one by which anything is tested."""

import io

import PIL.Image
import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.images.models import Batch, CohortImage, Recipe
from feedback_app.readings.adjudication.sending import send_to_adjudication
from feedback_app.readings.rendering import images_of
from feedback_app.requests import RequestError
from feedback_app.studies.models import CaseReference, Slot, Study
from feedback_app.studies.services import (
    Design,
    add_cases_from_batch,
    design_study,
    open_study,
    redesign_study,
)
from tests.readings.answers import read
from tests.studies.making import make_batch, make_cohort

pytestmark = pytest.mark.django_db
SIDE = 64


@pytest.fixture
def study(rosa: User, ravi: User) -> Study:
    """A draft of two cases: an effusion, for which the cohort has images, and something else."""
    cohort = make_cohort(train=4, validation=2, test=2, side=SIDE)
    cohort.images.exclude(source_id="004.png").update(findings=["effusion"], spacing_mm=[0.2, 0.4])
    batch = make_batch(prompts=2, each=4)
    for recipe in Recipe.objects.filter(prompt="prompt number 0"):
        Recipe.objects.filter(pk=recipe.pk).update(findings=["effusion"])
    design = Design(
        name="Beside", mode="rate_k", readers=(rosa, ravi), readers_per_case=2,
        reference_cohort=cohort, shuffle_seed=5,
    )  # fmt: skip
    study = design_study(design)
    add_cases_from_batch(study, batch)
    return study


def test_a_case_has_a_training_image_of_its_findings_beside_it(study: Study) -> None:
    (beside,) = CaseReference.objects.filter(case__study=study)
    assert beside.case.images.first().candidate.recipe.findings == ["effusion"]  # type: ignore[union-attr]
    shown = CohortImage.objects.get(pk=beside.image_id)
    assert (shown.patient.split, shown.findings) == ("train", ["effusion"])
    redesign_study(study, Design(name="Beside", mode="rate_k", reference_cohort=shown.cohort))
    add_cases_from_batch(study, Batch.objects.get())
    assert CaseReference.objects.get(case__study=study).image_id == beside.image_id


def test_its_reader_gets_it_framed_like_the_case_and_with_its_spacing(
    study: Study, rosa: User, ravi: User, rosa_client: Client, ravi_client: Client, otto: User
) -> None:
    study = open_study(study)
    beside = CaseReference.objects.get(case__study=study)
    slot = Slot.objects.get(study=study, reader=rosa, case=beside.case)
    case = rosa_client.get(reverse("api:slot", args=[slot.pk])).json()
    served = (case["images"][0]["width"], case["images"][0]["height"])
    told = case["reference"]
    assert (told["width"], told["height"]) == served
    scale = SIDE / served[0]
    assert told["spacing_mm"] == pytest.approx([0.4 * scale, 0.2 * scale])
    picture = rosa_client.get(told["address"])
    assert PIL.Image.open(io.BytesIO(picture.content)).size == served
    first = rosa_client.get(case["images"][0]["address"])
    assert len(picture.content) == len(first.content)
    assert picture["Cache-Control"] == first["Cache-Control"]
    assert ravi_client.get(told["address"]).status_code == 404
    assert str(beside.image_id) not in str(case)
    assert beside.image in images_of(study)  # rendered ahead, as the others are
    other = Slot.objects.exclude(case=beside.case).get(study=study, reader=rosa)
    assert rosa_client.get(reverse("api:slot", args=[other.pk])).json()["reference"] is None
    assert rosa_client.get(reverse("readings:reference", args=[other.pk])).status_code == 404
    read(slot)
    panel = send_to_adjudication(study, cases=[slot.case_id], adjudicators=[otto]).panel
    assert panel.reference_cohort == slot.study.reference_cohort
    assert CaseReference.objects.get(case__study=panel).image_id == beside.image_id


def test_where_sources_are_asked_no_real_image_is_shown_as_one(study: Study) -> None:
    cohort = study.reference_cohort
    with pytest.raises(RequestError, match="none is shown as real beside it"):
        design_study(Design(name="Blind", mode="real_or_synthetic", reference_cohort=cohort))
    with pytest.raises(IntegrityError), transaction.atomic():
        Study.objects.filter(pk=study.pk).update(mode="real_or_synthetic")


def test_a_draft_is_previewed_with_it(study: Study, cora_client: Client) -> None:
    beside = CaseReference.objects.get(case__study=study)
    case = cora_client.get(reverse("api:preview", args=[study.pk, beside.case_id])).json()
    assert cora_client.get(case["reference"]["address"]).status_code == 200
    page = cora_client.get(reverse("studies:detail", args=[study.pk])).content.decode()
    assert "for 1 of 2" in page
