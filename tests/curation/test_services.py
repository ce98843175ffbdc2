"""Policies and the immutable curated sets that come of them."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from feedback_app.accounts.models import User
from feedback_app.curation.models import CuratedItem, CuratedSet, Policy
from feedback_app.curation.services import apply_policy, create_policy, recompute_hash
from generation.errors import RemediableError
from tests.curation.stage import Stage, set_stage


@pytest.fixture
def policy(stage: Stage, rosa: User) -> Policy:
    for index, score in enumerate((5, 4, 3, 1)):
        stage.read(rosa, index, score)
    return create_policy("good", studies=[stage.study], min_mean_scores={"realism": 3})


def test_a_policy_gives_a_set_with_scores_and_refusals(policy: Policy, cora: User) -> None:
    curated_set = apply_policy(policy, cora)
    assert (curated_set.considered, curated_set.refused) == (4, {"mean of “Realism” below 3": 1})
    assert [item.position for item in curated_set.items.all()] == [0, 1, 2]
    assert curated_set.is_simulated is False
    assert curated_set.created_by == cora


def test_the_same_readings_give_the_same_set(policy: Policy) -> None:
    first = apply_policy(policy)
    assert apply_policy(policy) == first
    assert CuratedSet.objects.count() == 1


def test_another_policy_of_the_same_rules_gives_the_same_hash(policy: Policy, stage: Stage) -> None:
    other = create_policy("again", studies=[stage.study], min_mean_scores={"realism": 3})
    assert apply_policy(other).sha256 == apply_policy(policy).sha256


def test_a_revision_gives_another_set_and_leaves_the_first(
    policy: Policy, stage: Stage, rosa: User
) -> None:
    first = apply_policy(policy)
    stage.read(rosa, 0, 1)
    second = apply_policy(policy)
    assert second.sha256 != first.sha256
    assert (first.items.count(), second.items.count()) == (3, 2)


def test_the_hash_follows_from_what_is_stored(policy: Policy) -> None:
    curated_set = apply_policy(policy)
    assert recompute_hash(CuratedSet.objects.get(pk=curated_set.pk)) == curated_set.sha256


def test_a_set_says_that_its_readers_were_simulated(stage: Stage, simon: User) -> None:
    simulated = set_stage(simon, name="Simulated")
    simulated.read(simon, 0, 5)
    policy = create_policy(
        "simulated", studies=[simulated.study], min_mean_scores={}, uses_simulated_readers=True
    )
    assert apply_policy(policy).is_simulated is True


def test_a_policy_that_lets_nothing_in_gives_no_set(stage: Stage) -> None:
    policy = create_policy("strict", studies=[stage.study], min_mean_scores={"realism": 5})
    with pytest.raises(RemediableError, match="None of the 4 candidates meets the policy"):
        apply_policy(policy)
    assert not CuratedSet.objects.exists()


@pytest.mark.parametrize("model", [CuratedSet, CuratedItem])
def test_the_database_refuses_to_change_or_remove_a_set(
    policy: Policy, model: type[CuratedSet | CuratedItem]
) -> None:
    apply_policy(policy)
    change = {"sha256": "0"} if model is CuratedSet else {"reader_count": 9}
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        model.objects.update(**change)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        model.objects.all()._raw_delete("default")


def test_a_policy_over_an_unknown_criterion_is_refused(stage: Stage) -> None:
    with pytest.raises(RemediableError, match="criterion 'beauty'"):
        create_policy("pretty", studies=[stage.study], min_mean_scores={"beauty": 3})


def test_the_command_makes_and_applies_a_policy(stage: Stage, rosa: User) -> None:
    stage.read(rosa, 0, 5)
    out = io.StringIO()
    call_command("curate", "good", study=["Study"], min_score=[("realism", 4.0)], stdout=out)
    assert "1 of 4 get in" in out.getvalue()
    assert CuratedSet.objects.get().sha256 in out.getvalue()
    call_command("curate", "good", stdout=out)
    assert CuratedSet.objects.count() == 1


def test_the_command_names_what_there_is_not(stage: Stage) -> None:
    with pytest.raises(CommandError, match="no policy 'none'"):
        call_command("curate", "none")
    with pytest.raises(CommandError, match="no study Nowhere"):
        call_command("curate", "new", study=["Nowhere"])
