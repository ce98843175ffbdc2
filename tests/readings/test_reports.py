"""Reports in the reading room: drafts corrected or accepted, and two reports compared."""

import uuid
from dataclasses import replace

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.readings.adjudication.sending import send_to_adjudication
from feedback_app.readings.models import Reading
from feedback_app.readings.report_models import WrittenReport
from feedback_app.readings.services import (
    GivenPreference,
    GivenReport,
    InvalidReading,
    KeyAlreadyUsed,
    submit,
)
from feedback_app.readings.services.reports import edits_of
from feedback_app.studies.drafting import TEXT_MAX
from feedback_app.studies.models import Phase, Slot
from tests.readings.answers import read
from tests.readings.rooms import assign, make_room, synthetic

pytestmark = pytest.mark.django_db

DRAFT = "Heart size is normal.\nSmall left effusion."
TEXTS = [("a model", DRAFT), ("the cohort", "No effusion.")]


def make_slot(mode: str, *readers: User, texts: int = 1) -> Slot:
    study = make_room(mode, *readers, cases=[[synthetic(1)]], texts=TEXTS[:texts])
    return assign(study, readers[0])[0]


@pytest.fixture
def drafted(rosa: User) -> Slot:
    return make_slot("write_report", rosa)


@pytest.fixture
def compared(rosa: User) -> Slot:
    return make_slot("compare_reports", rosa, texts=2)


def test_edits_are_levenshtein_s_distance_in_characters_and_in_words() -> None:
    assert edits_of("kitten sits", "sitting sits") == (3, 1)
    assert edits_of(DRAFT, DRAFT) == (0, 0)
    assert edits_of("a b c", "a c") == (2, 1)


def test_a_changed_draft_is_kept_with_its_edits_and_reasons(drafted: Slot) -> None:
    text = "Heart size is normal.\r\nLarge right effusion. \n"
    reading = read(drafted, report=GivenReport(text, ["wrong_severity", "wrong_location"]))
    report = reading.report
    assert report.draft == drafted.texts_in_order()[0]
    assert report.text == "Heart size is normal.\nLarge right effusion."
    assert report.reasons == ["wrong_location", "wrong_severity"]
    assert (report.changed_words, report.is_accepted) == (2, False)
    assert report.changed_characters == edits_of(DRAFT, report.text).characters
    assert report.edit_in_words == "2 words changed: wrong location, wrong severity"


def test_an_accepted_draft_and_a_report_from_nothing(drafted: Slot, ravi: User) -> None:
    accepted = read(drafted).report
    assert (accepted.is_accepted, accepted.changed_characters, accepted.reasons) == (True, 0, [])
    bare = make_room("write_report", ravi, cases=[[synthetic(2)]], name="Bare")
    written = read(assign(bare, ravi)[0], report=GivenReport("No effusion.")).report
    assert (written.draft, written.changed_words, written.is_accepted) == (None, None, False)


@pytest.mark.parametrize(
    ("report", "message"),
    [
        (None, "no text"),
        (GivenReport(" \n"), "no text"),
        (GivenReport("x" * (TEXT_MAX + 1), ["style"]), "has 10,001 characters"),
        (GivenReport("null \x00", ["style"]), "holds characters that no text has"),
        (GivenReport("half \ud800", ["style"]), "holds characters that no text has"),
        (GivenReport("Changed."), "without a reason"),
        (GivenReport("Changed.", ["beauty"]), "“beauty” is no reason"),
        (GivenReport("Changed.", ["style", "style"]), "twice"),
        (GivenReport("Changed.", ["style"], is_accepted=True), "accepted as it is, and it was"),
        (GivenReport(DRAFT, ["style"]), "nothing was changed"),
        (GivenReport(DRAFT), "was not changed"),
    ],
)
def test_a_report_that_is_not_whole_is_refused(
    drafted: Slot, report: GivenReport | None, message: str
) -> None:
    with pytest.raises(InvalidReading, match=message):
        read(drafted, report=report)
    assert not Reading.objects.exists()


@pytest.mark.parametrize(
    ("preferences", "message"),
    [
        ([GivenPreference("completeness", 3)], "1 of 2 preferences are missing"),
        ([GivenPreference("completeness", 11), GivenPreference("correctness", 0)], "no points"),
        ([GivenPreference("completeness", 1), GivenPreference("completeness", 1)], "twice"),
        ([GivenPreference("beauty", 1)], "no preference “beauty”"),
    ],
)
def test_preferences_that_are_not_whole_are_refused(
    compared: Slot, preferences: list[GivenPreference], message: str
) -> None:
    with pytest.raises(InvalidReading, match=message):
        read(compared, preferences=preferences)


def test_points_are_kept_as_seen_and_count_for_the_report_that_was_there(
    compared: Slot,
) -> None:
    given = [GivenPreference("completeness", -7), GivenPreference("correctness", 0)]
    reading = read(compared, preferences=given)
    stored = {one.criterion.slug: one for one in reading.preferences.all()}
    left = compared.texts_in_order()[0]
    assert (stored["completeness"].left, stored["completeness"].points) == (left, -7)
    assert stored["completeness"].for_first == (7 if left.position == 0 else -7)
    assert stored["correctness"].in_words() == "equal"
    assert stored["completeness"].in_words(is_first_a=left.position == 0) == "A better by 7"


def test_sides_are_by_lot_and_a_repeat_has_them_the_other_way(rosa: User, ravi: User) -> None:
    images = [[synthetic(number)] for number in range(24)]
    study = make_room("compare_reports", rosa, ravi, cases=images, texts=TEXTS)
    slots = [*assign(study, rosa), *assign(study, ravi)]
    firsts = [slot.texts_in_order()[0].position for slot in slots]
    assert 8 < sum(firsts) < 40
    assert [slot.texts_in_order()[0].position for slot in slots] == firsts
    slots[0].repetition = 1
    assert slots[0].texts_in_order()[0].position != firsts[0]


def test_the_same_answer_is_stored_once_and_a_revision_is_a_row_of_its_own(drafted: Slot) -> None:
    key = uuid.uuid4()
    given = GivenReport("No effusion.", ["false_finding"])
    reader = drafted.reader
    assert reader is not None
    first = submit(slot=drafted, reader=reader, idempotency_key=key, report=given)
    assert submit(slot=drafted, reader=reader, idempotency_key=key, report=given) == first
    other = replace(given, reasons=["style"])
    with pytest.raises(KeyAlreadyUsed):
        submit(slot=drafted, reader=reader, idempotency_key=key, report=other)
    assert read(drafted).revision == 2
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        WrittenReport.objects.filter(reading=first).update(text="")


def test_the_page_gets_the_draft_and_what_was_answered(drafted: Slot, rosa_client: Client) -> None:
    address = reverse("api:slot", args=[drafted.pk])
    case = rosa_client.get(address).json()
    assert (case["mode"], case["texts"], case["prompt"]) == ("write_report", [DRAFT], "")
    assert [one["slug"] for one in case["report_reasons"]][:2] == [
        "false_finding",
        "missed_finding",
    ]
    report = {"text": "No effusion.", "reasons": ["false_finding"], "is_accepted": False}
    body = {"idempotency_key": str(uuid.uuid4()), "report": report, "active_ms": 7_000}
    posted = rosa_client.post(
        reverse("api:readings", args=[drafted.pk]),
        body,
        content_type="application/json",
    )
    assert posted.status_code == 201
    assert rosa_client.get(address).json()["reading"]["report"] == report


def test_a_skipped_case_has_no_report(drafted: Slot) -> None:
    reading = read(drafted, report=None, skip_reason="technical")
    assert not WrittenReport.objects.filter(reading=reading).exists()


def test_an_adjudicator_has_the_same_texts_and_reads_what_was_said(
    rosa: User, ravi: User, rosa_client: Client
) -> None:
    slot = make_slot("write_report", ravi)
    read(slot, report=GivenReport("No effusion.", ["false_finding"]))
    sent = send_to_adjudication(slot.study, cases=[slot.case_id], adjudicators=[rosa])
    blind, final = sent.panel.slots.order_by("position")
    assert [text.text for text in blind.texts_in_order()] == [DRAFT]
    read(blind)
    assert final.phase == Phase.FINAL
    shown = rosa_client.get(reverse("api:slot", args=[final.pk])).json()
    assert (
        shown["others"][0]["answers"]
        == [{"criterion": "2 words changed: false finding", "said": "No effusion."}]
        or shown["others"][0]["answers"][0]["said"] == "No effusion."
    )
