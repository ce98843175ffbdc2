"""Candidates of a curated set that are left out by hand, or read again."""

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.curation.decisions import decide
from feedback_app.curation.models import CuratedSet, Decision, Policy
from feedback_app.curation.rules import Rules
from feedback_app.curation.services import apply_policy, create_policy, recompute_hash
from generation.errors import RemediableError
from tests.curation.stage import Stage, set_stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage(rosa: User) -> Stage:
    stage = set_stage(rosa)
    for index in range(4):
        stage.read(rosa, index, 4)
    return stage


@pytest.fixture
def policy(stage: Stage) -> Policy:
    return create_policy("Night 1", studies=[stage.study], min_mean_scores={"realism": 3})


def test_ticked_images_are_left_out_of_a_new_set_and_the_old_one_stays(
    cora_client: Client, cora: User, rosa_client: Client, policy: Policy
) -> None:
    first = apply_policy(policy)
    address = reverse("curation:set", args=[first.pk])
    item = first.items.all()[1]
    posted = {"action": "leave-out", "pick": [str(item.pk)], "reason": "Two hearts."}
    assert rosa_client.post(address, posted).status_code == 403
    cora_client.post(address, posted | {"reason": " "})
    assert not Decision.objects.exists()
    answer = cora_client.post(address, posted)
    second = CuratedSet.objects.exclude(pk=first.pk).get()
    assert answer["Location"] == reverse("curation:set", args=[second.pk])
    assert (first.items.count(), second.items.count()) == (4, 3)
    assert second.refused == {"left out by hand": 1}
    assert second.rules["left_out"] == [item.candidate.recipe_id]
    assert recompute_hash(second) == second.sha256
    decision = policy.decisions.get()
    assert (decision.made_by, decision.reason) == (cora, "Two hearts.")
    page = cora_client.get(reverse("curation:policy", args=[policy.pk])).content.decode()
    assert "Two hearts." in page
    cora_client.post(reverse("curation:let-in", args=[policy.pk]), {"decision": decision.pk})
    assert Rules.of(policy).left_out == ()
    assert apply_policy(policy) == first
    assert policy.decisions.count() == 2


def test_a_decision_is_never_changed(policy: Policy, stage: Stage) -> None:
    key = stage.candidates[0].pk
    assert decide(policy, [key, key], is_out=True, reason="Two hearts.") == 1
    assert decide(policy, [key], is_out=True, reason="Once more.") == 0
    with pytest.raises(RemediableError, match="reason"):
        decide(policy, [key], is_out=False, reason="")
    for change in (lambda: Decision.objects.update(is_out=False), Decision.objects.all().delete):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            change()


def test_images_of_a_set_go_into_a_study(cora_client: Client, policy: Policy) -> None:
    curated = apply_policy(policy)
    posted = {"action": "study", "all": "yes"}
    answer = cora_client.post(reverse("curation:set", args=[curated.pk]), posted, follow=True)
    assert "4 candidates picked by hand" in answer.content.decode()
