"""``manage.py experiment``: with the real training, and from a report's file."""

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from feedback_app.experiments import tasks
from feedback_app.experiments.models import Experiment
from feedback_app.experiments.report.figures import figures_of
from feedback_app.experiments.report.rerun import report_file
from feedback_app.images.models import Cohort
from tests.experiments.making import curate, make_batch, make_cohort, own_version

pytestmark = pytest.mark.django_db
TINY = ["--set", "network=tiny", "resolution=32", "max_steps=2", "evaluate_every=1"]
GRID = ["--cohort", "ward", "--findings", "pneumonia", "--sizes", "4", "--seeds", "1"]


@pytest.fixture
def ward() -> Cohort:
    return make_cohort(train=8, validation=4, test=4)


def curated_options(ward: Cohort) -> list[str]:
    curated = curate(make_batch(own_version(ward), count=8))
    return [
        *("--arms", "real", "curated", "--source", f"curated:curated_set:{curated.pk}"),
        *("--primary", "curated:4:1"),
    ]


@pytest.fixture(autouse=True)
def child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "MODULE", "tests.experiments.a_cell_child")


def test_it_says_the_cost_trains_and_concludes(
    ward: Cohort, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("experiment", "Small", *GRID, *TINY, *curated_options(ward))
    said = capsys.readouterr().out
    assert Experiment.objects.get().state == "finished"
    assert "2 cells of about 45 s (an estimate)" in said
    assert "regime: extra data" in said
    assert "Real alone, 4 real, seed 0: macro f1 0.750" in said
    assert "1 seed, and 3 are the least" in said


def test_a_report_is_run_again_from_its_file_and_trains_nothing(
    ward: Cohort, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("experiment", "First", *GRID, *TINY, *curated_options(ward))
    first = Experiment.objects.get()
    path = tmp_path / "report.json"
    stored = report_file(first, figures_of(first))
    path.write_text(json.dumps(stored))
    call_command("experiment", "--from", str(path))
    said = capsys.readouterr().out
    assert "2 of 2 cells are known from before" in said
    again = Experiment.objects.get(name="First again")
    assert not again.cells.filter(run__isnull=False).exists()
    repeated = report_file(again, figures_of(again))
    assert repeated["comparisons"] == stored["comparisons"]


def test_a_plan_starts_nothing(ward: Cohort, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("experiment", "Plan", *GRID, *TINY, *curated_options(ward), "--plan")
    assert "2 cells of about 45 s (an estimate): 1 min 30 s" in capsys.readouterr().out
    assert not Experiment.objects.exists()


def test_what_is_refused_leaves_nothing_behind(ward: Cohort) -> None:
    grid = [*GRID[:4], "--sizes", "64", "--seeds", "1"]
    options = [part.replace(":4:", ":64:") for part in curated_options(ward)]
    with pytest.raises(CommandError, match="the training split of ward has 8"):
        call_command("experiment", "Large", *grid, *TINY, *options)
    assert not Experiment.objects.exists()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--primary", "curated"], "not of the shape"),
        (["--primary", "transformed:4:1", "--set", "speed=9"], "not NAME=VALUE of a setting"),
        (["--from", "/nowhere.json"], "cannot be read"),
    ],
)
def test_bad_options_are_named(options: list[str], complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint):
        call_command("experiment", "Bad", *GRID, "--arms", "real", "transformed", *options)
