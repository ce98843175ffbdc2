"""Schedules: enough that is new starts a fine-tune, anything less does not."""

import json
from collections.abc import Callable
from datetime import time

import pytest
from django.utils import timezone

from feedback_app.accounts.models import User
from feedback_app.finetuning.models import FineTune, GateStudy, Schedule, Snapshot
from feedback_app.finetuning.services import follow_schedule, save_schedule
from feedback_app.finetuning.services.schedules import ScheduleDesign, design_of
from feedback_app.finetuning.tasks import run_schedule
from feedback_app.images.models import ModelVersion
from feedback_app.images.versions.services import promote
from feedback_app.runs.models import Run, State
from feedback_app.studies.models import Slot, Study
from tests.finetuning.gate_world import asked, child_of
from tests.finetuning.read_studies import Read

MakeStudy = Callable[..., Study]
NIGHTLY = ScheduleDesign(name="Nightly", at=time(2, 30), min_new_pairs=5)


@pytest.fixture
def nightly(db: None) -> Schedule:
    return save_schedule(NIGHTLY)


@pytest.fixture
def slots(make_study: MakeStudy, rosa: User) -> list[Slot]:
    study = make_study(rosa)
    return list(Slot.objects.filter(study=study).order_by("case__position"))


def finish(fine_tune: FineTune) -> None:
    Run.objects.filter(pk=fine_tune.run_id).update(
        state=State.SUCCEEDED, finished_at=timezone.now()
    )


def test_a_schedule_is_a_periodic_task_on_the_cpu_queue(nightly: Schedule) -> None:
    task = nightly.periodic_task
    assert (task.task, task.queue, task.enabled) == ("finetuning.run_schedule", "cpu", True)
    assert (task.crontab.hour, task.crontab.minute) == ("2", "30")
    assert json.loads(task.kwargs) == {"schedule_id": nightly.pk}


def test_saving_it_again_changes_time_and_state(nightly: Schedule) -> None:
    design = ScheduleDesign(name="Late", at=time(4, 0), min_new_pairs=9, is_enabled=False)
    save_schedule(design, schedule=nightly)
    again = Schedule.objects.get()
    assert ScheduleDesign(**design_of(again)) == design
    assert not again.periodic_task.enabled


def test_enough_new_pairs_start_a_fine_tune_of_the_promoted_version(
    nightly: Schedule, slots: list[Slot], read: Read, base: ModelVersion
) -> None:
    ModelVersion.objects.create(name="newer", location="x", sha256="1" * 64)
    read(slots[0], [5, 4, 2, 0])
    fine_tune = follow_schedule(nightly).fine_tune
    assert fine_tune is not None
    assert (fine_tune.parent, fine_tune.schedule) == (base, nightly)
    assert fine_tune.snapshot.pairs.count() == 6
    assert fine_tune.run.kind == "finetune"


def test_too_few_new_pairs_start_nothing_and_say_why(
    nightly: Schedule, slots: list[Slot], read: Read
) -> None:
    read(slots[0], [5, 0, 0, 0])
    outcome = follow_schedule(nightly)
    assert outcome.fine_tune is None
    assert outcome.reason == "3 new pairs, 5 are wanted"
    assert not Snapshot.objects.exists()


def test_only_pairs_since_its_last_snapshot_are_new(
    nightly: Schedule, slots: list[Slot], read: Read
) -> None:
    read(slots[0], [5, 4, 2, 0])
    first = follow_schedule(nightly).fine_tune
    assert first is not None
    finish(first)
    assert follow_schedule(nightly).reason == "0 new pairs, 5 are wanted"
    read(slots[1], [5, 4, 2, 0])
    second = follow_schedule(nightly).fine_tune
    assert second is not None
    assert second.snapshot.pairs.count() == 12


def test_what_the_promoted_version_was_taught_on_does_not_teach_it_again(
    nightly: Schedule, slots: list[Slot], read: Read
) -> None:
    read(slots[0], [5, 4, 2, 0])
    first = follow_schedule(nightly).fine_tune
    assert first is not None
    finish(first)
    promote(child_of(first))
    read(slots[1], [5, 4, 2, 1])
    second = follow_schedule(nightly).fine_tune
    assert second is not None
    assert second.parent == first.model_version
    assert set(second.snapshot.pairs.values_list("reading__slot", flat=True)) == {slots[1].pk}
    finish(second)
    assert follow_schedule(nightly).reason == "0 new pairs, 5 are wanted"


def test_a_gates_own_study_never_teaches(
    nightly: Schedule, slots: list[Slot], read: Read, base: ModelVersion
) -> None:
    read(slots[0], [5, 4, 2, 0])
    first = follow_schedule(nightly).fine_tune
    assert first is not None
    finish(first)
    GateStudy.objects.create(gate=asked(child_of(first)), study=slots[0].study)
    read(slots[1], [5, 4, 2, 1])
    assert follow_schedule(nightly).reason == "0 new pairs, 5 are wanted"


def test_it_waits_for_its_last_fine_tune(nightly: Schedule, slots: list[Slot], read: Read) -> None:
    read(slots[0], [5, 4, 2, 0])
    assert follow_schedule(nightly).fine_tune is not None
    read(slots[1], [5, 4, 2, 0])
    assert follow_schedule(nightly).reason == "its last fine-tune is not finished"


def test_the_task_called_twice_starts_one_fine_tune(
    nightly: Schedule, slots: list[Slot], read: Read
) -> None:
    read(slots[0], [5, 4, 2, 0])
    run_schedule(schedule_id=nightly.pk)
    run_schedule(schedule_id=nightly.pk)
    assert FineTune.objects.count() == 1


def test_simulated_readings_are_nothing_new_to_a_schedule_for_people(
    nightly: Schedule, make_study: MakeStudy, read: Read
) -> None:
    robot = User.objects.create(username="simulated-1", is_simulated=True)
    study = make_study(robot, name="Simulated")
    read(Slot.objects.filter(study=study)[0], [5, 4, 2, 0])
    assert follow_schedule(nightly).reason == "0 new pairs, 5 are wanted"
