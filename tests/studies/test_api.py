"""Studies over the REST API, for the whole cast."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import AuditEvent, User
from feedback_app.studies.models import Study
from feedback_app.studies.services import close_study, create_study
from tests.studies.making import make_batch, make_cohort, make_study

pytestmark = pytest.mark.django_db

ACTIONS = ("open", "pause", "resume", "close", "reopen", "unblind", "add-readers", "add-batches")


def _post(client: Client, name: str, body: Any = None, **keys: Any) -> Any:
    address = reverse(f"api:{name}", kwargs=keys)
    return client.post(address, body or {}, content_type="application/json")


def test_only_coordinators_see_studies(everyone: dict[str, Client]) -> None:
    study = create_study(name="November")
    for name, keys in (
        ("studies", {}),
        ("study", {"study_id": study.pk}),
        ("study-draft-preview", {"study_id": study.pk}),
    ):
        for who, client in everyone.items():
            status = client.get(reverse(f"api:{name}", kwargs=keys)).status_code
            assert status == (200 if who in {"cora", "ada"} else 403), (who, name)


def test_only_coordinators_change_studies(everyone: dict[str, Client]) -> None:
    study = create_study(name="November")
    for who in ("nobody", "rosa", "ravi", "otto"):
        client = everyone[who]
        for action in ACTIONS:
            answer = _post(client, f"study-{action}", study_id=study.pk)
            assert answer.status_code == 403, (who, action)
        assert _post(client, "studies", {"name": "Mine"}).status_code == 403
        assert _post(client, "study-preview", {"name": "Mine"}).status_code == 403
        address = reverse("api:study", args=[study.pk])
        assert client.delete(address).status_code == 403
        assert client.put(address, {}, content_type="application/json").status_code == 403
    assert Study.objects.get().name == "November"


def test_a_design_comes_back_as_it_was_sent(cora_client: Client, cora: User, rosa: User) -> None:
    parent = make_batch(name="parent", model="parent")
    child = make_batch(name="child", model="child")
    sent = {
        "name": "Duel",
        "mode": "compare",
        "readers": ["rosa"],
        "batches": [str(parent.pk)],
        "against": str(child.pk),
        "criteria": [{"name": "Realism", "question": "Which is better?", "anchors": []}],
        "flags": ["Clavicles"],
        "anchor_count": 2,
        "repeat_percent": 20,
        "repeat_min_gap": 3,
        "block_size": 4,
        "shuffle_seed": 11,
    }
    answer = _post(cora_client, "studies", sent)
    assert answer.status_code == 201
    made = answer.json()
    assert {name: made[name] for name in sent} == sent
    assert (made["state"], made["cases"], made["warnings"]) == ("draft", 8, [])
    stored = cora_client.get(reverse("api:study", args=[made["id"]])).json()
    assert {name: stored[name] for name in sent} == sent
    assert AuditEvent.objects.get(action="study.created").actor == cora


def test_the_list_is_paginated_newest_first(cora_client: Client) -> None:
    for number in range(3):
        create_study(name=f"Study {number}")
    answer = cora_client.get(reverse("api:studies"), {"page_size": 2}).json()
    assert answer["count"] == 3
    assert [study["name"] for study in answer["results"]] == ["Study 2", "Study 1"]
    last = cora_client.get(answer["next"]).json()
    assert [study["name"] for study in last["results"]] == ["Study 0"]


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"name": "Taken"}, "name", "Another study"),
        ({"mode": "guess"}, "mode", "not a valid choice"),
        ({"images_per_case": 7}, "images_per_case", "less than or equal to 6"),
        ({"readers": ["cora"]}, "readers", "cora"),
        ({"criteria": []}, "criteria", "at least one"),
        ({"criteria": [{"name": "A", "question": "?", "anchors": ["x"]}]}, "criteria", "6 anchors"),
        ({"real_cohort": "nowhere"}, "real_cohort", "nowhere"),
        ({"allocation": "pool", "repeat_percent": 5}, "repeat_percent", "not a pool"),
        ({"has_phases": True}, "has_phases", "real from synthetic"),
    ],
)
def test_a_mistake_is_told_by_its_field(
    cora_client: Client, changes: dict[str, Any], field: str, words: str
) -> None:
    create_study(name="Taken")
    answer = _post(cora_client, "studies", {"name": "New"} | changes)
    assert answer.status_code == 400
    assert words in json.dumps(answer.json()["error"]["fields"][field])
    assert Study.objects.count() == 1


def test_a_preview_counts_hours_and_company_and_saves_nothing(
    cora_client: Client, rosa: User, ravi: User
) -> None:
    batch = make_batch(prompts=2, each=5)
    design = {
        "name": "New",
        "mode": "rate",
        "batches": [str(batch.pk)],
        "readers": ["rosa", "ravi"],
        "anchor_count": 4,
        "repeat_percent": 20,
        "repeat_min_gap": 5,
    }
    seen = _post(cora_client, "study-preview", design).json()
    # 4 anchors for both, 3 of the other 6 for each: 7 cases, one of them twice.
    assert (seen["cases"], seen["read_by_all"], seen["per_reader"]) == (10, 4, [8, 8])
    assert seen["shared_by_two"] == {"least": 4, "most": 4}
    # Nobody has read yet: 16 readings of 30 s are 8 minutes.
    assert (seen["seconds_a_case"], seen["is_pace_seen"]) == (30.0, False)
    assert (seen["hours"], seen["hours_a_reader"]) == (0.133, 0.067)
    assert seen["lacks"] == []
    assert not Study.objects.exists()


def test_a_study_goes_its_whole_way_over_the_api(
    cora_client: Client, rosa: User, ravi: User
) -> None:
    batch, more = make_batch(), make_batch(name="more", seed=1)
    sent = {"name": "November", "readers": ["rosa"], "batches": [str(batch.pk)]}
    key = {"study_id": _post(cora_client, "studies", sent).json()["id"]}
    for action, state in (("open", "open"), ("pause", "paused"), ("resume", "open")):
        answer = _post(cora_client, f"study-{action}", **key)
        assert (answer.status_code, answer.json()["state"]) == (200, state)
    joined = _post(cora_client, "study-add-readers", {"readers": ["ravi"]}, **key)
    assert joined.json() == {"added": ["ravi"]}
    added = _post(cora_client, "study-add-batches", {"batches": [str(more.pk)]}, **key)
    assert added.json() == {"cases": 2, "images": 8, "warnings": []}
    assert _post(cora_client, "study-unblind", **key).status_code == 400
    assert _post(cora_client, "study-close", **key).json()["state"] == "closed"
    assert _post(cora_client, "study-unblind", **key).json()["unblinded_at"]
    assert _post(cora_client, "study-reopen", **key).json()["state"] == "open"


def test_what_shall_be_added_is_to_be_named(cora_client: Client, rosa: User) -> None:
    study = make_study(rosa)
    more = make_batch(name="more", seed=1)
    for action, body, field in (
        ("add-batches", {}, "batches"),
        ("add-batches", {"batches": []}, "batches"),
        ("add-batches", {"batches": [str(more.pk)], "against": str(more.pk)}, "against"),
        ("add-readers", {}, "readers"),
        ("add-readers", {"readers": []}, "readers"),
    ):
        answer = _post(cora_client, f"study-{action}", body, study_id=study.pk)
        assert answer.status_code == 400
        assert list(answer.json()["error"]["fields"]) == [field]
    assert study.cases.count() == 2


def test_a_study_in_phases_says_beforehand_that_it_takes_no_more_cases(
    cora_client: Client, rosa: User
) -> None:
    make_cohort(test=9)
    sent = {
        "name": "Are these generated?",
        "mode": "real_or_synthetic",
        "real_cohort": "real",
        "has_phases": True,
        "readers": ["rosa"],
        "batches": [str(make_batch(prompts=1).pk)],
    }
    hints = _post(cora_client, "study-preview", sent).json()["hints"]
    assert "takes no more cases once it is open" in hints[0]
    assert "its name says “generated”" in hints[1]
    key = {"study_id": _post(cora_client, "studies", sent).json()["id"]}
    _post(cora_client, "study-open", **key)
    told = cora_client.get(reverse("api:study", kwargs=key)).json()
    assert (told["state"], told["takes_cases"]) == ("open", False)
    more = {"batches": [str(make_batch(name="more", seed=1).pk)]}
    refused = _post(cora_client, "study-add-batches", more, **key)
    assert refused.status_code == 400
    assert refused.json()["error"]["remedy"] == "Design a new study."


def test_a_draft_is_rewritten_and_deleted_and_an_opened_study_is_not(
    cora_client: Client, rosa: User
) -> None:
    draft = create_study(name="November")
    address = reverse("api:study", args=[draft.pk])
    changed = {"name": "November", "mode": "rate", "readers": ["rosa"]}
    answer = cora_client.put(address, changed, content_type="application/json")
    assert (answer.status_code, answer.json()["mode"]) == (200, "rate")
    assert cora_client.delete(address).status_code == 204
    assert not Study.objects.exists()
    opened = close_study(make_study(rosa))
    address = reverse("api:study", args=[opened.pk])
    for refused in (
        cora_client.delete(address),
        cora_client.put(address, {"name": "Other"}, content_type="application/json"),
        _post(cora_client, "study-open", study_id=opened.pk),
    ):
        assert refused.status_code == 400
        assert refused.json()["error"]["remedy"] == "Design a new study."


def test_a_study_is_made_and_opened_by_command(rosa: User, tmp_path: Path) -> None:
    make_cohort(test=9)
    file = tmp_path / "design.json"
    design = {
        "name": "Which",
        "mode": "real_or_synthetic",
        "real_cohort": "real",
        "readers": ["rosa"],
        "batches": [str(make_batch(prompts=1).pk)],
    }
    file.write_text(json.dumps(design))
    said = StringIO()
    call_command("create_study", file, stdout=said)
    call_command("open_study", "Which", stdout=said)
    assert said.getvalue() == "Which: a draft of 8 cases\nWhich: open, with 8 slots\n"
    with pytest.raises(CommandError, match="Another study"):
        call_command("create_study", file)
    with pytest.raises(CommandError, match="no study"):
        call_command("open_study", "Nowhere")
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("create_study", tmp_path / "nowhere.json")
