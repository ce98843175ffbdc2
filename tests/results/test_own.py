"""A reader's own page: their readings, and how they compare, once that changes nothing."""

import numpy as np
import pytest
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.results.own import minutes_by_day, own_studies
from feedback_app.studies.models import Study, StudyState
from tests.readings.answers import choices_for, read
from tests.readings.filling import rated_study
from tests.readings.rooms import assign, make_room, synthetic

pytestmark = pytest.mark.django_db


def test_figures_are_told_of_closed_studies_alone(
    rosa: User, ravi: User, otto: User, rosa_client: Client, otto_client: Client
) -> None:
    scores = np.array([[1, 2, 4], [3, 3, 5], [4, 5, 5], [0, 1, 1]])
    study = rated_study(rosa, ravi, otto, scores=scores)
    (own,) = own_studies(rosa)
    assert (own.cases, own.apart, own.higher, own.is_told) == (4, None, None, False)
    page = rosa_client.get(reverse("readings:own")).content.decode()
    assert "told when the study is closed" in page
    for name in ("Ravi", "Otto"):
        assert name not in page
    study.state = StudyState.CLOSED
    study.save()
    (own,) = own_studies(rosa)
    criteria = study.criteria.filter(kind="ordinal").count()
    assert own.shared == 4 * criteria
    # From (2 + 4) / 2, (3 + 5) / 2, (5 + 5) / 2 and (1 + 1) / 2: 2, 1, 1 and 1 lower.
    assert (own.apart, own.higher) == (pytest.approx(1.25), pytest.approx(-1.25))
    assert (own.again_apart, own.repeated) == (None, 0)
    page = rosa_client.get(reverse("readings:own")).content.decode()
    assert "1.25" in page
    for name in ("Ravi", "Otto"):
        assert name not in page
    assert len(minutes_by_day(rosa)) == 1


def test_verdicts_are_held_against_those_of_the_others(
    rosa: User, ravi: User, otto: User, rosa_client: Client
) -> None:
    """Rosa's are as Ravi's and Otto's in one case, as one of them in the other: 75 %."""
    images = [[synthetic(1), synthetic(2)], [synthetic(3), synthetic(4)]]
    study = make_room("compare", rosa, ravi, otto, cases=images)
    for reader, sides in ((rosa, (0, 0)), (ravi, (0, 1)), (otto, (0, 0))):
        for slot, side in zip(assign(study, reader), sides, strict=True):
            place = slot.image_order.index(side)
            read(slot, choices=choices_for(slot, place=place))
    assert own_studies(rosa)[0].alike is None
    Study.objects.filter(pk=study.pk).update(state=StudyState.CLOSED)
    (own,) = own_studies(rosa)
    assert (own.alike, own.again_alike) == (pytest.approx(0.75), None)
    assert own.alike_of == 2 * study.criteria.count()
    assert "75 %" in rosa_client.get(reverse("readings:own")).content.decode()


def test_who_has_read_nothing_is_told_so(cora_client: Client) -> None:
    assert "You have read nothing yet" in cora_client.get(reverse("readings:own")).content.decode()
