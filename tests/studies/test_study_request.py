"""A study is asked for by page, API and command: all three accept and refuse the same."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.studies.models import Study
from feedback_app.studies.requests import StudyRequest
from feedback_app.studies.services import Design
from tests.studies.making import make_batch, posted_design

pytestmark = pytest.mark.django_db

Way = Callable[[dict[str, Any]], bool]


def by_form(client: Client) -> Way:
    def ask(values: dict[str, Any]) -> bool:
        posted = {name: value for name, value in values.items() if value is not None}
        if "flags" in posted:
            posted["flags"] = "\n".join(posted["flags"])
        if "readers" in posted:
            readers = User.objects.filter(username__in=posted["readers"])
            posted["readers"] = [reader.pk for reader in readers] or [0]
        status = client.post(reverse("studies:create"), posted_design(**posted)).status_code
        assert status in {200, 302, 400}  # 400: a null character, at the door
        return status == 302

    return ask


def by_api(client: Client) -> Way:
    def ask(values: dict[str, Any]) -> bool:
        answer = client.post(reverse("api:studies"), values, content_type="application/json")
        assert answer.status_code in {201, 400}, answer.content
        return answer.status_code == 201

    return ask


def by_command(folder: Path) -> Way:
    def ask(values: dict[str, Any]) -> bool:
        file = folder / "design.json"
        file.write_text(json.dumps(values), encoding="utf-8")
        try:
            call_command("create_study", file)
        except CommandError:
            return False
        return True

    return ask


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("name", ["n" * 100, " trimmed "], ["", "n" * 101, "nu\x00ll"]),
        ("mode", ["rate"], ["guess"]),
        ("images_per_case", [2, 6], [1, 7, "many", 2.5]),
        ("readers_per_case", [1, 20], [0, 21]),
        ("anchor_count", [0, 100_000], [-1, 100_001]),
        ("repeat_percent", [0, 100], [-1, 101]),
        ("repeat_min_gap", [1, 10_000], [0, 10_001]),
        ("block_size", [0, 1_000], [-1, 1_001]),
        ("break_every_min", [0, 240], [-1, 241]),
        ("shuffle_seed", [None, 0, 2**31 - 1], [-1, 2**31]),
        ("sample_size", [None, 1, 100_000], [0, 100_001]),
        ("due_on", ["2027-01-31"], ["soon"]),
        ("instructions", ["", "i" * 5_000], ["i" * 5_001]),
        ("flags", [["f" * 64]], [["f" * 65], ["Noise", "noise"]]),
        ("readers", [["rosa"]], [["cora"], ["nobody-of-this-name"]]),
    ],
)
def test_page_api_and_command_take_the_same_values(
    cora_client: Client, rosa: User, tmp_path: Path, field: str, good: list[Any], bad: list[Any]
) -> None:
    ways = {
        "form": by_form(cora_client),
        "API": by_api(cora_client),
        "command": by_command(tmp_path),
    }
    for value, is_good in [*((one, True) for one in good), *((one, False) for one in bad)]:
        for way, ask in ways.items():
            Study.objects.all().delete()
            assert ask({"name": "November"} | {field: value}) == is_good, (way, value)
            assert Study.objects.count() == is_good, (way, value)


def test_page_api_and_command_ask_for_the_same_study(
    cora_client: Client, rosa: User, tmp_path: Path
) -> None:
    batch = make_batch()
    asked = {"mode": "compare", "readers": ["rosa"], "batches": [str(batch.pk)], "shuffle_seed": 7}
    questions = {"comparison-TOTAL_FORMS": "2", "comparison-INITIAL_FORMS": "2"}
    for number, name in enumerate(("Realism", "Fits the prompt")):
        questions |= {
            f"comparison-{number}-name": name,
            f"comparison-{number}-question": "Which is better?",
        }
    criteria = [
        {"name": name, "question": "Which is better?"} for name in ("Realism", "Fits the prompt")
    ]
    assert by_form(cora_client)(asked | questions | {"name": "By form"})
    rest = asked | {"criteria": criteria, "flags": ["Clavicles", "Heart outline"]}
    assert by_api(cora_client)(rest | {"name": "By API"})
    assert by_command(tmp_path)(rest | {"name": "By command"})
    described = [
        cora_client.get(reverse("api:study", args=[study.pk])).json()
        for study in Study.objects.all()
    ]
    for study in described:
        assert (study["cases"], study["batches"]) == (4, [str(batch.pk)])
    own = {"id", "name", "created_at"}
    same = [{at: said for at, said in study.items() if at not in own} for study in described]
    assert same[0] == same[1] == same[2]


def test_a_design_has_the_defaults_of_a_request() -> None:
    design, asked = Design(name="November"), StudyRequest(name="November")
    differ = {"criteria": "scales", "candidates": "picked", "batches": None, "against": None}
    for name in StudyRequest.model_fields:
        if (own := differ.get(name, name)) is not None:
            assert getattr(design, own) == getattr(asked, name), name
