"""A policy is asked for by page and by command: both accept and refuse the same."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.curation.models import Policy
from feedback_app.curation.rules import Rules
from feedback_app.images.models import Scorer, ScorerKind
from feedback_app.studies.models import Study, StudyState
from tests.curation.stage import Stage

pytestmark = pytest.mark.django_db

PLAIN: dict[str, Any] = {"name": "good", "min_readers": 1, "vetoing_grade": "minor"}


@pytest.fixture
def readable(stage: Stage, rosa: User) -> Stage:
    """One of four candidates has a score of 5, so that a policy lets something in."""
    stage.read(rosa, 0, 5)
    Scorer.objects.create(name="labels", kind=ScorerKind.CLASSIFIER, location="x", sha256="x")
    return stage


def by_form(client: Client, stage: Stage, values: dict[str, Any]) -> bool:
    posted: dict[str, Any] = {"studies": [stage.study.pk], "readers": "people"} | values
    for slug, least in posted.pop("scores", {}).items():
        posted[f"least_{slug}"] = least
    for name, least in posted.pop("measures", {}).items():
        posted[f"measure_{name}"] = least
    return client.post(reverse("curation:create"), posted).status_code == 302


def by_command(stage: Stage, values: dict[str, Any]) -> bool:
    options = dict(values)
    try:
        call_command(
            "curate",
            options.pop("name"),
            study=[stage.study.name],
            min_score=list(options.pop("scores", {}).items()),
            min_measure=list(options.pop("measures", {}).items()),
            veto=options.pop("vetoing_flags", []),
            veto_grade=options.pop("vetoing_grade"),
            allow_copies=True,
            **options,
        )
    except CommandError as error:
        # A policy that lets nothing in is made all the same.
        return "meets the policy" in str(error)
    return True


@pytest.mark.parametrize(
    ("changes", "is_good"),
    [
        ({"name": "n" * 100}, True),
        ({"name": "n" * 101}, False),
        ({"name": ""}, False),
        ({"min_readers": 100}, True),
        ({"min_readers": 0}, False),
        ({"min_readers": 101}, False),
        ({"scores": {"realism": 5}}, True),
        ({"scores": {"realism": 5.1}}, False),
        ({"scores": {"realism": -0.1}}, False),
        ({"measures": {"label-agreement": 1}}, True),
        ({"measures": {"label-agreement": 1.1}}, False),
        ({"measures": {"label-agreement": -0.1}}, False),
        ({"vetoing_grade": "major"}, True),
        ({"vetoing_grade": "dire"}, False),
        ({"vetoing_flags": ["nonsense"]}, False),
    ],
)
def test_page_and_command_take_the_same_rules(
    cora_client: Client, readable: Stage, changes: dict[str, Any], is_good: bool
) -> None:
    values = PLAIN | changes
    assert by_form(cora_client, readable, dict(values)) == is_good
    assert Policy.objects.count() == is_good
    Policy.objects.all().delete()
    assert by_command(readable, dict(values)) == is_good
    assert Policy.objects.count() == is_good


def test_both_ways_give_the_same_rules(cora_client: Client, readable: Stage) -> None:
    values = PLAIN | {"scores": {"realism": 2.5}, "measures": {"label-agreement": 0.25}}
    assert by_form(cora_client, readable, values | {"name": "one"})
    assert by_command(readable, values | {"name": "two"})
    one, two = (Rules.of(policy) for policy in Policy.objects.order_by("name"))
    assert one == two


def test_neither_way_takes_a_name_twice_or_a_draft(cora_client: Client, readable: Stage) -> None:
    assert by_form(cora_client, readable, dict(PLAIN))
    assert not by_form(cora_client, readable, dict(PLAIN))
    assert not by_command(readable, dict(PLAIN))
    Study.objects.update(state=StudyState.DRAFT)
    assert not by_form(cora_client, readable, PLAIN | {"name": "other"})
    assert not by_command(readable, PLAIN | {"name": "other"})
    assert Policy.objects.count() == 1
