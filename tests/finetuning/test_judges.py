"""Who may judge a child: nobody who learnt from the readings that taught it."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from feedback_app.accounts.models import User
from feedback_app.finetuning.comparison import match
from feedback_app.finetuning.gates.judges import (
    independent_reward_models,
    judged_by_people,
    what_training_says,
)
from feedback_app.finetuning.gates.people import compare_by_people, peoples_word
from feedback_app.finetuning.gates.services import start_gate
from feedback_app.finetuning.lineage import prompts_of, taught_prompts
from feedback_app.finetuning.models import Gate, RewardModel, Snapshot
from feedback_app.finetuning.services import start_finetune, take_snapshot
from feedback_app.finetuning.wording import described
from feedback_app.images.models import ModelVersion, Scorer, ScorerKind
from feedback_app.rehearsal.simulation import simulate_readings, staff_and_open
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run, State
from feedback_app.studies.models import Slot, Study
from feedback_app.studies.services import add_cases_from_batch, create_study
from tests.finetuning.gate_world import PROMPTS, SMALL, asked, child_of, choose, decided
from tests.finetuning.read_studies import Read

MakeStudy = Callable[..., Study]


@pytest.fixture
def slots(make_study: MakeStudy, rosa: User) -> list[Slot]:
    return list(Slot.objects.filter(study=make_study(rosa)).order_by("case__position"))


@pytest.fixture
def gate(slots: list[Slot], read: Read, base: ModelVersion) -> Gate:
    """The gate of a child that people taught."""
    read(slots[0], [5, 4, 2, 0])
    snapshot = take_snapshot(name="Monday", simulated=False)
    return asked(child_of(start_finetune(snapshot=snapshot, parent=base, method="dpo_margin")))


def reward_model(snapshot: Snapshot, *, name: str) -> Scorer:
    """As a finished training registers it."""
    run = runs.start(
        "train_reward_model", title=name, spec={"snapshot": str(snapshot.pk), "name": name}
    )
    Run.objects.filter(pk=run.pk).update(state=State.SUCCEEDED, finished_at=timezone.now())
    scorer = Scorer.objects.create(
        name=name, kind=ScorerKind.REWARD_MODEL, location="x", sha256="4" * 64, is_active=False
    )
    RewardModel.objects.create(name=name, run=run, snapshot=snapshot, trunk="a:b", scorer=scorer)
    return scorer


def test_a_reward_model_of_other_readings_judges_and_one_of_the_same_does_not(
    gate: Gate, slots: list[Slot], read: Read
) -> None:
    known = Snapshot.objects.get()
    reward_model(known, name="same readings")
    read(slots[1], [5, 4, 2, 1])
    reward_model(take_snapshot(name="Both", simulated=False), name="some of the same readings")
    assert independent_reward_models(gate) == []
    learnt = set(known.pairs.values_list("reading", flat=True))
    other = take_snapshot(name="Tuesday", simulated=False, without=learnt)
    scorer = reward_model(other, name="other readings")
    assert independent_reward_models(gate) == [(scorer, other)]


def test_draft_climbs_the_active_reward_model_of_such_readers_which_then_judges_nothing(
    slots: list[Slot], read: Read, base: ModelVersion
) -> None:
    read(slots[0], [5, 4, 2, 0])
    known = take_snapshot(name="Monday", simulated=False)
    read(slots[1], [5, 4, 2, 1])
    learnt = set(known.pairs.values_list("reading", flat=True))
    other = take_snapshot(name="Tuesday", simulated=False, without=learnt)
    scorer = reward_model(other, name="other readings")

    def reward_of(**options: object) -> Scorer | None:
        row = start_finetune(snapshot=known, parent=base, **({"method": "draft"} | options))  # type: ignore[arg-type]
        return row.reward_model

    assert reward_of() is None  # it is not active
    Scorer.objects.filter(pk=scorer.pk).update(is_active=True)
    assert reward_of() == scorer
    assert reward_of(method="kto") is None
    assert reward_of(takes_reward_model=False) is None
    Scorer.objects.filter(pk=scorer.pk).update(taught_by_simulated_readers=True)
    assert reward_of() is None
    Scorer.objects.filter(pk=scorer.pk).update(taught_by_simulated_readers=False)
    climber = start_finetune(snapshot=known, parent=base, method="draft")
    assert ("Reward", "other readings") in described(climber)
    climbing = asked(child_of(climber))
    assert independent_reward_models(climbing) == []
    assert prompts_of(other) <= taught_prompts(climbing.child)


def test_simulated_readers_do_not_judge_what_people_taught(
    gate: Gate, make_batch: Callable[..., object]
) -> None:
    study = create_study(name="Simulated")
    add_cases_from_batch(study, make_batch())  # type: ignore[arg-type]
    simulate_readings(staff_and_open(study, reader_count=8))
    reward_model(take_snapshot(name="Simulated", simulated=True), name="simulated")
    assert independent_reward_models(gate) == []


def test_a_reward_model_of_unknown_origin_does_not_judge(gate: Gate) -> None:
    Scorer.objects.create(
        name="found", kind=ScorerKind.REWARD_MODEL, location="x", sha256="4" * 64, is_active=False
    )
    assert independent_reward_models(gate) == []


def test_what_training_says_of_itself_is_its_accuracy_or_the_reward_that_it_climbed(
    gate: Gate,
) -> None:
    assert what_training_says(gate) is None
    row = gate.child.fine_tune
    Run.objects.filter(pk=row.run_id).update(result={"accuracy": 0.9})
    said = what_training_says(gate)
    assert said is not None
    assert (said["value"], said["neutral"]) == (0.9, 0.5)
    row.curve = {"step": [1, 2, 3], "reward": [1.0, 0.5, 3.0]}
    row.save()
    said = what_training_says(gate)
    assert said is not None
    assert (said["value"], said["neutral"]) == (2.0, 0.0)


def test_programs_have_people_compare_a_gates_pairs(
    gate: Gate, rosa: User, cora_client: Client
) -> None:
    address = reverse("api:gate-study", args=[gate.pk])
    ask = lambda *names: cora_client.post(  # noqa: E731
        address, {"readers": names}, content_type="application/json"
    )
    assert "has not said anything" in ask("rosa").json()["error"]["message"]
    decided(gate, judge=None)
    assert set(ask("nobody").json()["error"]["fields"]) == {"readers"}
    opened = ask("rosa")
    assert opened.status_code == 201, opened.content
    people = opened.json()["people"]
    assert (people["read"], people["wanted"] > 0) == (0, True)
    again = cora_client.get(reverse("api:gate", args=[gate.pk])).json()
    assert again["people"] == people
    assert ask("rosa").json()["people"]["study"] == people["study"]


def test_people_who_compared_every_pair_blind_judge_the_next_gate(
    gate: Gate, rosa: User, cora: User
) -> None:
    decided(gate, judge=None)
    study = compare_by_people(gate, readers=[rosa], actor=cora)
    slots = list(study.slots.order_by("position"))
    for number, slot in enumerate(slots[:-1]):
        choose(slot, child=number % 4 > 0)
    matches = match(child=gate.child_batch, parent=gate.parent_batch)
    assert judged_by_people(gate, matches) is None
    choose(slots[-1], child=True)
    judged = judged_by_people(gate, matches)
    assert judged is not None
    assert judged.name == "The blind comparison by people"
    firsts = [slot for slot in slots if slot.repetition == 0]
    won = sum(number % 4 > 0 or number == len(slots) - 1 for number in map(slots.index, firsts))
    better = sum(ours > theirs for ours, theirs in zip(judged.child, judged.parent, strict=True))
    assert better == won
    word = peoples_word(start_gate(gate.child, prompts=PROMPTS, settings=SMALL))
    assert word is not None
    assert word.study == study
    assert word.can_judge
    assert word.result == peoples_word(gate).result  # type: ignore[union-attr]
