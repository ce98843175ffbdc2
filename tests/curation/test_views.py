"""Curation pages: for coordinators and admins only."""

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.curation import services, tallies
from feedback_app.curation.models import CuratedSet, Policy
from feedback_app.curation.rules import Rules
from feedback_app.curation.services import apply_policy, create_policy
from feedback_app.runs.models import Run
from feedback_app.runs.services import execute
from tests.curation.stage import Stage, set_stage

Everyone = dict[str, Client]
HTMX = {"HX-Request": "true"}


@pytest.fixture
def policy(stage: Stage, rosa: User) -> Policy:
    stage.read(rosa, 0, 5)
    stage.read(rosa, 1, 2)
    return create_policy("good", studies=[stage.study], min_mean_scores={"realism": 3})


@pytest.fixture
def curated_set(policy: Policy) -> CuratedSet:
    return apply_policy(policy)


def filled_in(stage: Stage, **values: object) -> dict[str, Any]:
    return {
        "name": "new",
        "studies": [str(stage.study.pk)],
        "readers": "people",
        "min_readers": 1,
        "least_realism": 3.5,
        "vetoing_grade": "minor",
        **values,
    }


def expected(allowed: int) -> dict[str, int]:
    denied = {"nobody": 302, "rosa": 403, "ravi": 403, "otto": 403}
    return denied | {"cora": allowed, "ada": allowed}


def test_only_coordinators_open_curation_pages(
    everyone: Everyone, policy: Policy, curated_set: CuratedSet
) -> None:
    for address in (
        reverse("curation:list"),
        reverse("curation:create"),
        reverse("curation:policy", args=[policy.pk]),
        reverse("curation:set", args=[curated_set.pk]),
    ):
        statuses = {name: client.get(address).status_code for name, client in everyone.items()}
        assert statuses == expected(200), address


def test_only_coordinators_make_policies_and_sets(
    everyone: Everyone, stage: Stage, policy: Policy
) -> None:
    for name, client in everyone.items():
        made = client.post(reverse("curation:create"), filled_in(stage, name=f"by {name}"))
        applied = client.post(reverse("curation:apply", args=[policy.pk]))
        assert made.status_code == applied.status_code == expected(302)[name], name
    assert set(Policy.objects.values_list("name", flat=True)) == {"good", "by cora", "by ada"}
    assert CuratedSet.objects.count() == 1


def test_looking_never_makes_a_set(cora_client: Client, policy: Policy) -> None:
    assert cora_client.get(reverse("curation:apply", args=[policy.pk])).status_code == 405
    assert not CuratedSet.objects.exists()


def test_the_empty_list_says_what_to_do(cora_client: Client) -> None:
    page = cora_client.get(reverse("curation:list")).content.decode()
    assert "No policy yet" in page
    assert "no study is open yet" in cora_client.get(reverse("curation:create")).content.decode()


def test_choosing_a_study_brings_its_criteria_and_flags(
    cora_client: Client, policy: Policy, stage: Stage
) -> None:
    page = cora_client.get(
        reverse("curation:create"), {"studies": [str(stage.study.pk)]}, headers=HTMX
    ).content.decode()
    assert "<html" not in page
    assert 'name="least_fits-the-prompt"' in page
    assert 'value="clavicles"' in page


def test_the_preview_says_how_many_get_in_and_why_others_do_not(
    cora_client: Client, policy: Policy, stage: Stage
) -> None:
    response = cora_client.get(
        reverse("curation:create"),
        filled_in(stage, name=""),
        headers={**HTMX, "HX-Target": "preview"},
    )
    verdict = response.context["verdict"]
    assert (verdict.admitted, verdict.considered) == (1, 4)
    assert verdict.reasons == [("not read yet", 2), ("mean of “Realism” below 3.5", 1)]
    assert "mean of “Realism” below 3.5" in response.content.decode()
    assert not Policy.objects.filter(name="new").exists()


def test_a_saved_policy_has_what_was_filled_in(
    cora_client: Client, cora: User, stage: Stage
) -> None:
    values = filled_in(
        stage, min_readers=2, vetoing_flags=["clavicles"], vetoing_grade="major", readers="people"
    )
    cora_client.post(reverse("curation:create"), values)
    policy = Policy.objects.get()
    assert policy.min_mean_scores == {"realism": 3.5}
    assert (policy.min_readers, policy.vetoing_flags) == (2, ["clavicles"])
    assert (policy.vetoing_grade, policy.refuses_copies) == ("major", False)
    assert (policy.uses_simulated_readers, policy.created_by) == (False, cora)
    assert [study.pk for study in policy.studies.all()] == [stage.study.pk]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"name": "good"}, "There is a policy of this name"),
        ({"studies": []}, "This field is required"),
        ({"studies": ["not-an-id"]}, "is not a valid UUID"),
        ({"least_realism": 7}, "less than or equal to 5"),
        ({"least_realism": "nan"}, "Enter a number"),
        ({"min_readers": 0}, "greater than or equal to 1"),
        ({"vetoing_flags": ["no-such-flag"]}, "no-such-flag is not one of the available choices"),
    ],
)
def test_what_is_filled_in_wrongly_is_said_beside_it(
    cora_client: Client, policy: Policy, stage: Stage, wrong: dict[str, object], said: str
) -> None:
    response = cora_client.post(reverse("curation:create"), filled_in(stage, **wrong))
    assert response.status_code == 200
    assert said in response.content.decode()
    assert Policy.objects.count() == 1


def test_a_policy_that_lets_nothing_in_says_so(cora_client: Client, stage: Stage) -> None:
    policy = create_policy("strict", studies=[stage.study], min_mean_scores={"realism": 5})
    response = cora_client.post(reverse("curation:apply", args=[policy.pk]), follow=True)
    assert "None of the 4 candidates meets the policy" in response.content.decode()


def test_a_set_shows_its_images_scores_and_refusals(
    cora_client: Client, curated_set: CuratedSet
) -> None:
    page = cora_client.get(reverse("curation:set", args=[curated_set.pk])).content.decode()
    (item,) = curated_set.items.all()
    assert reverse("images:file", args=[item.candidate_id]) in page
    assert "mean of “Realism” below 3" in page
    assert curated_set.sha256 in page
    assert "simulated" not in page


def test_only_admins_are_offered_an_export(
    cora_client: Client, ada_client: Client, curated_set: CuratedSet
) -> None:
    address = reverse("curation:set", args=[curated_set.pk])
    assert reverse("exports:create") not in cora_client.get(address).content.decode()
    assert reverse("exports:create") in ada_client.get(address).content.decode()


def test_simulated_readers_are_marked_wherever_a_set_is_named(
    cora_client: Client, simon: User
) -> None:
    stage = set_stage(simon)
    stage.read(simon, 0, 5)
    policy = create_policy(
        "simulated", studies=[stage.study], min_mean_scores={}, uses_simulated_readers=True
    )
    curated_set = apply_policy(policy)
    for address in (
        reverse("curation:list"),
        reverse("curation:policy", args=[policy.pk]),
        reverse("curation:set", args=[curated_set.pk]),
    ):
        badge = '<span class="badge simulated">simulated readers</span>'
        assert badge in cora_client.get(address).content.decode(), address


def test_a_policy_over_many_candidates_is_applied_by_a_run(
    cora_client: Client, policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "CANDIDATES_AT_ONCE", 3)
    answer = cora_client.post(reverse("curation:apply", args=[policy.pk]))
    run = Run.objects.get(kind="apply_policy")
    assert answer["Location"] == reverse("runs:run", args=[run.pk])
    assert not CuratedSet.objects.exists()
    assert execute(run.pk) is not None
    run.refresh_from_db()
    assert run.result["curated_set"] == str(CuratedSet.objects.get().pk)


def test_what_gets_in_of_many_readings_is_counted_by_a_run(
    cora_client: Client, stage: Stage, policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tallies, "READINGS_AT_ONCE", 1)
    cache.clear()
    address = reverse("curation:policy", args=[policy.pk])
    assert "is being counted" in cora_client.get(address).content.decode()
    run = Run.objects.get(kind="count_rules")
    preview = {**HTMX, "HX-Target": "preview"}
    asked = filled_in(stage, least_realism=3)
    form = cora_client.get(reverse("curation:create"), asked, headers=preview).content.decode()
    assert "is being counted" in form
    for counting in Run.objects.unfinished():
        assert Rules.from_json(counting.spec["rules"]).as_json() == counting.spec["rules"]
        execute(counting.pk)
    run.refresh_from_db()
    assert (run.result["admitted"], run.result["considered"]) == (1, 4)
    assert "<strong>1</strong> of 4 candidates" in cora_client.get(address).content.decode()

    cache.clear()  # as where Redis is away: what the run counted is nowhere
    assert "<strong>1</strong> of 4 candidates" in cora_client.get(address).content.decode()
