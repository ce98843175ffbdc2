"""The gate's rehearsal: whose readings teach what, and when it says that the gate is wrong."""

from collections.abc import Callable

import pytest
from django.core.management import CommandError

from feedback_app.finetuning.models import FineTune, Gate, Snapshot
from feedback_app.finetuning.services import start_finetune, take_snapshot
from feedback_app.images.models import Batch, ModelVersion
from feedback_app.readings.models import Reading
from feedback_app.rehearsal.gate import GateRehearsal, WrongVerdictError
from feedback_app.rehearsal.loop import Plan, Rehearsal
from feedback_app.rehearsal.management.commands.rehearse import gate_plan_of
from feedback_app.rehearsal.simulation import tastes_of
from feedback_app.studies.models import Study
from generation.quality.gate_spec import gate_prompts
from tests.finetuning.gate_world import asked, child_of, decided

pytestmark = pytest.mark.django_db
PLAN = Plan(taught_prompts=("edema", "effusion"), held_out_prompts=("mass",), readers=2)
OPTIONS = {
    "prompts": 24,
    "held_out_prompts": 20,
    "images": 4,
    "sampling_steps": 14,
    "readers": 3,
    "method": "dpo_margin",
    "steps": None,
    "learning_rate": None,
    "beta": None,
    "batch_size": None,
    "rank": None,
    "seed": 0,
}


def silent(line: str) -> None:
    pass


def read(batch: Batch, **options: object) -> Study:
    return Rehearsal(PLAN, silent).read(batch, **options)  # type: ignore[arg-type]


def names_of(study: Study) -> set[str]:
    readings = Reading.objects.filter(slot__study=study)
    return set(readings.values_list("reader__username", flat=True))


def test_the_judges_prompts_are_neither_taught_nor_asked_by_the_gate() -> None:
    plan = gate_plan_of(OPTIONS)
    judges = set(plan.held_out_prompts)
    assert len(judges) == len(plan.taught_prompts) == 24
    assert not judges & {*plan.taught_prompts, *gate_prompts(frozenset(plan.taught_prompts))}
    with pytest.raises(CommandError, match="left for the judge"):
        gate_plan_of(OPTIONS | {"prompts": 40})


def test_groups_of_readers_have_nobody_in_common_and_flipped_ones_like_what_is_worse(
    make_batch: Callable[..., Batch],
) -> None:
    batch = make_batch()
    good, judge = read(batch, kind="good"), read(batch, kind="judge", after=2)
    flipped = read(batch, kind="flipped", after=4, is_flipped=True)
    assert names_of(good) == {"simulated-1", "simulated-2"}
    assert names_of(judge) == {"simulated-3", "simulated-4"}
    assert names_of(flipped) == {"simulated-5", "simulated-6"}
    tastes = tastes_of(good)
    gaps = {}
    for name, study in (("good", good), ("flipped", flipped)):
        snapshot = take_snapshot(name=name, studies=[study], simulated=True)
        pairs = snapshot.pairs.values_list("winner", "loser")
        gaps[name] = sum(tastes[winner] - tastes[loser] for winner, loser in pairs)
    assert gaps["good"] > 0 > gaps["flipped"]


@pytest.fixture
def child(make_batch: Callable[..., Batch], base: ModelVersion) -> ModelVersion:
    read(make_batch(), kind="good")
    snapshot: Snapshot = take_snapshot(name="good", simulated=True)
    tune: FineTune = start_finetune(snapshot=snapshot, parent=base, method="dpo_margin")
    return child_of(tune)


def test_a_wrong_verdict_is_an_error_and_a_right_one_is_not(child: ModelVersion) -> None:
    verdict = decided(asked(child))
    rehearsal = GateRehearsal(PLAN, silent)
    rehearsal.require({"promote": verdict})
    with pytest.raises(WrongVerdictError, match="was to get “hold” and got “promote”"):
        rehearsal.require({"hold": verdict})
    assert Gate.objects.count() == 1
