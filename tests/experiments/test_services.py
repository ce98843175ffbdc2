"""Starting, caching, pausing, failing and finishing; a child process stands for the training."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from feedback_app.experiments import tasks
from feedback_app.experiments.models import Cell, CellResult, Experiment, ExperimentState
from feedback_app.experiments.services.cells import run_folder
from feedback_app.experiments.services.costs import cost_of_cell
from feedback_app.experiments.services.design import Design, design_of
from feedback_app.experiments.services.experiments import (
    cancel_cell,
    cancel_experiment,
    create_experiment,
    delete_draft,
    pause_experiment,
    resume_experiment,
    retry_cell,
    retry_failed,
    start_experiment,
)
from feedback_app.experiments.services.progress import progress_of
from feedback_app.images.models import Cohort
from feedback_app.runs import services as runs
from feedback_app.runs import workers
from feedback_app.runs.models import LogLine, Run, State
from generation.downstream.cell_hash import cell_hash
from generation.errors import RemediableError
from generation.specs import CellSpec, read_spec
from tests.experiments.a_cell_child import UNLUCKY
from tests.experiments.making import curate, design, make_batch, make_cohort, started

pytestmark = pytest.mark.django_db
CHILD = "tests.experiments.a_cell_child"
REAL = tasks.MODULE
SMALL = {"real_sizes": [4], "ratios": [1], "seeds": [0, 1]}


@pytest.fixture(autouse=True)
def child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "MODULE", CHILD)


@pytest.fixture
def ward() -> Cohort:
    return make_cohort(train=8, validation=2, test=4)


@pytest.fixture
def made(ward: Cohort) -> Callable[..., Design]:
    """Two seeds of real and of curated images at one size, unless changed."""
    curated = curate(make_batch(count=8))

    def make(**changes: Any) -> Design:
        return design(ward, curated=curated, **{**SMALL, **changes})

    return make


def work_off(experiment: Experiment) -> None:
    for run in Run.objects.filter(cell__experiment=experiment, state=State.QUEUED):
        runs.execute(run.pk)
    experiment.refresh_from_db()


def test_starting_queues_a_run_a_cell_below_everything_else(made: Callable[..., Design]) -> None:
    experiment = started(made())
    queued = Run.objects.filter(cell__experiment=experiment)
    assert {(run.kind, run.queue, run.priority) for run in queued} == {("train_cell", "gpu", -10)}
    assert queued.count() == experiment.cells.count() == 4
    assert len({cell.content_hash for cell in experiment.cells.all()}) == 4


def test_an_experiment_starts_once(made: Callable[..., Design]) -> None:
    experiment = started(made())
    with pytest.raises(RemediableError, match="started already"):
        start_experiment(experiment)
    assert Run.objects.count() == 4


def test_a_name_is_given_once(made: Callable[..., Design]) -> None:
    create_experiment(made())
    with pytest.raises(RemediableError, match="already"):
        create_experiment(made())


def test_every_cell_trained_finishes_the_experiment(made: Callable[..., Design]) -> None:
    experiment = started(made())
    work_off(experiment)
    assert experiment.state == ExperimentState.FINISHED
    assert experiment.finished_at is not None
    for cell in experiment.cells.select_related("run", "result"):
        assert cell.run is not None and cell.result is not None
        assert cell.run.state == State.SUCCEEDED
        assert cell.result.figures == {"macro_f1": 0.75}
        assert len(cell.result.predictions.read()) > 0
    cost = cost_of_cell(design_of(experiment))
    assert (cost.seconds, cost.measured) == (3.5, 4)


def test_a_folder_has_the_hash_that_its_cell_was_given(made: Callable[..., Design]) -> None:
    experiment = started(made())
    work_off(experiment)
    for cell in experiment.cells.select_related("run"):
        spec = read_spec(CellSpec, run_folder(cell) / "spec.json")
        assert cell_hash(spec) == cell.content_hash


def test_a_run_done_twice_changes_nothing(made: Callable[..., Design]) -> None:
    experiment = started(made())
    work_off(experiment)
    before = set(CellResult.objects.values_list("content_hash", "created_at"))
    Run.objects.update(state=State.QUEUED, finished_at=None)
    work_off(experiment)
    assert set(CellResult.objects.values_list("content_hash", "created_at")) == before
    assert {run.result["trained_before"] for run in Run.objects.all()} == {True}


def test_a_cell_of_the_same_content_is_not_trained_again(made: Callable[..., Design]) -> None:
    work_off(started(made()))
    trained = Run.objects.count()
    again = started(made(name="Again", seeds=[0, 1, 2]))
    assert again.cells.done().count() == 4
    assert Run.objects.count() == trained + 2
    assert progress_of(again).cached == 4
    whole = started(made(name="Once more"))
    whole.refresh_from_db()
    assert whole.state == ExperimentState.FINISHED


def test_other_settings_are_another_cell(made: Callable[..., Design]) -> None:
    work_off(started(made()))
    training = {"network": "tiny", "resolution": 32, "max_steps": 3, "batch_size": 4}
    assert not started(made(name="Longer", training=training)).cells.done().exists()


def test_arms_of_a_seed_learn_from_the_same_real_images(made: Callable[..., Design]) -> None:
    experiment = started(made())
    work_off(experiment)
    ids = {
        (cell.arm, cell.seed): read_spec(CellSpec, run_folder(cell) / "spec.json").training_ids
        for cell in experiment.cells.select_related("run")
    }
    assert ids["real", 0] == ids["curated", 0] != ids["real", 1]


def test_a_failed_cell_is_retried_and_the_others_are_done(made: Callable[..., Design]) -> None:
    experiment = started(made(seeds=[0, UNLUCKY]))
    work_off(experiment)
    assert experiment.state == ExperimentState.STARTED
    progress = progress_of(experiment)
    assert (progress.done, progress.failed) == (2, 2)
    assert {cell.run.error for cell in progress.failures if cell.run} == {"No luck."}
    retry_cell(progress.failures[0])
    assert retry_failed(experiment) == 1
    work_off(experiment)
    assert experiment.state == ExperimentState.FINISHED


def test_only_what_failed_can_be_retried(made: Callable[..., Design]) -> None:
    experiment = started(made())
    with pytest.raises(RemediableError, match="is queued"):
        retry_cell(experiment.cells.for_pages()[0])


def test_a_paused_experiment_goes_on_where_it_was(made: Callable[..., Design]) -> None:
    experiment = started(made())
    first = Run.objects.claimable()[0]
    runs.execute(first.pk)
    pause_experiment(experiment)
    work_off(experiment)
    assert (experiment.state, progress_of(experiment).cancelled) == ("paused", 3)
    resume_experiment(experiment)
    work_off(experiment)
    assert experiment.state == ExperimentState.FINISHED
    assert Run.objects.get(pk=first.pk).attempt == 1


def test_a_cancelled_experiment_stops_what_runs(made: Callable[..., Design]) -> None:
    experiment = started(made())
    running = runs.claim(Run.objects.claimable()[0].pk)
    assert running is not None
    cancel_experiment(experiment)
    running.refresh_from_db()
    assert running.cancel_requested
    assert Run.objects.filter(state=State.CANCELLED).count() == 3
    resume_experiment(experiment)
    assert not Run.objects.get(pk=running.pk).cancel_requested
    with pytest.raises(RemediableError, match="is started and cannot be started"):
        resume_experiment(experiment)


def test_one_cell_can_be_cancelled(made: Callable[..., Design]) -> None:
    experiment = started(made())
    cell = experiment.cells.for_pages()[0]
    cancel_cell(cell)
    assert Cell.objects.for_pages().get(pk=cell.pk).state == "cancelled"


def test_a_cell_whose_worker_was_killed_is_taken_up(made: Callable[..., Design]) -> None:
    experiment = started(made(seeds=[0]))
    lost = Run.objects.claimable()[0]
    assert runs.claim(lost.pk) is not None
    host = workers.this_worker().partition(":")[0]
    Run.objects.filter(pk=lost.pk).update(worker=f"{host}:1@0.00")
    runs.sweep()
    assert LogLine.objects.filter(run=lost, text__contains="died; queued again").exists()
    work_off(experiment)
    assert experiment.state == ExperimentState.FINISHED
    assert Run.objects.get(pk=lost.pk).attempt == 2


def test_drafts_are_deleted_and_nothing_else(made: Callable[..., Design]) -> None:
    draft = create_experiment(made())
    delete_draft(draft)
    assert not Experiment.objects.exists()
    with pytest.raises(RemediableError, match="what it found is kept"):
        delete_draft(started(made()))


@pytest.mark.slow
@pytest.mark.usefixtures("trainings_beside")
def test_a_cell_is_really_trained(
    made: Callable[..., Design], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "MODULE", REAL)
    experiment = started(made(seeds=[0]))
    cell = experiment.cells.get(arm="curated")
    assert cell.run is not None
    runs.execute(cell.run.pk)
    cell.refresh_from_db()
    assert cell.result is not None, Run.objects.get(cell=cell).error
    assert {"macro_f1", "f1_pneumonia"} <= cell.result.figures.keys()
    predictions = json.loads(cell.result.predictions.read())
    assert len(predictions) == 4
    assert {"truth", "probability", "said", "patient", "sex"} <= predictions[0].keys()
