"""Retracting readings: nothing new is drawn from them, and what rests on them is known."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import models
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import AuditEvent, User
from feedback_app.curation.models import CuratedSet
from feedback_app.curation.rules import Rules, evaluate
from feedback_app.curation.services import apply_policy
from feedback_app.finetuning.models import FineTune, Snapshot
from feedback_app.finetuning.services import count_new_pairs, start_finetune, take_snapshot
from feedback_app.finetuning.services.pairs import find_pairs
from feedback_app.finetuning.services.ratings import find_ratings
from feedback_app.provenance.impact import impact_of, impact_of_all
from feedback_app.readings.models import Reading
from feedback_app.readings.retraction_models import Retraction, Sources, retracted_in
from feedback_app.readings.services.retractions import retract, undo_retraction
from feedback_app.results.figures import figures_of
from feedback_app.results.images import results_of
from generation.errors import RemediableError
from tests.provenance.chains import Chain

pytestmark = pytest.mark.django_db

JSON = "application/json"
REASON = "Read with the screen turned down."


def test_what_rests_on_a_readers_readings_is_found(chain: Chain, ravi: User) -> None:
    impact = impact_of(Sources(readers=[ravi.pk]))
    assert impact.snapshots == (chain.snapshot,)
    assert impact.fine_tunes == (chain.child, chain.grandchild)
    assert impact.versions == (chain.child.model_version, chain.grandchild.model_version)
    assert impact.curated_sets == (chain.curated_set,)
    assert impact.exports == (chain.export,)
    assert impact.readings == Reading.objects.filter(reader=ravi).count()


def test_what_rests_on_a_studys_readings_is_found(chain: Chain) -> None:
    of_pairs = impact_of(Sources(studies=[chain.pairs.pk]))
    assert (of_pairs.snapshots, of_pairs.curated_sets) == ((chain.snapshot,), ())
    of_singles = impact_of(Sources(studies=[chain.stage.study.pk]))
    assert of_singles.snapshots == (chain.snapshot,)  # which holds ratings of single images
    assert of_singles.curated_sets == (chain.curated_set,)


def test_a_reader_is_retracted_in_one_study_alone(
    chain: Chain, ravi: User, cora_client: Client, rosa: User
) -> None:
    single = chain.stage.study
    impact = impact_of(Sources(places=[(ravi.pk, single.pk)]))
    assert impact.curated_sets == (chain.curated_set,)
    of_ravi = Reading.objects.filter(reader=ravi)
    assert impact.readings == of_ravi.filter(slot__study=single).count()
    elsewhere = of_ravi.exclude(slot__study=single).standing().count()
    assert elsewhere
    posted = {"target": f"place:{ravi.pk}:{single.pk}", "reason": REASON, "is_seen": "on"}
    page = cora_client.post(reverse("retractions:new"), posted, follow=True).content.decode()
    assert f"{ravi.display_name} in “{single.name}”" in page
    assert not of_ravi.filter(slot__study=single).standing().exists()
    assert of_ravi.exclude(slot__study=single).standing().count() == elsewhere
    assert Reading.objects.filter(reader=rosa, slot__study=single).standing().exists()
    assert retracted_in(single) == {ravi.pk}
    assert retracted_in(chain.pairs) == set()
    with pytest.raises(RemediableError, match="retracted already"):
        retract(reader=ravi, study=single, reason=REASON)
    retract(reader=ravi, reason=REASON)  # everywhere, which is more
    with pytest.raises(RemediableError, match="It is not said"):
        retract(reason=REASON)


def test_a_fine_tune_upon_a_taught_version_rests_on_its_readings_too(
    chain: Chain, ravi: User, finish: Callable[[FineTune], object]
) -> None:
    retract(reader=ravi, reason=REASON)
    clean = take_snapshot(name="Tuesday", simulated=False)
    assert chain.grandchild.model_version
    great = start_finetune(
        snapshot=clean, parent=chain.grandchild.model_version, method="dpo_margin"
    )
    impact = impact_of_all()
    assert great in impact
    assert clean not in impact


def test_every_part_of_a_snapshot_that_holds_readings_is_looked_at() -> None:
    """A new one belongs into ``snapshots_resting_on``."""
    holding = {
        relation.related_model.__name__
        for relation in Snapshot._meta.related_objects
        if any(
            isinstance(field, models.ForeignKey) and field.related_model is Reading
            for field in relation.related_model._meta.get_fields()
        )
    }
    assert holding == {"Pair", "RatedImage", "Remark"}


def test_nothing_new_is_drawn_from_retracted_readings(chain: Chain, ravi: User) -> None:
    rules = Rules.of(chain.curated_set.policy)
    before = evaluate(rules)
    retract(reader=ravi, reason=REASON)
    readers = Reading.objects.filter(
        pk__in=[pair.winner.reading_id for pair in find_pairs(simulated=False)]
    )
    assert {reading.reader.username for reading in readers} == {"rosa"}
    rated = Reading.objects.filter(
        pk__in=[rating.seen.reading_id for rating in find_ratings(simulated=False)]
    )
    assert {reading.reader.username for reading in rated} == {"rosa"}
    assert count_new_pairs(simulated=False, since=None) == len(find_pairs(simulated=False))
    after = evaluate(rules)
    assert {item.reader_count for item in after.admitted} == {1}
    assert len(before.admitted) == 3
    assert [item.mean_scores["realism"] for item in after.admitted] != [
        item.mean_scores["realism"] for item in before.admitted
    ]


def test_results_leave_retracted_readings_out_and_say_how_many(
    chain: Chain, ravi: User, cora_client: Client
) -> None:
    study = chain.stage.study
    address = reverse("readings:results", args=[study.pk])
    cora_client.get(address)
    retract(reader=ravi, reason=REASON)
    figures = figures_of(study)
    assert (figures.readers, figures.reading_count, figures.retracted) == (("Rosa",), 4, 4)
    assert results_of(study).readings == 4
    page = cora_client.get(address).content.decode()
    assert "4 readings of retracted readers or studies are left out" in page
    undo_retraction(Retraction.objects.get(), reason="It was another screen.")
    assert "left out" not in cora_client.get(address).content.decode()
    cache.clear()


def test_undoing_it_makes_readings_count_again(chain: Chain, ravi: User, cora: User) -> None:
    pairs = find_pairs(simulated=False)
    retraction = retract(reader=ravi, reason=REASON, made_by=cora)
    undo_retraction(retraction, reason="It was another screen.", undone_by=cora)
    assert find_pairs(simulated=False) == pairs
    assert impact_of_all().count == 0
    actions = AuditEvent.objects.filter(actor=cora).values_list("action", "details__reason")
    assert list(actions) == [
        ("reader.retraction_undone", "It was another screen."),
        ("reader.retracted", REASON),
    ]


def test_it_is_retracted_once_and_undone_once(chain: Chain, ravi: User) -> None:
    retraction = retract(reader=ravi, reason=REASON)
    with pytest.raises(RemediableError, match="already"):
        retract(reader=ravi, reason="again")
    undo_retraction(retraction, reason="wrong")
    with pytest.raises(RemediableError, match="already"):
        undo_retraction(retraction, reason="wrong")
    retract(reader=ravi, reason="again")


@pytest.mark.parametrize("reason", ["", "  ", "x" * 2_001])
def test_a_reason_is_needed(ravi: User, reason: str) -> None:
    with pytest.raises(RemediableError):
        retract(reader=ravi, reason=reason)
    assert not Retraction.objects.exists()


def test_a_set_that_says_the_same_as_a_tainted_one_is_made_anew(chain: Chain, ravi: User) -> None:
    """Ravi's readings may have changed nothing; the old set rests on them all the same."""
    retract(reader=ravi, reason=REASON)
    made = apply_policy(chain.curated_set.policy)
    assert made != chain.curated_set
    assert made not in impact_of_all()
    assert apply_policy(chain.curated_set.policy) == made
    assert CuratedSet.objects.count() == 2


# Pages


def test_what_rests_on_readings_is_listed_before_they_are_retracted(
    chain: Chain, ravi: User, cora_client: Client
) -> None:
    address = reverse("retractions:new")
    page = cora_client.get(address, {"target": f"reader:{ravi.pk}"}).content.decode()
    assert "Monday" in page
    assert "Night" in page
    posted = {"target": f"reader:{ravi.pk}", "reason": REASON}
    assert cora_client.post(address, posted).status_code == 400  # not seen
    assert not Retraction.objects.exists()
    answer = cora_client.post(address, posted | {"is_seen": "on"})
    retraction = Retraction.objects.get()
    assert answer.url == reverse("retractions:show", args=[retraction.pk])  # type: ignore[attr-defined]
    assert cora_client.post(address, posted | {"is_seen": "on"}).status_code == 400
    assert Retraction.objects.count() == 1


@pytest.mark.parametrize("target", ["reader:999", "study:x", "reader:x", "nonsense", ""])
def test_who_cannot_be_retracted_is_refused(cora_client: Client, target: str) -> None:
    address = reverse("retractions:new")
    assert cora_client.get(address, {"target": target}).status_code == 200
    posted = {"target": target, "reason": REASON, "is_seen": "on"}
    assert cora_client.post(address, posted).status_code == 400


def test_marks_are_everywhere_and_lead_to_the_retraction(
    chain: Chain, ravi: User, ada_client: Client
) -> None:
    addresses = [
        reverse("finetuning:snapshot", args=[chain.snapshot.pk]),
        reverse("finetuning:finetune", args=[chain.child.pk]),
        reverse("finetuning:overview"),
        reverse("models"),
        reverse("curation:set", args=[chain.curated_set.pk]),
        reverse("curation:list"),
        reverse("exports:list"),
        reverse("exports:export", args=[chain.export.pk]),
    ]
    mark = "rests on retracted readings"
    for address in addresses:
        assert mark not in ada_client.get(address).content.decode(), address
    retraction = retract(reader=ravi, reason=REASON)
    link = reverse("retractions:show", args=[retraction.pk])
    for address in addresses:
        page = ada_client.get(address).content.decode()
        assert mark in page, address
        assert link in page, address
    assert (
        "retracted" in ada_client.get(reverse("accounts:person", args=[ravi.pk])).content.decode()
    )


def test_downloading_a_marked_export_warns_first_and_is_logged(
    chain: Chain, ravi: User, ada_client: Client
) -> None:
    address = reverse("exports:download", args=[chain.export.pk])
    whole: Any = ada_client.get(address)
    assert whole.status_code == 200
    b"".join(whole.streaming_content)
    retract(reader=ravi, reason=REASON)
    warned = ada_client.get(address)
    assert warned.status_code == 409
    assert b"rests on retracted readings" in warned.content
    despite: Any = ada_client.get(f"{address}?despite=retraction")
    assert despite.status_code == 200
    assert despite["Content-Type"] == "application/zip"
    b"".join(despite.streaming_content)
    logged = AuditEvent.objects.filter(action="export.downloaded")
    assert [event.details for event in logged] == [{"despite_retraction": True}, {}]


# Programs


def test_programs_retract_and_undo(
    chain: Chain, ravi: User, cora_client: Client, rosa_client: Client
) -> None:
    seen = cora_client.post(
        reverse("api:retraction-preview"), {"reader": "ravi"}, content_type=JSON
    ).json()
    assert [item["kind"] for item in seen["items"]] == [
        "snapshot", "fine-tune", "fine-tune", "curated-set", "export",
    ]  # fmt: skip
    body = {"reader": "ravi", "reason": REASON}
    address = reverse("api:retractions")
    assert rosa_client.post(address, body, content_type=JSON).status_code == 403
    made = cora_client.post(address, body, content_type=JSON)
    assert made.status_code == 201
    assert cora_client.post(address, body, content_type=JSON).status_code == 400
    one = made.json()["id"]
    assert cora_client.get(reverse("api:retraction", args=[one])).json()["is_active"]
    undo = reverse("api:retraction-undo", args=[one])
    assert cora_client.post(undo, {}, content_type=JSON).status_code == 400
    assert cora_client.post(undo, {"reason": "no"}, content_type=JSON).json()["is_active"] is False
    assert cora_client.post(undo, {"reason": "no"}, content_type=JSON).status_code == 400
    assert len(cora_client.get(address).json()["results"]) == 1


@pytest.mark.parametrize("body", [{}, {"reader": "nobody"}, {"study": "x"}])
def test_programs_are_told_what_is_wrong(cora_client: Client, body: dict[str, str]) -> None:
    answer = cora_client.post(
        reverse("api:retractions"), body | {"reason": REASON}, content_type="application/json"
    )
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


def test_the_command_lists_retracts_and_undoes(chain: Chain, ravi: User) -> None:
    out = io.StringIO()
    call_command("retract", "reader", "ravi", stdout=out)
    assert "5 things rest on them" in out.getvalue()
    assert not Retraction.objects.exists()
    call_command("retract", "reader", "ravi", reason=REASON, stdout=out)
    assert Retraction.objects.get().is_active
    with pytest.raises(CommandError, match="already"):
        call_command("retract", "reader", "ravi", reason=REASON, stdout=out)
    call_command("retract", "reader", "ravi", reason="no", undo=True, stdout=out)
    assert not Retraction.objects.get().is_active
    with pytest.raises(CommandError, match="no study"):
        call_command("retract", "study", "Nowhere", stdout=out)
