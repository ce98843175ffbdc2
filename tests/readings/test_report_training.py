"""Training and gold cases of the two modes about reports."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.readings.services import GivenPreference, GivenReport
from feedback_app.readings.training import next_training_slot, pass_by_reference, training_of
from feedback_app.readings.training_models import TrainingSlot
from feedback_app.results.alarms import accepting
from feedback_app.results.calibration import calibration_of, trained_readers
from feedback_app.results.cases import find_cases
from feedback_app.results.tables import table_of
from feedback_app.results.truths import gold_figures
from feedback_app.studies.models import GoldAnswer, Study, StudyState
from feedback_app.studies.report_answers import compare_findings
from feedback_app.studies.services import (
    KnownAnswer,
    end_training,
    open_study,
    set_gold,
)
from generation.errors import RemediableError
from tests.readings.answers import posted_for, read
from tests.readings.rooms import assign, make_room, synthetic
from tests.readings.training import (
    REASON,
    REFERENCE,
    REPORTS,
    draft_of_reports,
    reference_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def simon(db: None) -> User:
    """A simulated reader."""
    return User.objects.create_user("simon", first_name="Simon", is_simulated=True)


def answer(client: Client, slot: TrainingSlot, **given: Any) -> Any:
    body = posted_for(slot, **given)  # type: ignore[arg-type]
    return client.post(
        reverse("api:readings", args=[slot.pk]), body, content_type="application/json"
    )


def test_each_finding_is_compared_and_what_is_open_is_not() -> None:
    lines = compare_findings(REFERENCE, "No pneumothorax. Cardiomegaly. Pneumonia.")
    assert {one.finding: (one.expected, one.given, one.is_right) for one in lines} == {
        "pneumothorax": ("present", "absent", False),
        "pleural effusion": ("absent", "not mentioned", True),
        "cardiomegaly": ("not mentioned", "present", False),
    }
    assert all(one.is_right for one in compare_findings(REFERENCE, REFERENCE))


def test_a_report_is_trained_on_the_findings_of_its_reference(
    rosa: User, rosa_client: Client
) -> None:
    study = open_study(draft_of_reports("write_report", rosa))
    slot = next_training_slot(study, rosa)
    assert slot is not None
    told = rosa_client.get(reverse("api:slot", args=[slot.pk])).content.decode()
    page = rosa_client.get(reverse("readings:read", args=[slot.pk])).content.decode()
    assert REPORTS[0][1] in told
    for hidden in ("telltale", "ight pneumothorax", "sign"):
        assert hidden not in told.replace('"report_reasons"', "").replace("design", "")
    assert "telltale" not in page
    stored = answer(rosa_client, slot)  # the draft, accepted
    feedback = stored.json()["feedback"]
    assert (feedback["right"], feedback["asked"], feedback["reason"]) == (0, 2, REASON)
    again = next_training_slot(study, rosa)
    assert again is not None
    text = "Right pneumothorax. No pleural effusion."
    report = {"text": text, "reasons": ["missed_finding"], "is_accepted": False}
    assert answer(rosa_client, again, report=report).json()["feedback"]["right"] == 2
    assert [one.is_passed for one in training_of(study, rosa.pk).rounds] == [False, True]
    assert calibration_of(study, trained_readers(study)) == []
    locked = rosa_client.get(reverse("api:slot", args=[again.pk])).json()
    assert locked["reading"]["report"]["text"] == text


def test_of_two_reports_the_sign_is_trained_wherever_they_stand(
    rosa: User, rosa_client: Client
) -> None:
    study = open_study(draft_of_reports("compare_reports", rosa))
    sides = set()
    for wanted in (0, 1, 1):
        slot = next_training_slot(study, rosa) or TrainingSlot.objects.last()
        assert slot is not None
        left = slot.texts_in_order()[0]
        sides.add(left.position)
        towards_second = 1 if left.position == 0 else -1
        points = towards_second if wanted else -towards_second
        given = [{"criterion": one.slug, "points": points} for one in slot.criteria()]
        stored = answer(rosa_client, slot, preferences=given)
        if stored.status_code == 201:
            feedback = stored.json()["feedback"]
            assert (feedback["right"], feedback["asked"]) == (wanted, 1)
            assert "is better" in feedback["answers"][0]["expected"]
    assert sides == {0, 1}
    assert [one.is_passed for one in training_of(study, rosa.pk).rounds] == [False, True]
    asked = calibration_of(study, trained_readers(study))
    assert [one.criterion.kind for one in asked] == ["preference"] * study.criteria.count()


@pytest.mark.parametrize("mode", ["write_report", "compare_reports"])
def test_a_training_case_keeps_its_reports_and_references_pass(
    mode: str, simon: User, cora_client: Client
) -> None:
    study = draft_of_reports(mode, simon)
    training = study.training_cases.get()
    shown = cora_client.get(reverse("studies:training", args=[study.pk, training.pk]))
    assert REPORTS[0][1] in shown.content.decode()
    count = len(REPORTS) if mode == "compare_reports" else 1
    case = end_training(training)
    assert list(case.texts.values_list("source", "text")) == REPORTS[:count]
    address = reverse("studies:make-training", args=[study.pk, case.pk])
    field = "report_text" if mode == "write_report" else "completeness_sign"
    slug = study.criteria.order_by("position")[0].slug
    posted = {f"{slug}_{field.partition('_')[2]}": REFERENCE if count == 1 else "-1"}
    assert cora_client.post(address, posted | {"reason": REASON}).status_code == 302
    study.refresh_from_db()
    pass_by_reference(open_study(study), simon)
    (one,) = training_of(study, simon.pk).rounds
    assert (one.is_passed, one.right) == (True, one.asked)


def test_known_answers_of_reports_are_counted_and_missed_ones_are_found(rosa: User) -> None:
    study = draft_of_reports("write_report", rosa, cases=3)
    for case in study.cases.all():
        set_gold(study, case, reference_of(study, case.images.get()))
    empty = KnownAnswer(study.criteria.get(), case.images.get(), text="Hello.")
    with pytest.raises(RemediableError, match="No finding is named"):
        set_gold(study, case, [empty])
    Study.objects.filter(pk=study.pk).update(state=StudyState.OPEN)
    study.refresh_from_db()
    first, second = assign(study, rosa)
    read(first, report=GivenReport(REFERENCE, ["missed_finding"]))
    read(second)
    (figures,) = gold_figures(study, table_of(study))
    assert (figures.overall.value, figures.overall.count) == (0.5, 2)
    assert list(find_cases(study, show="gold_missed")) == [second.case]


def test_known_signs_of_two_reports_are_counted_for_the_first(rosa: User) -> None:
    study = make_room(
        "compare_reports", rosa, cases=[[synthetic(5)], [synthetic(6)]], texts=REPORTS
    )
    criterion = study.criteria.order_by("position")[0]
    for case in study.cases.all():
        GoldAnswer.objects.create(case=case, criterion=criterion, image=case.images.get(), sign=-1)
    for slot, is_right in zip(assign(study, rosa), (True, False), strict=True):
        towards_second = 4 if slot.texts_in_order()[0].position == 0 else -4
        points = towards_second if is_right else 0
        given = [GivenPreference(one.slug, points) for one in slot.criteria()]
        read(slot, preferences=given)
    (figures,) = gold_figures(study, table_of(study))
    assert figures.overall.value == 0.5
    assert [case.position for case in find_cases(study, show="gold_missed")] == [1]


def test_who_accepts_every_draft_that_others_change_is_asked_about() -> None:
    counts = [(40, 40), (10, 40), (12, 30)]
    assert "100 % of 40, the others 31 %" in next(accepting(counts, 0, reader="Rosa"))
    assert not list(accepting([(40, 40), (39, 40)], 0, reader="Rosa"))
    assert not list(accepting([(40, 40)], 0, reader="Rosa"))
