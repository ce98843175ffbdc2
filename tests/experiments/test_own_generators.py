"""Generators of cells' own: trained once, before their cells, on these cells' images alone."""

import io
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from feedback_app.accounts.models import User
from feedback_app.experiments import tasks
from feedback_app.experiments.models import Experiment, OwnGenerator
from feedback_app.experiments.report.cache import figures_for, state_of
from feedback_app.experiments.report.page import report_of
from feedback_app.experiments.services.cells import run_folder
from feedback_app.experiments.services.design import Design
from feedback_app.experiments.services.experiments import (
    cancel_experiment,
    create_experiment,
    pause_experiment,
    resume_experiment,
    retry_failed,
    start_experiment,
)
from feedback_app.experiments.services.manifests import thaw
from feedback_app.experiments.services.plan import plan_of
from feedback_app.images.models import Cohort
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run, State
from generation.errors import RemediableError
from generation.specs import CellSpec, read_spec
from tests.experiments.a_cell_child import UNLUCKY
from tests.experiments.making import design, make_cohort, started

pytestmark = pytest.mark.django_db
TINY = {
    "autoencoder_steps": 2,
    "latent_versions": 1,
    "decoder_steps": 1,
    "denoiser_steps": 2,
    "batch_size": 2,
}


@pytest.fixture
def ward() -> Cohort:
    return make_cohort(train=8, validation=2, test=20)


def with_own(ward: Cohort, **changes: Any) -> Design:
    values: dict[str, Any] = {
        "arms": ["real", "own_generator"],
        "real_sizes": [4],
        "ratios": [1, 2],
        "seeds": [0],
        "primary": {"arm": "own_generator", "real_size": 4, "ratio": 1},
        "own_generator": TINY,
    }
    return design(ward, **(values | changes))


def work_off() -> None:
    """All that can be claimed, again and again: some runs come after others."""
    while waiting := Run.objects.claimable().first():
        runs.execute(waiting.pk)


@pytest.mark.slow
@pytest.mark.usefixtures("trainings_beside")
def test_a_cell_learns_from_a_generator_of_its_own_images(ward: Cohort) -> None:
    experiment = started(with_own(ward))
    first = Run.objects.claimable().get(kind="own_generator")
    held = Run.objects.filter(cell__arm="own_generator")
    assert not Run.objects.claimable().filter(pk__in=held).exists()
    work_off()
    assert first.pk in Run.objects.filter(state=State.SUCCEEDED).values_list("pk", flat=True)
    experiment.refresh_from_db()
    assert experiment.state == "finished", [run.error for run in Run.objects.all()]
    (row,) = OwnGenerator.objects.all()
    assert row.manifest is not None and row.seconds
    cell = experiment.cells.get(arm="own_generator", ratio=2)
    spec = read_spec(CellSpec, run_folder(cell) / "spec.json")
    assert {one.image_id for one in thaw(row.learnt_from)} == set(spec.training_ids)
    pool = thaw(row.manifest)
    assert len(pool) == spec.synthetic_count == 8
    assert sum(one.findings == ("pneumonia",) for one in pool) == 4
    report = report_of(experiment, figures_for(experiment, state=state_of(experiment)))
    assert report.primary_regime == report.regime == "equal data"
    assert dict(report.behind)["own_generator"][0]["seen"] == 4
    before = row.created_at
    again = started(with_own(ward, name="Again", training={**cells_of(experiment), "max_steps": 3}))
    assert not Run.objects.claimable().filter(kind="own_generator").exists()
    assert {cell.own_generator_id for cell in again.cells.all()} == {None, row.pk}
    Run.objects.filter(pk=first.pk).update(state=State.QUEUED, finished_at=None)
    runs.execute(first.pk)
    assert OwnGenerator.objects.get().created_at == before


def cells_of(experiment: Experiment) -> dict[str, Any]:
    found: dict[str, Any] = experiment.training
    return found


def test_what_no_generator_can_learn_is_refused(ward: Cohort) -> None:
    several = with_own(
        ward,
        real_sizes=[2],
        findings=["pneumonia", "effusion"],
        primary={"arm": "own_generator", "real_size": 2, "ratio": 1},
    )
    assert any("no generator learns 3 kinds" in one.message for one in plan_of(several).refusals)
    for changes, said in (
        ({"own_generator": {"widths": 3}}, "cannot be set"),
        ({"own_generator": {"denoiser_steps": 0}}, "denoiser_steps"),
        (
            {"arms": ["real", "transformed"], "primary": {**PRIMARY, "arm": "transformed"}},
            "not taken in",
        ),
    ):
        with pytest.raises(RemediableError, match=said):
            with_own(ward, **changes)
    moved = design(ward, arms=["real", "transformed"], primary={**PRIMARY, "arm": "transformed"})
    assert moved.own_generator == {}


PRIMARY = {"real_size": 4, "ratio": 1}


def test_generators_stop_and_go_on_with_their_experiment(
    ward: Cohort, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "OWN_MODULE", "tests.experiments.a_cell_child")
    experiment = started(with_own(ward, seeds=[UNLUCKY], ratios=[1]))
    other = create_experiment(with_own(ward, name="Other", seeds=[UNLUCKY], ratios=[1]))
    row = OwnGenerator.objects.select_related("run").get()
    assert row.run is not None
    for halt in (pause_experiment, cancel_experiment):
        halt(experiment)
        assert Run.objects.get(pk=row.run.pk).state == State.CANCELLED
        resume_experiment(experiment)
        assert set(Run.objects.values_list("state", flat=True)) == {State.QUEUED}
    start_experiment(other)
    pause_experiment(experiment)  # the other one wants it still
    assert Run.objects.get(pk=row.run.pk).state == State.QUEUED
    resume_experiment(experiment)
    runs.execute(row.run.pk)
    cells = Run.objects.filter(cell__arm="own_generator")
    assert {run.state for run in cells} == {State.FAILED}
    assert retry_failed(experiment) == 1
    assert {run.state for run in cells.all()} == {State.QUEUED}


def test_page_and_command_say_what_generators_cost(ward: Cohort, client: Client) -> None:
    coordinator = User.objects.create_user("cora", role="coordinator")
    told = io.StringIO()
    call_command(
        "experiment", "Equal", "--cohort", "ward", "--findings", "pneumonia",
        "--arms", "real", "own_generator", "--sizes", "4", "8", "--seeds", "3",
        "--primary", "own_generator:4:1", "--own-generator", "denoiser_steps=50", "--plan",
        stdout=told,
    )  # fmt: skip
    assert "6 generators of their own" in told.getvalue()
    assert "regime: equal data" in told.getvalue()
    client.force_login(coordinator)
    posted = {
        "name": "Equal", "task": "classification", "cohort": "ward", "findings": ["pneumonia"],
        "real_sizes": "4, 8", "arms": ["real", "own_generator"], "ratios": "1",
        "seed_count": 3, "metric": "macro_f1", "primary_arm": "own_generator",
        "primary_size": "4", "primary_ratio": 1, "own_denoiser_steps": 50,
    }  # fmt: skip
    page = client.post(reverse("experiments:preview"), posted).content.decode()
    assert "Own generators" in page and "6 \N{MULTIPLICATION SIGN}" in page
    assert client.post(reverse("experiments:create"), posted).status_code == 302
    made = Experiment.objects.get()
    assert made.own_generator["denoiser_steps"] == 50
    assert made.own_generator["autoencoder_steps"] == 900
    assert (
        "each sees exactly"
        in client.get(reverse("experiments:experiment", args=[made.pk])).content.decode()
    )
