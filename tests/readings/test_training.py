"""Training cases, guidelines, gold cases that teach, and the preview of a draft."""

import re
import uuid
from typing import Any

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.curation.rules import Rules, evaluate
from feedback_app.local.homes import CHECKOUT
from feedback_app.readings.models import Reading, StudyDisplay
from feedback_app.readings.training import next_training_slot, training_of
from feedback_app.readings.training_models import TrainingAnswer, TrainingSlot
from feedback_app.readings.worklist import assignments_of
from feedback_app.rehearsal.simulation import simulate_readings, simulated_readers
from feedback_app.results.calibration import calibration_of, trained_readers
from feedback_app.results.tables import table_of
from feedback_app.studies import services
from feedback_app.studies.models import CaseRole, GoldAnswer, Slot, Study
from feedback_app.studies.services import (
    KnownAnswer,
    open_study,
)
from generation.errors import RemediableError
from tests.readings.answers import posted_for, read
from tests.readings.training import REASON, draft_with
from tests.studies.making import make_cohort

pytestmark = pytest.mark.django_db
BY_TRAINING = {
    "readings/access.py", "readings/cases.py", "readings/training.py",
    "readings/training_models.py", "results/calibration.py", "readings/models.py",
    "operations/erasure/reports.py",
}  # fmt: skip
"""Who may know what readers answer in training; erasing takes words of patients out of it."""


def opened_with(*readers: User, training: int = 2, **values: Any) -> Study:
    return open_study(draft_with(*readers, training=training, **values))


def answer(client: Client, slot: TrainingSlot, *, value: int, key: str = "") -> Any:
    body = posted_for(slot, value=value) | ({"idempotency_key": key} if key else {})  # type: ignore[arg-type]
    address = reverse("api:readings", args=[slot.pk])
    return client.post(address, body, content_type="application/json")


def train(client: Client, study: Study, reader: User, *, value: int) -> None:
    """One round to its end."""
    for _ in range(study.training_count):
        slot = next_training_slot(study, reader)
        assert slot is not None
        assert answer(client, slot, value=value).status_code == 201


def test_who_has_not_passed_gets_no_case_and_the_work_list_says_why(
    rosa: User, rosa_client: Client
) -> None:
    study = opened_with(rosa)
    first = study.slots.get(reader=rosa, position=0)

    def refusals() -> list[int]:
        case = rosa_client.get(reverse("api:slot", args=[first.pk]))
        page = rosa_client.get(reverse("readings:read", args=[first.pk]))
        following = rosa_client.post(
            reverse("api:next", args=[first.pk]), {}, content_type="application/json"
        )
        return [case.status_code, page.status_code, following.status_code]

    assert refusals() == [409, 302, 409]
    begun = rosa_client.post(reverse("readings:begin", args=[study.pk]))
    slot = TrainingSlot.objects.filter(reader=rosa).first()
    assert slot is not None
    assert begun["Location"] == reverse("readings:read", args=[slot.pk])
    worklist = rosa_client.get(reverse("readings:worklist")).content.decode()
    assert "2 training cases come first" in worklist
    train(rosa_client, study, rosa, value=1)
    assert refusals() == [409, 302, 409]
    (assignment,) = assignments_of(rosa)
    assert assignment.training is not None
    assert "0 of 4 answers were right, and 80 %" in assignment.training.explanation
    train(rosa_client, study, rosa, value=4)
    assert refusals() == [200, 200, 200]
    begun = rosa_client.post(reverse("readings:begin", args=[study.pk]))
    assert begun["Location"] == reverse("readings:read", args=[first.pk])
    assert [one.is_passed for one in training_of(study, rosa.pk).rounds] == [False, True]


def test_the_reference_answer_is_told_only_once_an_answer_is_stored(
    rosa: User, ravi: User, rosa_client: Client, ravi_client: Client
) -> None:
    study = opened_with(rosa, ravi)
    slot = next_training_slot(study, rosa)
    assert slot is not None
    address = reverse("api:slot", args=[slot.pk])
    before = [rosa_client.get(address), rosa_client.get(reverse("readings:read", args=[slot.pk]))]
    before.append(answer(rosa_client, slot, value=9))
    skipped = posted_for(slot, skip_reason="technical", scores=[])  # type: ignore[arg-type]
    before.append(
        rosa_client.post(
            reverse("api:readings", args=[slot.pk]), skipped, content_type="application/json"
        )
    )
    for told in before:
        assert REASON not in told.content.decode()
        assert "reference" not in str(told.headers)
    assert not TrainingAnswer.objects.exists()
    picture = before[0].json()["images"][0]["address"]
    assert rosa_client.get(picture).status_code == 200
    for client, status in ((ravi_client, 404), (rosa_client, 200)):
        assert client.get(address).status_code == status
    assert ravi_client.get(picture).status_code == 404
    key = str(uuid.uuid4())
    stored, again = (answer(rosa_client, slot, value=3, key=key) for _ in range(2))
    assert stored.json() == again.json()
    feedback = stored.json()["feedback"]
    assert (feedback["right"], feedback["asked"], feedback["reason"]) == (0, 2, REASON)
    assert feedback["answers"][0]["given"].startswith("3 ")
    assert " or 5 " in feedback["answers"][0]["expected"]
    changed = answer(rosa_client, slot, value=5)
    assert changed.status_code == 409
    locked = rosa_client.get(address).json()
    assert (locked["is_locked"], locked["reading"]["scores"][0]["value"]) == (True, 3)


def test_training_comes_again_in_mid_study_where_it_is_wanted(
    rosa: User, rosa_client: Client
) -> None:
    study = opened_with(rosa, training_every=1)
    train(rosa_client, study, rosa, value=5)
    first, second = study.slots.filter(reader=rosa)
    read(first)
    assert training_of(study, rosa.pk).explanation == "2 training cases are due again."
    assert rosa_client.get(reverse("api:slot", args=[first.pk])).status_code == 200  # is read
    assert rosa_client.get(reverse("api:slot", args=[second.pk])).status_code == 409
    train(rosa_client, study, rosa, value=5)
    assert rosa_client.get(reverse("api:slot", args=[second.pk])).status_code == 200


def test_training_enters_nothing_that_readings_enter(
    rosa: User, ravi: User, rosa_client: Client, ravi_client: Client
) -> None:
    study = opened_with(rosa, ravi)
    for client, reader in ((rosa_client, rosa), (ravi_client, ravi)):
        train(client, study, reader, value=2)
        train(client, study, reader, value=5)
    assert not Reading.objects.exists()
    table = table_of(study)
    assert (len(table.readings.ids), len(table.unit_image)) == (0, 2)
    verdict = evaluate(Rules(studies=(str(study.pk),)))
    assert verdict.considered == 2  # not the images of training
    trained = trained_readers(study)
    assert [(one.training.first.percent, one.training.last.percent) for one in trained] == [  # type: ignore[union-attr]
        (0, 100),
        (0, 100),
    ]
    assert [row.before.count for row in calibration_of(study, trained)] == [2, 2]


def test_nobody_else_asks_what_was_answered_in_training() -> None:
    """By kind: the tables stand alone, and no other room names them."""
    models = [apps.get_model("readings", name) for name in ("TrainingAnswer", "TrainingSlot")]
    for model in models:
        targets = {field.related_model for field in model._meta.get_fields() if field.is_relation}
        assert not targets & {Reading, Slot}
    root = CHECKOUT / "feedback_app"
    naming = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        if "migrations" not in path.parts
        and re.search(r"TrainingAnswer|TrainingSlot|training_models", path.read_text())
    }
    assert naming == BY_TRAINING


def test_simulated_readers_pass_by_reference() -> None:
    (robot,) = simulated_readers(1)
    study = opened_with(robot)
    simulate_readings(study)
    assert training_of(study, robot.pk).rounds[0].percent == 100
    assert Reading.objects.count() == 2


def test_a_gold_case_teaches_after_it_was_read_and_is_locked_then(
    rosa: User, rosa_client: Client
) -> None:
    study = draft_with(rosa, training=0, gold_teaches=True)
    case = study.cases.get(position=0)
    services.set_gold(
        study, case, [KnownAnswer(study.criteria.all()[0], case.images.get(), least=0, most=1)]
    )
    open_study(study)
    gold = study.slots.get(case__role=CaseRole.GOLD)
    ordinary = study.slots.exclude(case__role=CaseRole.GOLD)[0]
    told = {}
    for slot in (gold, ordinary):
        case_json = rosa_client.get(reverse("api:slot", args=[slot.pk])).json()
        assert (case_json["gives_feedback"], case_json["is_locked"]) == (True, False)
        told[slot.pk] = rosa_client.post(
            reverse("api:readings", args=[slot.pk]),
            posted_for(slot),
            content_type="application/json",
        ).json()
    assert told[gold.pk]["feedback"]["asked"] == 1
    assert "feedback" not in told[ordinary.pk]
    again = rosa_client.post(
        reverse("api:readings", args=[gold.pk]), posted_for(gold), content_type="application/json"
    )
    assert again.status_code == 409
    assert GoldAnswer.objects.count() == 1


def test_a_guideline_is_at_hand_for_readers_and_fixed_when_the_study_opens(
    rosa: User, rosa_client: Client
) -> None:
    text = "# Clavicles\nTwo of them,\nno more.\n\n- left\n- right <b>"
    study = draft_with(rosa, guideline=text)
    image = make_cohort(test=1).images.get().image
    example = services.add_example(study, image, criterion="realism", value=4, note="Look here")
    with pytest.raises(RemediableError, match="in a case"):
        services.add_example(study, study.cases.all()[0].images.get(), flag="clavicles")
    open_study(study)
    with pytest.raises(RemediableError, match="design is fixed"):
        services.remove_example(study, example.pk)
    guide = rosa_client.get(reverse("api:guideline", args=[study.pk])).json()
    assert guide["blocks"] == [
        {"kind": "heading", "text": "Clavicles"},
        {"kind": "paragraph", "text": "Two of them, no more."},
        {"kind": "item", "text": "left"},
        {"kind": "item", "text": "right <b>"},
    ]
    (shown,) = guide["examples"]
    assert shown["about"].startswith("Realism, 4: ")
    assert rosa_client.get(shown["address"]).status_code == 200


def test_a_preview_writes_nothing(rosa: User, cora: User, cora_client: Client) -> None:
    study = draft_with(rosa, anchor_count=1)
    case = study.cases.get(position=2)
    session = cora_client.session.session_key
    before = _rows()
    page = cora_client.get(reverse("readings:preview", args=[study.pk]))
    assert page.status_code == 200
    found = page.context["case"]
    addresses = [found["images"][0]["address"], reverse("api:preview", args=[study.pk, case.pk])]
    assert [cora_client.get(address).status_code for address in addresses] == [200, 200]
    scores = [{"place": 0, "criterion": one["slug"], "value": 3} for one in found["criteria"]]
    body = {"idempotency_key": str(uuid.uuid4()), "scores": scores}
    for given, status in ((body, 201), (body | {"scores": scores[1:]}, 400)):
        answered = cora_client.post(
            reverse("api:preview-readings", args=[study.pk, found["slot"]]),
            given,
            content_type="application/json",
        )
        assert answered.status_code == status
    assert _rows() == before
    assert cora_client.session.session_key == session
    assert not StudyDisplay.objects.exists()
    opened = open_study(study).slots.order_by("position")[0]
    assert found["slot"] == str(opened.case_id)  # the first case is the first case


def _rows() -> dict[str, list[Any]]:
    """Everything that is stored, sessions aside."""
    return {
        model._meta.label: list(model._default_manager.order_by("pk").values())
        for model in apps.get_models(include_auto_created=True)
        if model._meta.app_label != "sessions"
    }
