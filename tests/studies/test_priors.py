"""Earlier images of the same patient beside reports: of every case, or the case is not taken."""

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.images.cohorts.priors import examination_of
from feedback_app.images.models import Cohort, CohortImage
from feedback_app.requests import RequestError
from feedback_app.studies.models import CaseReference, Slot, Study
from feedback_app.studies.services import Design, add_cases, design_study, open_study
from tests.studies.making import make_cohort

pytestmark = pytest.mark.django_db


@pytest.fixture
def cohort(db: None) -> Cohort:
    """Three examinations of one patient in another order than their files', and one of another."""
    cohort = make_cohort(test=5)
    images = list(cohort.images.order_by("source_id"))
    for image, number, view in zip(
        images, (2, 0, 1, 0, 0), ("pa", "pa", "lateral", "pa", "pa"), strict=True
    ):
        CohortImage.objects.filter(pk=image.pk).update(
            source_labels={"Follow-up #": str(number)}, view=view
        )
    cohort.images.filter(source_id__in=["001.png", "002.png", "003.png"]).update(
        patient=images[0].patient
    )
    return cohort


@pytest.mark.parametrize(
    ("source_id", "labels", "number"),
    [
        ("00000013_005.png", {"Follow-up #": "5"}, 5),
        ("patient00007/study2/view1_frontal.jpg", {}, 2),
        ("a.png", {"examination_number": "3.0"}, 3),
        ("a.png", {"Follow-up #": "later"}, None),
        ("mystudy2.png", {"Age": "5"}, None),
    ],
)
def test_the_order_of_examinations_is_what_the_source_says(
    source_id: str, labels: dict[str, str], number: int | None
) -> None:
    assert examination_of(source_id, labels) == number


def test_each_case_has_its_patients_last_earlier_image_and_the_others_are_left_out(
    cohort: Cohort, rosa: User, rosa_client: Client, cora_client: Client
) -> None:
    study = design_study(
        Design(name="Prior", mode="write_report", readers=(rosa,), real_cohort=cohort,
               cohort_images=5, shows_prior=True)
    )  # fmt: skip
    added = add_cases(study, [])
    named = dict(cohort.images.values_list("pk", "source_id"))
    beside = {
        named[row.case.images.get().pk]: named[row.image_id]
        for row in CaseReference.objects.filter(case__study=study)
    }
    assert beside == {"001.png": "002.png", "003.png": "002.png"}
    assert (study.cases.count(), added.real_missing) == (2, 3)
    slot = Slot.objects.filter(study=open_study(study)).first()
    assert slot is not None
    told = rosa_client.get(reverse("api:slot", args=[slot.pk])).json()["reference"]
    assert told["is_prior"]
    assert rosa_client.get(told["address"]).status_code == 200
    page = cora_client.get(reverse("studies:detail", args=[study.pk])).content.decode()
    assert "an earlier one of the same patient" in page


def test_only_reports_on_a_cohort_have_one(cohort: Cohort) -> None:
    with pytest.raises(RequestError, match="Earlier images are a cohort's"):
        design_study(Design(name="None", mode="write_report", shows_prior=True))
    study = design_study(Design(name="Rate", mode="rate"))
    with pytest.raises(IntegrityError), transaction.atomic():
        Study.objects.filter(pk=study.pk).update(shows_prior=True)
