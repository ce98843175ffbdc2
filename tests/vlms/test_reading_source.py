"""What people said of candidates becomes instructions, and says whose readings they rest on."""

import json
import uuid

import pytest
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.readings.services import GivenFlag, GivenScore, submit
from feedback_app.readings.services.given import GivenRegion
from feedback_app.readings.services.retractions import retract
from feedback_app.runs import services as runs
from feedback_app.vlms.asking import ask_for_instructions
from feedback_app.vlms.models import InstructionSet
from feedback_app.vlms.requests import InstructionRequest
from tests.curation.stage import Stage, set_stage

pytestmark = pytest.mark.django_db


def built(name: str) -> InstructionSet:
    row = ask_for_instructions(InstructionRequest(name=name, readings=True))
    run = runs.execute(row.run_id)
    assert run is not None
    assert run.state == "succeeded", run.error
    row.refresh_from_db()
    return row


def rows_of(row: InstructionSet) -> list[dict[str, object]]:
    paths = [row.path / split / "readings.jsonl" for split in ("train", "validation", "test")]
    return [json.loads(line) for path in paths if path.is_file()
            for line in path.read_text().splitlines()]  # fmt: skip


def flag_a_corner(stage: Stage, reader: User, index: int) -> None:
    """Flags the first kind in the picture's lower right quarter, with a comment."""
    slot = stage.study.slots.get(reader=reader, case__images=stage.candidates[index].image)
    kind = stage.study.flag_kinds.earliest("position")
    box = GivenRegion(shape="box", points=((16, 16), (32, 32)))
    submit(
        slot=slot,
        reader=reader,
        idempotency_key=uuid.uuid4(),
        scores=[GivenScore(place=0, criterion=criterion.slug, value=2)
                for criterion in stage.study.criteria.all()],
        flags=[GivenFlag(place=0, flag=kind.slug, grade="major", regions=(box,))],
        comment="  A rib  ends\nin air. ",
    )  # fmt: skip


def test_flags_regions_scores_and_comments_are_asked_and_nothing_retracted(
    rosa: User, ravi: User, cora_client: Client
) -> None:
    stage = set_stage(rosa, ravi)
    flag_a_corner(stage, rosa, 0)
    for index in range(1, 4):
        stage.read(rosa, index, 4)
        stage.read(ravi, index, 1)
    row = built("Both")
    kind, criterion = stage.study.flag_kinds.earliest("position"), stage.study.criteria.first()
    assert criterion is not None
    rows = rows_of(row)
    assert {one["source"] for one in rows} == {"readings"}
    assert {one["family"] for one in rows} == {"reader feedback"}
    (place,) = [one for one in rows if one["task"] == "artefact grounding"]
    assert place["answer"] == "[50, 50, 100, 100]"
    question = str(place["question"]).lower()
    assert kind.name.lower() in question or "artefact grounding" in question
    (remark,) = [one for one in rows if one["task"] == "reader remark"]
    assert remark["answer"] == "A rib ends in air."
    found = [one for one in rows if one["task"] == "artefact detection"]
    assert any(str(one["answer"]).endswith("yes") for one in found)
    ratings = [one for one in rows if one["task"] == "image rating"]
    assert len(ratings) == 7 * stage.study.criteria.count()
    assert row.rests_on == sorted([one.pk, str(stage.study.pk)] for one in (rosa, ravi))
    assert not InstructionSet.objects.get(pk=row.pk).rests_on_retracted

    retract(reader=ravi, reason="They read the wrong study.")
    assert InstructionSet.objects.get(pk=row.pk).rests_on_retracted
    page = cora_client.get(reverse("vlms:set", args=[row.pk])).content.decode()
    assert "rests on retracted readings" in page
    again = built("Without Ravi")
    assert again.rests_on == [[rosa.pk, str(stage.study.pk)]]
    ratings = [one for one in rows_of(again) if one["task"] == "image rating"]
    assert len(ratings) == 4 * stage.study.criteria.count()


def test_no_reading_of_a_study_that_hides_its_source_is_taken(rosa: User, ravi: User) -> None:
    stage = set_stage(rosa, ravi)
    stage.read(rosa, 0, 4)
    type(stage.study).objects.filter(pk=stage.study.pk).update(mode="real_or_synthetic")
    row = built("None")
    assert (row.count, row.rests_on) == (0, [])
