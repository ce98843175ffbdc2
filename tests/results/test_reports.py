"""Answers about reports in files, in the API and case by case; blind while the study is."""

import csv
import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from feedback_app.accounts.models import User
from feedback_app.readings.services import GivenPreference, GivenReport
from feedback_app.results.cases import disagreements
from feedback_app.results.readings_file.columns import TABLES
from feedback_app.results.readings_file.pairs import pairs_of
from feedback_app.results.readings_file.rows import StudyRows
from feedback_app.results.readings_file.writing import csv_of
from feedback_app.studies.models import Study
from tests.readings.answers import read
from tests.readings.rooms import assign, make_room, real

pytestmark = pytest.mark.django_db

DRAFT = "Small effusion."
TEXTS = [("a model", DRAFT), ("cohort", "No effusion.")]


def rows_of(study: Study, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader("".join(csv_of(StudyRows(study), TABLES[name])).splitlines()))


def unblind(study: Study) -> None:
    study.unblinded_at = timezone.now()
    study.save()


def stored(client: Client, study: Study) -> Any:
    address = reverse("api:stored-readings")
    return client.get(address, {"study": str(study.pk)}).json()["results"]


def test_a_report_is_in_its_table_in_the_api_and_on_its_page(
    cora_client: Client, rosa: User
) -> None:
    study = make_room("write_report", rosa, cases=[[real(1)]], texts=TEXTS[:1])
    read(assign(study, rosa)[0], report=GivenReport("No effusion.", ["false_finding", "style"]))
    (row,) = rows_of(study, "reports")
    assert (row["draft"], row["draft_source"], row["text"]) == (DRAFT, "", "No effusion.")
    address = reverse("readings:readings-file", args=[study.pk, "report_pairs", "jsonl"])
    answer: Any = cora_client.get(address)
    pair = json.loads(b"".join(answer.streaming_content))
    assert (pair["chosen"], pair["rejected"], pair["by"]) == ("No effusion.", DRAFT, "edit")
    assert pair["image"] == study.cases.get().images.get().blob_id
    assert (row["reasons"], row["changed_words"]) == ("false_finding style", "1")
    (reading,) = stored(cora_client, study)
    assert reading["report"]["draft_source"] is None
    assert reading["report"]["reasons"] == ["false_finding", "style"]
    page = cora_client.get(reverse("readings:results-cases", args=[study.pk])).content.decode()
    assert "1 word changed: false finding, style" in page
    assert DRAFT in page
    assert "a model" not in page
    unblind(study)
    assert rows_of(study, "reports")[0]["draft_source"] == "a model"
    assert stored(cora_client, study)[0]["report"]["draft_source"] == "a model"


def test_points_are_in_their_table_in_the_api_and_tell_how_far_readers_are_apart(
    cora_client: Client, rosa: User, ravi: User
) -> None:
    study = make_room("compare_reports", rosa, ravi, cases=[[real(1)]], texts=TEXTS)
    for reader, towards_model in ((rosa, 6), (ravi, -2)):
        (slot,) = assign(study, reader)
        is_left = slot.texts_in_order()[0].source == "a model"
        points = -towards_model if is_left else towards_model
        read(
            slot,
            preferences=[
                GivenPreference("completeness", points),
                GivenPreference("correctness", 0),
            ],
        )
    assert list(disagreements(study).values()) == [8]
    rows = rows_of(study, "preferences")
    assert {row["left_source"] + row["right_source"] for row in rows} == {""}
    assert {one["left_source"] for one in stored(cora_client, study)[0]["preferences"]} == {None}
    chosen = json.loads(next(iter(pairs_of(StudyRows(study)))))
    wanted = {"prompt", "chosen", "rejected", "by", "points", "image", "reader", "study"}
    assert set(chosen) == {*wanted, "is_simulated"}
    unblind(study)
    for row in rows_of(study, "preferences"):
        assert {row["left_source"], row["right_source"]} == {"a model", "cohort"}
        assert row["left_report"] == ("1" if row["left_source"] == "a model" else "2")
    page = cora_client.get(reverse("readings:results-cases", args=[study.pk])).content.decode()
    for said in (
        "A better by 6",
        "B better by 2",
        "equal",
        "Report B",
        "a model",
        "completeness: A better 1, B better 1",
    ):
        assert said in page
