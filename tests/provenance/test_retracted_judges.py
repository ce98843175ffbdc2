"""Reward models and verdicts that rest on retracted readings: marked, made anew, asked again."""

from collections.abc import Callable
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from feedback_app.accounts.models import User
from feedback_app.finetuning.gates.judges import independent_reward_models
from feedback_app.finetuning.gates.people import compare_by_people
from feedback_app.finetuning.gates.promotion import needs_reason, promote_version
from feedback_app.finetuning.models import FineTune, Gate, GateJudge, RewardModel, Snapshot
from feedback_app.finetuning.services import start_finetune, take_snapshot
from feedback_app.images.models import ModelVersion, Scorer
from feedback_app.provenance.impact import impact_of_all, latest_of
from feedback_app.provenance.rebuilding import advance, ask_for_rebuild
from feedback_app.readings.retraction_models import Retraction
from feedback_app.readings.services.retractions import retract, undo_retraction
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run, State
from feedback_app.studies.models import Slot, Study
from generation.errors import RemediableError
from tests.finetuning.gate_world import asked, child_of, choose, decided, good_figures
from tests.finetuning.read_studies import Read
from tests.provenance.chains import taught_reward_model

pytestmark = pytest.mark.django_db
REASON = "Read with the screen turned down."


@pytest.fixture
def snapshots(
    make_fours: Callable[..., Study],
    read: Read,
    rosa: User,
    ravi: User,
) -> tuple[Snapshot, Snapshot]:
    """One by Rosa, which teaches a child, and one by Ravi, which teaches a judge."""
    study = make_fours(rosa, ravi)
    for slot in Slot.objects.filter(study=study):
        read(slot, [5, 4, 2, 0])
    taken = []
    for name, other in (("rosa", ravi), ("ravi", rosa)):
        without = [slot.readings.get().pk for slot in Slot.objects.filter(reader=other)]
        taken.append(take_snapshot(name=name, simulated=False, without=without))
    return taken[0], taken[1]


@pytest.fixture
def child(snapshots: tuple[Snapshot, Snapshot], base: ModelVersion) -> ModelVersion:
    tune = start_finetune(snapshot=snapshots[0], parent=base, method="dpo_margin")
    return child_of(tune)


@pytest.fixture
def judge(snapshots: tuple[Snapshot, Snapshot]) -> Scorer:
    return taught_reward_model(snapshots[1], name="taste")


def judged_by(gate: Gate, **source: object) -> Gate:
    told = good_figures()["judge"] | {"source": {kind: str(pk) for kind, pk in source.items()}}
    decided(gate, judge=told)
    return gate


@pytest.fixture
def gate(child: ModelVersion, judge: Scorer) -> Gate:
    """Said promote, by a reward model that Ravi's readings taught."""
    return judged_by(asked(child), scorer=judge.pk)


@pytest.fixture
def retraction(gate: Gate, ravi: User) -> Retraction:
    return retract(reader=ravi, reason=REASON)


def test_a_reward_model_and_a_verdict_that_it_gave_rest_on_its_snapshots_readings(
    gate: Gate, judge: Scorer, retraction: Retraction
) -> None:
    impact = impact_of_all()
    assert impact.reward_models == (judge,)
    assert impact.gates == (gate,)
    assert impact.versions == ()
    undo_retraction(retraction, reason="no")
    assert judge not in impact_of_all()


def test_a_verdict_by_people_rests_on_who_compared(
    child: ModelVersion, rosa: User, ravi: User
) -> None:
    gate = asked(child)
    study = compare_by_people(gate, readers=[ravi], actor=None)
    choose(Slot.objects.filter(study=study).earliest("position"), child=True)
    judged_by(gate, study=study.pk)
    of_reader = retract(reader=ravi, reason=REASON)
    assert gate in impact_of_all()
    undo_retraction(of_reader, reason="no")
    assert gate not in impact_of_all()
    retract(study=study, reason="The wrong pairs.")
    assert impact_of_all().gates == (gate,)


def test_a_fine_tune_that_climbed_a_retracted_reward_model_rests_on_it(
    judge: Scorer,
    snapshots: tuple[Snapshot, Snapshot],
    base: ModelVersion,
    ravi: User,
) -> None:
    climber = start_finetune(snapshot=snapshots[0], parent=base, method="draft")
    assert climber.reward_model == judge
    version = child_of(climber)
    retract(reader=ravi, reason=REASON)
    impact = impact_of_all()
    assert (impact.fine_tunes, impact.versions) == ((climber,), (version,))
    again = start_finetune(snapshot=snapshots[0], parent=base, method="draft")
    assert again.reward_model is None


def test_what_rests_on_retracted_readings_judges_nothing_and_promotes_nothing(
    child: ModelVersion, gate: Gate, judge: Scorer, cora: User, ravi: User
) -> None:
    assert [scorer for scorer, _ in independent_reward_models(gate)] == [judge]
    assert not needs_reason(child)
    retract(reader=ravi, reason=REASON)
    assert independent_reward_models(gate) == []
    assert needs_reason(child)
    with pytest.raises(RemediableError, match="rests on retracted readings"):
        promote_version(child, actor=cora)


def finish_training(training: RewardModel) -> Scorer:
    runs = Run.objects.filter(pk=training.run.pk)
    runs.update(state=State.SUCCEEDED, finished_at=timezone.now())
    training.scorer = Scorer.objects.create(
        name=training.name,
        kind="reward-model",
        location=f"/{training.name}",
        sha256="5" * 64,
        is_active=False,
    )
    training.save()
    return training.scorer


def test_the_judge_is_trained_anew_and_its_verdict_asked_again_when_it_is_ready(
    child: ModelVersion,
    snapshots: tuple[Snapshot, Snapshot],
    rosa: User,
    ravi: User,
    make_fours: Callable[..., Study],
    read: Read,
    ada: User,
) -> None:
    study = make_fours(rosa, ravi, name="More", prompts=("mass", "nodule"))
    for slot in Slot.objects.filter(study=study):
        read(slot, [5, 4, 2, 0])
    taught = {pair.reading_id for pair in snapshots[0].pairs.all()}
    of_both = take_snapshot(name="both", simulated=False, without=taught)
    judge = taught_reward_model(of_both, name="both")
    gate = judged_by(asked(child), scorer=judge.pk)
    retraction = retract(reader=ravi, reason=REASON)
    outcome = ask_for_rebuild(retraction, asked_by=ada)
    training = next(row for row in outcome.made if isinstance(row, RewardModel))
    assert training.replaces == judge.reward_model
    assert training.snapshot.replaces == of_both
    assert any("waits for the reward models" in line for line in outcome.waiting)
    advance(retraction)
    assert RewardModel.objects.filter(replaces__scorer=judge).count() == 1  # nothing twice
    going_on = Run.objects.get(kind="continue_rebuild")
    assert runs.execute(going_on.pk) is None  # the judge is still being trained
    assert not gate.later.exists()

    made = finish_training(training)
    assert latest_of(judge) == made
    assert runs.execute(going_on.pk) is not None
    again = gate.later.get()
    assert again.asked.prompts == gate.asked.prompts
    assert independent_reward_models(again)[0][0] == made
    assert latest_of(gate) == again
    retraction.refresh_from_db()
    assert retraction.rebuild_asked_at is None
    assert advance(retraction).made == []
    assert Gate.objects.count() == 2


def test_the_gate_of_a_child_that_is_itself_marked_is_not_asked_again(
    gate: Gate, rosa: User, ada: User
) -> None:
    of_rosa = retract(reader=rosa, reason=REASON)
    outcome = ask_for_rebuild(of_rosa, asked_by=ada)
    assert impact_of_all().gates == ()  # its judge did not learn from Rosa
    assert not any(isinstance(row, Gate) for row in outcome.made)


def test_where_no_reading_is_left_the_reward_model_is_refused_by_name(
    gate: Gate, retraction: Retraction, ada: User
) -> None:
    outcome = ask_for_rebuild(retraction, asked_by=ada)
    assert any("The reward model taste needs its snapshot" in line for line in outcome.refused)
    (again,) = [row for row in outcome.made if isinstance(row, Gate)]
    assert again.child == gate.child
    assert advance(retraction).made == []


def test_marks_are_on_the_pages_of_models_gate_and_retraction(
    gate: Gate, judge: Scorer, retraction: Retraction, cora_client: Client
) -> None:
    mark = "rests on retracted readings"
    for address in (reverse("models"), reverse("finetuning:gate", args=[gate.pk])):
        assert mark in cora_client.get(address).content.decode(), address
    shown = reverse("retractions:show", args=[retraction.pk])
    page = cora_client.get(shown).content.decode()
    assert f"Gate of {gate.child.name}" in page
    assert "reward model" in page
    rebuild = reverse("retractions:rebuild", args=[retraction.pk])
    posted = {"kind": "gate", "row": str(gate.pk)}
    assert cora_client.post(rebuild, posted, follow=True).status_code == 200
    assert gate.later.exists()
    assert cora_client.post(rebuild, {"kind": "reward-model", "row": "x"}).status_code == 404


def test_judges_of_older_verdicts_are_named_by_the_migration(
    child: ModelVersion, judge: Scorer
) -> None:
    told = good_figures()["judge"] | {"name": f"The reward model {judge.name}"}
    decided(asked(child), judge=told)
    assert not GateJudge.objects.exists()
    module = import_module("feedback_app.finetuning.migrations.0007_gate_masks_and_judges")
    module.name_judges(apps, connection.schema_editor())
    assert GateJudge.objects.get().scorer == judge


def test_what_runs_and_locations_said_of_reward_models_before_becomes_rows(
    judge: Scorer,
    snapshots: tuple[Snapshot, Snapshot],
    base: ModelVersion,
    ravi: User,
) -> None:
    """Retraction finds the same by the rows as it found by names in specs."""
    climber = start_finetune(snapshot=snapshots[0], parent=base, method="draft")
    retract(reader=ravi, reason=REASON)
    before = impact_of_all()
    assert (before.reward_models, before.fine_tunes) == ((judge,), (climber,))
    first = RewardModel.objects.get()
    old_spec = {"name": "taste", "snapshot": str(snapshots[1].pk), "trunk": "a:b", "settings": {}}
    Run.objects.filter(pk=first.run.pk).update(spec=old_spec)
    queued = Run.objects.create(
        kind="train_reward_model",
        queue="gpu",
        title="again",
        spec={**old_spec, "name": "taste, rebuilt", "replaces": judge.pk},
    )
    FineTune.objects.filter(pk=climber.pk).update(
        reward_model=None, settings={**climber.settings, "reward_model": judge.location}
    )
    RewardModel.objects.all().delete()

    module = import_module("feedback_app.finetuning.migrations.0009_rows_of_reward_models")
    module.make_rows(apps, None)
    module.name_climbed(apps, None)

    again = RewardModel.objects.get(run=queued)
    assert again.scorer is None
    assert again.replaces == RewardModel.objects.get(scorer=judge)
    climber.refresh_from_db()
    assert climber.reward_model == judge
    assert "reward_model" not in climber.settings
    assert impact_of_all() == before
