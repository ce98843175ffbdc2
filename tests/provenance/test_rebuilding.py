"""Making anew what rests on retracted readings, one by one and as a chain; each of it twice."""

import io
import json
import zipfile
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from feedback_app.accounts.models import User
from feedback_app.curation.models import CuratedSet
from feedback_app.exports.models import Export
from feedback_app.finetuning.models import FineTune, Snapshot
from feedback_app.finetuning.services import start_finetune
from feedback_app.finetuning.services.snapshots import retake_snapshot
from feedback_app.images.models import ModelVersion
from feedback_app.provenance.impact import impact_of_all, latest_of
from feedback_app.provenance.rebuilding import advance, ask_for_rebuild, rebuild
from feedback_app.readings.retraction_models import Retraction
from feedback_app.readings.services.retractions import retract, undo_retraction
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run, State
from generation.errors import RemediableError
from tests.images.masked import make_masked_cohort
from tests.provenance.chains import Chain
from tests.world import read

pytestmark = pytest.mark.django_db

REASON = "Read with the screen turned down."
Finish = Callable[[FineTune], ModelVersion]


@pytest.fixture
def retraction(chain: Chain, ravi: User) -> Retraction:
    return retract(reader=ravi, reason=REASON)


def counts() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (Snapshot, FineTune, CuratedSet, Export, Run))


def test_a_snapshot_taken_anew_differs_by_the_retracted_readings_alone(
    chain: Chain, ravi: User
) -> None:
    same = retake_snapshot(chain.snapshot)
    assert same.sha256 == chain.snapshot.sha256
    retract(reader=ravi, reason=REASON)
    without = retake_snapshot(chain.snapshot)
    kept = chain.snapshot.pairs.exclude(reading__reader=ravi)
    assert set(without.pairs.values_list("reading", "winner", "loser")) == set(
        kept.values_list("reading", "winner", "loser")
    )
    rated = chain.snapshot.rated_images.exclude(reading__reader=ravi)
    assert rated.filter(reading__slot__study=chain.stage.study).exists()
    assert set(without.rated_images.values_list("reading", "image")) == set(
        rated.values_list("reading", "image")
    )
    assert without.replaces == chain.snapshot


def test_a_whole_chain_is_rebuilt_as_its_runs_finish(
    chain: Chain, retraction: Retraction, ada: User, finish: Finish
) -> None:
    outcome = ask_for_rebuild(retraction, asked_by=ada)
    assert len(outcome.made) == 4  # the grandchild waits for the child
    assert len(outcome.waiting) == 1
    child = chain.child.replacements.get()
    assert child.run.state == State.QUEUED
    assert child.snapshot == chain.snapshot.replacements.get()
    assert (child.parent, child.settings) == (chain.child.parent, chain.child.settings)

    before = counts()
    advance(retraction)
    ask_for_rebuild(retraction, asked_by=ada)
    assert counts() == before  # nothing twice

    going_on = Run.objects.get(kind="continue_rebuild")
    assert runs.execute(going_on.pk) is None  # the child is still being taught
    version = finish(child)
    done = runs.execute(going_on.pk)
    assert done is not None
    assert done.result == {"made": 1, "waiting": 0, "refused": 0}
    grandchild = chain.grandchild.replacements.get()
    assert (grandchild.parent, grandchild.method) == (version, "dpo_paper")
    assert grandchild.settings["steps"] == 7
    retraction.refresh_from_db()
    assert retraction.rebuild_asked_at is None  # done
    tainted = impact_of_all()
    for row in (chain.snapshot, chain.child, chain.grandchild, chain.curated_set, chain.export):
        assert row in tainted
        assert latest_of(row) not in tainted


def test_a_chain_stops_at_a_failure_by_name_and_its_retry_takes_it_on(
    chain: Chain, retraction: Retraction, ada: User, finish: Finish
) -> None:
    ask_for_rebuild(retraction, asked_by=ada)
    child = chain.child.replacements.get()
    going_on = Run.objects.get(kind="continue_rebuild")
    runs.cancel(child.run)
    going_on.refresh_from_db()
    assert (going_on.state, going_on.failed_with) == (State.FAILED, child.run)
    assert runs.retry(child.run)
    finish(child)
    assert runs.execute(going_on.pk) is not None
    assert chain.grandchild.replacements.exists()


def test_a_rebuild_that_was_asked_for_before_goes_on(
    chain: Chain, retraction: Retraction, ada: User, finish: Finish
) -> None:
    """What the migration does with it."""
    ask_for_rebuild(retraction, asked_by=ada)
    Run.objects.filter(kind="continue_rebuild").delete()
    module = import_module("feedback_app.readings.migrations.0006_rebuilds_go_on_by_runs")
    module.go_on(apps, None)
    runs.execute(Run.objects.get(kind="continue_rebuild").pk)
    going_on = Run.objects.get(kind="continue_rebuild", state=State.QUEUED)
    finish(chain.child.replacements.get())
    runs.execute(going_on.pk)
    assert chain.grandchild.replacements.exists()


def test_a_rebuilt_exports_manifest_names_the_one_that_it_replaces(
    chain: Chain, retraction: Retraction, ada: User
) -> None:
    ask_for_rebuild(retraction, asked_by=ada)
    export = chain.export.replacements.get()
    runs.execute(export.run_id)
    export.refresh_from_db()
    assert export.blob
    assert chain.export.blob
    with zipfile.ZipFile(io.BytesIO(export.blob.read())) as archive:
        manifest = json.loads(archive.read("manifest.json"))
    assert manifest["replaces"] == {
        "export": str(chain.export.pk),
        "archive_sha256": chain.export.blob.sha256,
        "curated_set_sha256": chain.curated_set.sha256,
        "reason": "it rests on readings that were retracted",
    }
    with zipfile.ZipFile(io.BytesIO(chain.export.blob.read())) as archive:
        assert "replaces" not in json.loads(archive.read("manifest.json"))


def test_each_can_be_rebuilt_alone_in_order(
    chain: Chain, retraction: Retraction, ada: User
) -> None:
    with pytest.raises(RemediableError, match="snapshot"):
        rebuild(chain.child, asked_by=ada)
    with pytest.raises(RemediableError, match="curated set"):
        rebuild(chain.export, asked_by=ada)
    for row in (chain.snapshot, chain.child, chain.curated_set, chain.export):
        first: Any = rebuild(row, asked_by=ada)
        assert first.replaces == row
        assert rebuild(row, asked_by=ada) == first
    with pytest.raises(RemediableError, match="waits"):
        rebuild(chain.grandchild, asked_by=ada)


def test_a_coordinator_rebuilds_all_but_exports(
    chain: Chain, retraction: Retraction, cora: User, ada: User
) -> None:
    outcome = ask_for_rebuild(retraction, asked_by=cora)
    assert [type(row) for row in outcome.made] == [Snapshot, FineTune, CuratedSet]
    assert any("admins only" in line for line in outcome.refused)
    assert [type(row) for row in ask_for_rebuild(retraction, asked_by=ada).made] == [Export]


def test_where_nothing_is_left_it_is_said_and_the_rest_is_rebuilt(
    chain: Chain, ravi: User, rosa: User, ada: User
) -> None:
    retract(reader=ravi, reason=REASON)
    of_rosa = retract(reader=rosa, reason="The wrong images were read.")
    outcome = ask_for_rebuild(of_rosa, asked_by=ada)
    assert outcome.made == []
    assert any("nothing to learn from" in line for line in outcome.refused)
    of_rosa.refresh_from_db()
    assert of_rosa.rebuild_asked_at is None


def test_where_ratings_alone_are_left_what_learns_from_pairs_is_refused(
    chain: Chain, ada: User
) -> None:
    of_pairs = retract(study=chain.pairs, reason="The wrong images.")
    outcome = ask_for_rebuild(of_pairs, asked_by=ada)
    (rebuilt,) = outcome.made
    assert isinstance(rebuilt, Snapshot)
    assert rebuilt.rated_images.exists()
    assert not rebuilt.pairs.exists()
    assert any("holds no pair" in line for line in outcome.refused)


def test_a_fine_tune_is_repeated_with_the_cohort_that_it_practised_on(
    chain: Chain, ravi: User
) -> None:
    cohort = make_masked_cohort(train=1)
    fine_tune = start_finetune(
        snapshot=chain.snapshot,
        parent=chain.child.parent,
        method="dpo_margin",
        real_cohort=cohort,
    )
    retract(reader=ravi, reason=REASON)
    rebuild(chain.snapshot)
    repeated = rebuild(fine_tune)
    assert isinstance(repeated, FineTune)
    assert repeated.real_cohort == cohort


def test_a_fine_tune_that_failed_is_retried_before_the_next_one(
    chain: Chain, retraction: Retraction, ada: User
) -> None:
    ask_for_rebuild(retraction, asked_by=ada)
    Run.objects.filter(fine_tune__replaces=chain.child).update(
        state=State.FAILED, finished_at=timezone.now()
    )
    outcome = advance(retraction)
    assert any("Retry its run" in line for line in outcome.refused)


def test_a_replacement_that_rests_on_what_is_retracted_next_is_replaced_in_turn(
    chain: Chain, retraction: Retraction, rosa: User, ada: User
) -> None:
    """And draws on no reading that came after the first of them."""
    first = rebuild(chain.snapshot, asked_by=ada)
    assert isinstance(first, Snapshot)
    slot = chain.pairs.slots.filter(reader=rosa).earliest("position")
    read(slot)  # a revision, later than the snapshot
    undo_retraction(retraction, reason="It was another screen.")
    retract(reader=rosa, reason="It was this reader.")
    second = rebuild(first, asked_by=ada)
    assert isinstance(second, Snapshot)
    assert second.replaces == first
    assert latest_of(chain.snapshot) == second
    assert {pair.reading.reader.username for pair in second.pairs.all()} == {"ravi"}


def test_an_undone_retraction_rebuilds_nothing(chain: Chain, retraction: Retraction) -> None:
    undo_retraction(retraction, reason="no")
    retraction.refresh_from_db()
    with pytest.raises(RemediableError, match="undone"):
        ask_for_rebuild(retraction)
    assert advance(retraction).made == []


# Pages, programs, command


def test_one_button_rebuilds_everything(
    chain: Chain, retraction: Retraction, ada_client: Client
) -> None:
    address = reverse("retractions:rebuild-all", args=[retraction.pk])
    page = ada_client.post(address, follow=True).content.decode()
    assert "4 rebuilt or started" in page
    assert "Monday, rebuilt" in page
    assert "waits for what is taught in its place" in page
    before = counts()
    ada_client.post(address)
    assert counts() == before
    shown = ada_client.get(reverse("finetuning:snapshot", args=[chain.snapshot.pk]))
    assert "Monday, rebuilt" in shown.content.decode()
    replacement = chain.snapshot.replacements.get()
    page = ada_client.get(reverse("finetuning:snapshot", args=[replacement.pk])).content.decode()
    assert "replaces" in page
    assert "rests on retracted readings" not in shown


def test_a_coordinator_is_told_why_one_was_not_rebuilt(
    chain: Chain, retraction: Retraction, cora_client: Client
) -> None:
    address = reverse("retractions:rebuild", args=[retraction.pk])
    posted = {"kind": "export", "row": str(chain.export.pk)}
    page = cora_client.post(address, posted, follow=True).content.decode()
    assert "admins only" in page
    for kind, row in (("snapshot", "x"), ("image", "x"), ("", "")):
        assert cora_client.post(address, {"kind": kind, "row": row}).status_code == 404


def test_programs_rebuild(chain: Chain, retraction: Retraction, ada_client: Client) -> None:
    address = reverse("api:retraction-rebuild", args=[retraction.pk])
    first = ada_client.post(address, {}, content_type="application/json").json()
    assert [one["kind"] for one in first["made"]] == [
        "snapshot", "fine-tune", "curated-set", "export",
    ]  # fmt: skip
    again = ada_client.post(address, {}, content_type="application/json").json()
    assert again["made"] == []
    seen = ada_client.get(reverse("api:retraction", args=[retraction.pk])).json()
    replaced = [item["kind"] for item in seen["rests_on_it"]["items"] if item["replacement"]]
    assert replaced == ["snapshot", "fine-tune", "curated-set", "export"]


def test_the_command_rebuilds(chain: Chain, retraction: Retraction) -> None:
    out = io.StringIO()
    call_command("retract", "reader", "ravi", rebuild=True, queue=True, stdout=out)
    assert "rebuilt: snapshot" in out.getvalue()
    assert "waits for what is taught" in out.getvalue()


def test_sources_of_sets_that_were_made_before_are_found(chain: Chain) -> None:
    """What the migration does with a set that has none."""
    module = import_module("feedback_app.curation.migrations.0005_sources_of_old_sets")
    known = set(chain.curated_set.sources.values_list("study", "reader"))
    assert len(known) == 2
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE curation_curatedsource DISABLE TRIGGER append_only")
        cursor.execute("DELETE FROM curation_curatedsource")
    module.name_sources(apps, None)
    assert set(chain.curated_set.sources.values_list("study", "reader")) == known
