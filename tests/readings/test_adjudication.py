"""Adjudication: who is sent what, who sees what and when, and what comes of it."""

import json

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import AuditEvent, User
from feedback_app.notices.models import Notice
from feedback_app.readings.adjudication.finals import final_readings
from feedback_app.readings.adjudication.withdrawing import withdraw
from feedback_app.readings.models import Reading
from feedback_app.readings.services import GivenFlag, GivenRegion, InvalidReading, ReadingConflict
from feedback_app.readings.services.retractions import retract
from feedback_app.rehearsal.simulation import simulated_readers
from feedback_app.results.cases import find_cases
from feedback_app.studies.guideline import describe
from feedback_app.studies.models import AdjudicatedCase, CaseRole, Phase, Slot, Study
from feedback_app.studies.services import add_readers
from generation.errors import RemediableError
from tests.readings.answers import posted_for, read
from tests.readings.rooms import assign, make_room, mask_blob, synthetic
from tests.readings.settling import disputed, send, settle, slots_of

pytestmark = pytest.mark.django_db


def case_of(client: Client, slot: Slot, *, status: int = 200) -> dict[str, object]:
    answer = client.get(reverse("api:slot", args=[slot.pk]))
    assert answer.status_code == status
    case: dict[str, object] = answer.json()
    return case


def test_a_panel_copies_the_cases_and_leaves_the_study_as_it_was(
    rosa: User, ravi: User, otto: User, cora: User
) -> None:
    images = [synthetic(1), synthetic(2)]
    study = make_room("rate_k", rosa, ravi, cases=[images], mask=mask_blob(), name="Disputed")
    read(assign(study, rosa)[0])
    before = list(study.slots.values_list("pk", flat=True))
    panel = send(study, otto).panel
    (copy,) = panel.cases.all()
    assert list(copy.images.order_by("caseimage__position")) == images
    assert (copy.prompt, copy.masks.count()) == ("an effusion", 1)
    assert [one.slug for one in panel.criteria.all()] == [one.slug for one in study.criteria.all()]
    assert list(panel.slots.values_list("phase", flat=True)) == [Phase.BLIND, Phase.FINAL]
    first, last = panel.slots.all()
    assert first.image_order == last.image_order
    assert list(study.slots.values_list("pk", flat=True)) == before
    assert study.readers.count() == 2
    assert AuditEvent.objects.filter(action="study.sent_to_adjudication").exists()


def test_a_round_is_append_only(rosa: User, ravi: User, otto: User) -> None:
    adjudication = send(disputed(rosa, ravi), otto)
    for change in (AdjudicatedCase.objects.all().delete, adjudication.save):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


def test_nothing_is_shown_before_all_is_read_blind(
    rosa: User, ravi: User, otto: User, otto_client: Client
) -> None:
    adjudication = send(disputed(rosa, ravi), otto, cases=(0, 1))
    blind = slots_of(adjudication, otto, Phase.BLIND)
    final = slots_of(adjudication, otto, Phase.FINAL)
    assert case_of(otto_client, blind[0])["others"] == []
    read(blind[0])
    assert case_of(otto_client, final[0], status=409)["error"]["code"] == "not_yet"  # type: ignore[index]
    refused = otto_client.post(
        reverse("api:readings", args=[final[0].pk]),
        posted_for(final[0], comment="Too early."),
        content_type="application/json",
    )
    assert refused.status_code == 409
    page = otto_client.get(reverse("readings:read", args=[final[0].pk]))
    assert page["Location"] == reverse("readings:worklist")
    read(blind[1])
    assert len(case_of(otto_client, final[0])["others"]) == 3  # type: ignore[arg-type]


def test_the_readings_are_shown_in_words_with_names_hidden(
    rosa: User, ravi: User, otto: User, otto_client: Client
) -> None:
    study = make_room("rate", rosa, ravi, cases=[[synthetic(1)]], name="Disputed")
    box = GivenRegion(shape="box", points=[(4, 6), (20, 26)])
    flag = GivenFlag(place=0, flag="noise", grade="major", regions=[box])
    read(assign(study, rosa)[0], value=1, flags=[flag], comment="Ribs end nowhere.")
    read(assign(study, ravi)[0], scores=[], skip_reason="technical")
    adjudication = send(study, otto)
    read(slots_of(adjudication, otto, Phase.BLIND)[0], value=2)
    case = case_of(otto_client, slots_of(adjudication, otto, Phase.FINAL)[0])
    others = {other["name"]: other for other in case["others"]}  # type: ignore[attr-defined]
    assert set(others) == {"Reader A", "Reader B", "You, blind"}
    assert others["You, blind"]["answers"][0] == {"criterion": "realism", "said": "2"}
    scored = next(one for one in others.values() if one["comment"])
    assert scored["comment"] == "Ribs end nowhere."
    assert scored["flags"] == [
        {
            "place": 0,
            "image": "",
            "name": "Noise",
            "grade": "major",
            "regions": [{"shape": "box", "points": [[4, 6], [20, 26]]}],
        }
    ]
    assert "It does not display properly" in {one["skip"] for one in others.values()}
    text = json.dumps(case)
    names = {str(reader.pk) for reader in (rosa, ravi)} - {"1", "2", "3", "4", "5"}
    names |= {name for one in (rosa, ravi) for name in (one.username, one.display_name)}
    readings = {str(pk) for pk in Reading.objects.values_list("pk", flat=True)}
    assert not [secret for secret in readings | {n for n in names if n.isalpha()} if secret in text]


def test_what_was_read_blind_stays_and_a_final_reading_has_its_reason(
    rosa: User, ravi: User, otto: User
) -> None:
    adjudication = send(disputed(rosa, ravi), otto)
    (blind,) = slots_of(adjudication, otto, Phase.BLIND)
    (final,) = slots_of(adjudication, otto, Phase.FINAL)
    read(blind, value=1)
    read(blind, value=2)  # nothing is known yet
    with pytest.raises(InvalidReading, match="needs its reason"):
        read(final)
    read(final, comment="Seen from both sides.")
    with pytest.raises(ReadingConflict):
        read(blind, value=5)
    assert read(final, comment="On second thought.").revision == 2
    assert final_readings().get().comment == "On second thought."


def test_a_consensus_round_waits_for_everybody_and_shows_what_each_read_blind(
    rosa: User, ravi: User, otto: User, rosa_client: Client, otto_client: Client
) -> None:
    adjudication = send(disputed(rosa, ravi), otto, rosa)
    final = {one: slots_of(adjudication, one, Phase.FINAL)[0] for one in (otto, rosa)}
    read(slots_of(adjudication, otto, Phase.BLIND)[0])
    case_of(otto_client, final[otto], status=404)
    (own,) = otto_client.get(reverse("readings:worklist")).context["done"]
    assert own.adjudication == "1 of 1 read blind, 0 settled; 1 wait for the other adjudicators"
    read(slots_of(adjudication, rosa, Phase.BLIND)[0])
    names = [other["name"] for other in case_of(otto_client, final[otto])["others"]]  # type: ignore[attr-defined]
    assert names == ["Reader A", "Reader B", "Adjudicator A, blind", "You, blind"]
    case_of(rosa_client, final[otto], status=404)


def test_whoever_cannot_log_in_any_more_is_not_waited_for(
    rosa: User, ravi: User, otto: User, otto_client: Client
) -> None:
    adjudication = send(disputed(rosa, ravi), otto, rosa)
    read(slots_of(adjudication, otto, Phase.BLIND)[0])
    User.objects.filter(pk=rosa.pk).update(is_active=False)
    case_of(otto_client, slots_of(adjudication, otto, Phase.FINAL)[0])


def test_readers_see_nothing_of_an_adjudication(
    rosa: User, ravi: User, otto: User, ravi_client: Client
) -> None:
    adjudication = send(disputed(rosa, ravi), otto)
    settle(adjudication, otto)
    for slot in adjudication.panel.slots.all():
        case_of(ravi_client, slot, status=404)
        picture = ravi_client.get(reverse("readings:picture", args=[slot.pk, 0]))
        assert picture.status_code == 404
    assert "adjudication" not in ravi_client.get(reverse("readings:worklist")).content.decode()
    own = Slot.objects.filter(reader=ravi).first()
    assert own is not None
    case = case_of(ravi_client, own)
    assert (case["others"], "Because" in json.dumps(case)) == ([], False)


def test_what_cannot_be_sent_is_refused_with_what_to_do(rosa: User, ravi: User, otto: User) -> None:
    study = disputed(rosa, ravi)
    (simulated,) = simulated_readers(1)
    unread = make_room("rate", rosa, cases=[[synthetic(99)]], name="Unread")
    panel = send(study, otto).panel
    for said, wrong in (
        ("was sent case 1 before", lambda: send(study, otto)),
        ("Nobody was chosen", lambda: send(study)),
        ("chosen together", lambda: send(study, ravi, simulated)),
        ("nobody has read them", lambda: send(unread, otto)),
        ("0 cases", lambda: send(study, ravi, cases=())),
        ("cannot be sent", lambda: send(panel, ravi)),
        ("stay as they are", lambda: add_readers(panel, [ravi])),
    ):
        with pytest.raises(RemediableError, match=said):
            wrong()


def test_who_adjudicates_is_told_and_has_the_guideline_with_its_examples(
    rosa: User, ravi: User, otto: User
) -> None:
    study = disputed(rosa, ravi)
    Study.objects.filter(pk=study.pk).update(guideline="# Noise\nSalt and pepper.")
    study.examples.create(criterion="realism", value=1, image=synthetic(77), note="Blurred.")
    study.refresh_from_db()
    panel = send(study, otto).panel
    assert "adjudication 1” waits for you" in Notice.objects.get(person=otto).text
    assert describe(panel, in_all_phases=True)["blocks"][1]["text"] == "Salt and pepper."
    (example,) = describe(panel, in_all_phases=True)["examples"]
    assert example["note"] == "Blurred."


def test_a_round_is_taken_back_and_its_cases_can_be_sent_again(
    rosa: User, ravi: User, otto: User, otto_client: Client, cora_client: Client
) -> None:
    study = disputed(rosa, ravi)
    first = send(study, otto, cases=(0, 1))
    read(slots_of(first, otto, Phase.BLIND)[0])
    answer = cora_client.post(
        reverse("api:adjudication-withdraw", args=[first.pk]), content_type="application/json"
    )
    assert answer.json() | {"state": "closed", "waiting": 0, "withdrawn": 3} == answer.json()
    assert "taken back" in Notice.objects.filter(person=otto).latest("pk").text
    assert not Slot.objects.filter(study=first.panel).unread().exists()
    assert not find_cases(study, show="sent").exists()
    with pytest.raises(RemediableError, match="open any more"):
        withdraw(first)
    # Otto never saw what was said, and may read blind; having seen it, they may not.
    second = send(study, otto, cases=(0,))
    settle(second, otto)
    with pytest.raises(RemediableError, match="was sent case 1 before"):
        send(study, otto, cases=(0,))
    assert [case.position for case in find_cases(study, show="settled")] == [0]


def test_programs_send_rounds_and_know_what_was_read_in_them(
    rosa: User, ravi: User, otto: User, cora_client: Client
) -> None:
    study = disputed(rosa, ravi)
    study.cases.filter(position=1).update(role=CaseRole.ANCHOR)
    asked = {"study": str(study.pk), "cases": [2], "adjudicators": ["otto"]}
    sent = cora_client.post(reverse("api:adjudications"), asked, content_type="application/json")
    assert sent.status_code == 201
    told = sent.json()
    assert (told["cases"], told["adjudicators"], told["waiting"]) == ([2], ["otto"], 2)
    settle(study.adjudications.get(), otto)
    query = {"study": told["panel"], "ordering": "created_at"}
    rows = cora_client.get(reverse("api:stored-readings"), query).json()["results"]
    assert [(row["role"], row["case"], row["case_role"]) for row in rows] == [
        ("adjudication_blind", 2, "anchor"),
        ("adjudication", 2, "anchor"),
    ]
    (listed,) = cora_client.get(reverse("api:adjudications"), {"study": str(study.pk)}).json()[
        "results"
    ]
    assert (listed["read"], listed["settled"], listed["waiting"]) == (1, 1, 0)
    panel = cora_client.get(reverse("api:study", args=[told["panel"]])).json()
    assert panel["adjudicates"] == str(study.pk)
    refused = cora_client.post(
        reverse("api:adjudications"),
        asked | {"study": told["panel"]},
        content_type="application/json",
    )
    assert refused.status_code == 400
    for kind, name in (("own", "Disputed"), ("panels", "Disputed, adjudication 1")):
        page = cora_client.get(reverse("studies:list"), {"kind": kind})
        assert [study.name for study in page.context["object_list"]] == [name]


def test_what_simulated_readers_settle_is_marked(rosa: User, ravi: User) -> None:
    (simulated,) = simulated_readers(1)
    assert settle(send(disputed(rosa, ravi), simulated), simulated).is_simulated


def test_a_retraction_reaches_final_readings(rosa: User, ravi: User, otto: User) -> None:
    study = disputed(rosa, ravi)
    settle(send(study, otto), otto)
    assert final_readings().count() == 1
    with transaction.atomic():
        retract(study=study, reason="Wrong screen.")
        assert not final_readings().exists()
        transaction.set_rollback(True)
    retract(reader=otto, reason="Wrong screen.")
    assert not final_readings().exists()
