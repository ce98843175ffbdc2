"""A child beside its parent: rules by hand, and from readings to a promoted child."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.readings.services.retractions import retract
from feedback_app.runs import services as runs
from feedback_app.runs.console import execute_here
from feedback_app.runs.models import Run
from feedback_app.vlms.learning.comparing import (
    FAILED,
    MISSING,
    PASSED,
    choice_rule,
    task_rules,
    untaught,
    written_rule,
)
from feedback_app.vlms.learning.console import finish_gate_here
from feedback_app.vlms.learning.gate_models import VlmGate, VlmPromotion, VlmVerdict
from feedback_app.vlms.learning.models import ReportSnapshot
from feedback_app.vlms.learning.promotion import promoted_vlm, reason_needed
from feedback_app.vlms.models import VlmVersion
from feedback_app.vlms.services import register_vlm
from generation.vlm.benchmark.answers import Given
from generation.vlm.benchmark.items import Question
from tests.generation.vlm.tiny_vlms import (
    tiny_spec,
    train_tiny,
    write_backbone,
    write_instructions,
)
from tests.vlms.made import asked_cohort, built, report_readings


def question(number: int, *, patient: str = "", picture: str = "") -> Question:
    return Question(
        id=str(number), task="view classification", source="made", kind="choice", answer="PA",
        patient=patient or str(number), images=("a",), question="?", options=("PA", "AP"),
        image_sha256=(picture,),
    )  # fmt: skip


def answered(*options: str) -> dict[tuple[str, bool], Given]:
    return {(str(number), False): Given(option=one) for number, one in enumerate(options)}


def test_a_task_is_no_worse_only_if_the_whole_interval_says_so() -> None:
    asked = [question(number) for number in range(40)]
    right, some = answered(*["PA"] * 40), answered(*["AP"] * 4, *["PA"] * 36)
    (same,) = task_rules(asked, right, right, margin=0)
    assert (same.outcome, same.value, same.low) == (PASSED, 0, 0)
    (worse,) = task_rules(asked, some, right, margin=0.1)
    assert worse.value == pytest.approx(-0.1)
    assert worse.outcome == FAILED
    assert task_rules(asked, some, right, margin=0.3)[0].outcome == PASSED
    (single,) = task_rules([question(0)], right, right, margin=0.1)
    assert single.outcome == MISSING
    texts = ["Left pleural effusion.", "No effusion.", "Pneumonia."]
    written = written_rule(
        "Reports", texts, ["", "", ""], texts, patients=np.array(["1", "2", "3"]), margin=0
    )
    assert written.outcome == PASSED
    assert written.value > 0


def test_choices_are_won_by_patients_not_by_readings() -> None:
    lessons = [{"patient": str(number // 2), "over": "b"} for number in range(12)]
    lessons.append({"patient": "accepted", "over": ""})
    parent: list[dict[str, Any]] = [{"text": -3.0, "over": -2.0}] * 13
    child: list[dict[str, Any]] = [{"text": -2.5, "over": -2.0}] * 13
    rule = choice_rule(lessons, child, parent)
    assert (rule.count, rule.value, rule.outcome) == (12, 1, PASSED)
    assert rule.low == pytest.approx(6 / (6 + 1.959964**2))  # Wilson's, all of six
    assert choice_rule(lessons[:4], child[:4], parent[:4]).outcome == FAILED  # two patients
    assert choice_rule(lessons, parent, parent).value == 0.5
    none = choice_rule([], [], [])
    assert (none.outcome, math.isnan(none.value)) == (MISSING, True)
    assert none.row["value"] is None


def test_questions_on_patients_that_were_taught_are_left_out() -> None:
    asked = [question(0, patient="1", picture="x"), question(1, patient="1", picture="y"),
             question(2, patient="2", picture="z")]  # fmt: skip
    assert [one.id for one in untaught(asked, frozenset({"y"}))] == ["2"]


@pytest.mark.django_db
@pytest.mark.usefixtures("trainings_here")
def test_a_child_is_taught_compared_promoted_and_taken_back(
    rosa: User, cora_client: Client, tmp_path: Path
) -> None:
    report_readings(rosa, taught=4, held_out=5, accepts=False)
    call_command("snapshot_reports", "Edits")
    spec = tiny_spec(write_instructions(tmp_path / "in"), write_backbone(tmp_path / "eye"))
    parent = register_vlm("tiny", str(train_tiny(spec, tmp_path / "work")))
    call_command("promote_vlm", "tiny")
    instructions = built(asked_cohort("asked", test=6))
    wanted = {"name": "tiny-taught", "parent": "tiny", "method": "dpo",
              "snapshot": str(ReportSnapshot.objects.get().pk), "steps": 6,
              "learning_rate": 0.01, "lora_rank": 2, "margin": 1,
              "gate_on": instructions.name}  # fmt: skip
    assert cora_client.post(reverse("vlms:teach"), wanted).status_code == 302
    taught, then = Run.objects.get(kind="teach_vlm"), Run.objects.get(kind="ask_vlm_gate")
    assert runs.execute(then.pk) is None  # not before the training
    runs.execute(taught.pk)
    child = VlmVersion.objects.get(name="tiny-taught")
    with pytest.raises(CommandError, match="has not been asked yet"):
        call_command("promote_vlm", "tiny-taught")
    for _ in range(2):
        Run.objects.filter(pk=then.pk).update(state="queued", finished_at=None)
        execute_here(then, write=str)
    gate = VlmGate.objects.get()
    assert (gate.created_by, gate.margin) == (taught.created_by, 1)
    finish_gate_here(gate, write=str)
    gate = VlmGate.objects.get()
    assert gate.found is not None
    report = gate.found.report
    assert gate.found.is_promote, report
    assert {rule["name"] for rule in report["rules"]} >= {"view classification", "Readers' choices"}
    assert (report["choices"], report["left_out"]) == (5, 0)
    Run.objects.filter(pk=gate.run_id).update(state="queued", finished_at=None)
    runs.execute(gate.run_id)
    assert VlmVerdict.objects.count() == 1
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        VlmVerdict.objects.update(decision="hold")
    page = cora_client.get(reverse("vlms:gate", args=[gate.pk])).content.decode()
    for said in ("The gate says promote", "share of choices won", "5", "Promote tiny-taught"):
        assert said in page

    cora_client.post(reverse("vlms:promote", args=[child.pk]))
    assert promoted_vlm() == child
    assert VlmPromotion.objects.latest("pk").kind == "by gate"
    assert "promoted" in cora_client.get(reverse("vlms:list")).content.decode()
    told = cora_client.get(reverse("api:vlm-gate", args=[gate.pk])).json()
    assert (told["child"], told["decision"]) == ("tiny-taught", "promote")
    back = cora_client.post(reverse("api:vlm-promotion-back"), {}, content_type="application/json")
    assert back.json()["version"] == "tiny"
    assert promoted_vlm() == parent

    retract(reader=rosa, reason="They read the wrong study.")
    assert reason_needed(child) == "it rests on retracted readings"
    page = cora_client.get(reverse("vlms:gate", args=[gate.pk])).content.decode()
    assert "rests on retracted readings" in page
    cora_client.post(reverse("vlms:promote", args=[child.pk]))
    assert promoted_vlm() == parent
    cora_client.post(reverse("vlms:promote", args=[child.pk]), {"reason": "To compare by hand"})
    assert VlmPromotion.objects.latest("pk").kind == "overruled"
    asked = cora_client.post(reverse("vlms:gate-ask", args=[parent.pk]),
                             {"instruction_set": instructions.name, "margin": "0.05"})  # fmt: skip
    assert asked["Location"] == reverse("vlms:version", args=[parent.pk])
    assert VlmGate.objects.count() == 1
