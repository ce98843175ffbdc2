"""Cases sent to adjudication by coordinators, and what the final readings change and leave."""

import io

import numpy as np
import pandas as pd
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.curation.rules import Rules, collect_opinions, evaluate
from feedback_app.curation.services import create_policy
from feedback_app.finetuning.services import take_snapshot
from feedback_app.finetuning.services.snapshots import retake_snapshot
from feedback_app.provenance.impact import impact_of
from feedback_app.readings.retraction_models import Sources
from feedback_app.readings.services.retractions import retract
from feedback_app.results.cases import find_cases
from feedback_app.results.figures import figures_of
from feedback_app.results.page import page_of
from feedback_app.results.reviewed import review
from feedback_app.studies.models import Adjudication, Study
from tests.readings.answers import read
from tests.readings.filling import rated_study
from tests.readings.rooms import assign, make_room, synthetic
from tests.readings.settling import decide, disputed, read_blind, send, settle

pytestmark = pytest.mark.django_db


def post(client: Client, study: Study, **data: object) -> str:
    """Sends what the form says; the message on the page that comes next."""
    address = reverse("readings:results-cases", args=[study.pk])
    answer = client.post(address, {"action": "adjudicate", **data}, follow=True)
    (message,) = answer.context["messages"]
    return str(message)


def test_a_coordinator_sends_ticked_cases_or_the_most_disputed(
    cora_client: Client, rosa: User, ravi: User, otto: User
) -> None:
    study = rated_study(rosa, ravi, scores=np.array([[3, 3], [0, 5], [2, 4], [1, 2]]))
    keys = dict(study.cases.values_list("position", "pk"))
    said = post(cora_client, study, pick=[keys[0], keys[2]], adjudicators=[otto.pk])
    assert said == "2 cases are on the work list of Otto."
    said = post(cora_client, study, most_disputed="1", adjudicators=[otto.pk, ravi.pk])
    assert said == "One case is on the work list of Ravi, Otto."
    sent = [
        sorted(one.original.position for one in adjudication.cases.all())
        for adjudication in study.adjudications.all()
    ]
    assert sent == [[0, 2], [1]]
    page = cora_client.get(reverse("readings:results-cases", args=[study.pk]))
    assert [(one.cases, one.slots, one.read) for one in page.context["rounds"]] == [
        (2, 2, 0), (1, 2, 0),
    ]  # fmt: skip
    for wrong in ({"adjudicators": [otto.pk]}, {"pick": [keys[1]]}, {}):
        post(cora_client, study, **wrong)
    assert Adjudication.objects.count() == 2
    with pytest.raises(CommandError, match="no case 9"):
        call_command("adjudicate", study.name, cases=[9], adjudicators=["otto"])
    out = io.StringIO()
    call_command("adjudicate", study.name, most_disputed=5, adjudicators=["otto"], stdout=out)
    assert out.getvalue() == "Filled, adjudication 3: 1 cases\n"
    with pytest.raises(CommandError, match="Its rounds: Filled, adjudication 1"):
        call_command("adjudicate", study.name, withdraw="another")
    call_command("adjudicate", study.name, withdraw="Filled, adjudication 3", stdout=out)
    assert out.getvalue().endswith("Filled, adjudication 3: 2 open readings taken back\n")


def test_case_by_case_has_the_final_reading_beside_the_originals(
    cora_client: Client, rosa: User, ravi: User, otto: User
) -> None:
    study = disputed(rosa, ravi)
    adjudication = send(study, otto)
    (waiting,) = find_cases(study, show="sent")
    settle(adjudication, otto)
    (reviewed,) = review(
        study, list(find_cases(study, show="settled").values_list("pk", flat=True))
    )
    assert waiting == reviewed.case
    assert [said.reader for said in reviewed.said] == ["Rosa", "Ravi"]
    assert [(said.is_final, said.scores[0][1]) for said in reviewed.adjudicated] == [
        (False, ("2",)), (True, ("4",)),
    ]  # fmt: skip
    for one in (study, adjudication.panel):  # the panel's results are those of its study
        page = cora_client.get(reverse("readings:results-cases", args=[one.pk])).content.decode()
        assert "final reading" in page
        assert "Because of the ribs." in page


def test_agreement_is_told_before_and_after(rosa: User, ravi: User, otto: User) -> None:
    """Two of four cases are agreed on; two are 5 apart, and a round settles them alike."""
    study = rated_study(rosa, ravi, scores=np.array([[0, 0], [4, 4], [0, 5], [0, 5]]))
    assert figures_of(study).adjudication == ()
    adjudication = send(study, otto, ravi, cases=(2, 3))
    for reader, blind in ((otto, 1), (ravi, 4)):
        read_blind(adjudication, reader, value=blind)
    for reader in (otto, ravi):
        decide(adjudication, reader, value=5)
    figures = figures_of(study)
    assert figures.reading_count == 8  # nothing of it is among the study's own readings
    (one,) = figures.adjudication
    assert one.settled == 2
    assert one.before.value < 0.2
    assert one.after.value == 1.0
    assert one.readers.value < one.before.value
    assert one.kept.value == 0.5
    kept = dict(zip(figures.readers, one.kept_by_reader, strict=True))
    assert {name: share.value for name, share in kept.items()} == {"Rosa": 0.0, "Ravi": 1.0}
    part = next(
        part
        for part in page_of(study, figures, can_be_shared=True).parts
        if part.slug == "adjudication"
    )
    assert part.table is not None
    assert part.table.rows[0][:2] == ("Realism", "2")


def test_comparisons_are_settled_too(rosa: User, ravi: User, otto: User) -> None:
    study = make_room("compare", rosa, ravi, cases=[[synthetic(1), synthetic(2)]], name="Pairs")
    for reader in (rosa, ravi):
        read(assign(study, reader)[0])
    settle(send(study, otto), otto)
    one, _ = figures_of(study).adjudication
    assert (one.settled, one.kept.is_known) == (1, True)


def test_the_file_names_the_role_and_the_reason(
    cora_client: Client, rosa: User, ravi: User, otto: User
) -> None:
    study = disputed(rosa, ravi)
    settle(send(study, otto, cases=(1,)), otto)
    found = {}
    for name in ("scores", "comments"):
        answer = cora_client.get(reverse("readings:readings-file", args=[study.pk, name, "csv"]))
        found[name] = pd.read_csv(io.BytesIO(b"".join(answer.streaming_content)))  # type: ignore[attr-defined]
    roles = found["scores"].groupby("role")
    assert roles.value.unique().map(sorted).to_dict() == {
        "reading": [0, 5], "adjudication_blind": [2], "adjudication": [4],
    }  # fmt: skip
    final = found["scores"][found["scores"].role == "adjudication"]
    assert (set(final.case), set(final.image), set(final.case_role)) == ({2}, {"2-1"}, {"ordinary"})
    reasons = found["comments"][found["comments"].role == "adjudication"]
    assert list(reasons.comment) == ["Because of the ribs."]


def test_a_policy_prefers_final_readings_only_where_it_says_so(
    rosa: User, ravi: User, otto: User
) -> None:
    study = disputed(rosa, ravi)
    settle(send(study, otto), otto, final=4)
    means = {}
    for prefers in (False, True):
        policy = create_policy(
            f"{prefers}", studies=[study], min_mean_scores={"realism": 3}, min_readers=2,
            refuses_copies=False, prefers_final=prefers,
        )  # fmt: skip
        rules = Rules.of(policy)
        assert ("prefers_final" in rules.as_json()) == prefers
        images = collect_opinions(rules)
        means[prefers] = sorted(float(one.means["realism"]) for one in images.values())
        admitted = evaluate(rules).admitted
        assert [item.mean_scores["realism"] for item in admitted] == ([4.0] if prefers else [])
    assert means == {False: [2.5, 2.5], True: [2.5, 4.0]}


def test_a_snapshot_prefers_final_readings_only_where_it_says_so(
    rosa: User, ravi: User, otto: User
) -> None:
    study = disputed(rosa, ravi, images=2, mode="rate_k")
    before = take_snapshot(name="Before", simulated=False)
    final = settle(send(study, otto), otto)
    plain = take_snapshot(name="Plain", simulated=False)
    assert plain.sha256 == before.sha256
    preferring = take_snapshot(name="Final", simulated=False, studies=[study], prefers_final=True)
    readings = preferring.rated_images.values_list("reading__reader__username", flat=True)
    assert sorted(readings) == ["otto"] * 2 + ["ravi"] * 2 + ["rosa"] * 2
    assert final.pk in preferring.rated_images.values_list("reading", flat=True)
    assert preferring in impact_of(Sources(readers=[otto.pk])).snapshots
    assert preferring in impact_of(Sources(studies=[study.pk])).snapshots
    assert retake_snapshot(preferring).sha256 == preferring.sha256
    retract(reader=otto, reason="Wrong screen.")
    rebuilt = retake_snapshot(preferring)
    assert rebuilt.rated_images.filter(reading__reader=otto).count() == 0
    assert rebuilt.rated_images.count() == 4
