"""What an experiment found: numbers by hand, planted truths, files to keep."""

import json
import re
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from feedback_app.experiments.models import Experiment
from feedback_app.experiments.report.figures import Figures, Place, figures_of
from feedback_app.experiments.report.page import report_of
from feedback_app.experiments.report.plots import plots_of
from feedback_app.experiments.report.rerun import read_report_file, report_file
from feedback_app.experiments.report.rerun import require_same_content as require_same
from feedback_app.experiments.report.sheets import SHOWN, sheets_of
from feedback_app.experiments.services.manifests import write_for_training
from feedback_app.experiments.services.plan import plan_of
from feedback_app.experiments.statistics.conclusions import Finding
from feedback_app.images.models import Candidate, Cohort
from generation.downstream.draws import drawn_images
from generation.errors import RemediableError
from generation.training.images import read_manifest
from tests.experiments.making import (
    FINDING,
    curate,
    design,
    fill,
    finish,
    make_batch,
    make_cohort,
    started,
)

pytestmark = pytest.mark.django_db
SEEDS = list(range(5))


@pytest.fixture
def ward() -> Cohort:
    return make_cohort(train=8, validation=2, test=40)


@pytest.fixture
def experiment(ward: Cohort) -> Experiment:
    """Real, unfiltered and curated at two sizes and ratios: five seeds."""
    batch = make_batch(count=16)
    return started(design(ward, batch=batch, curated=curate(batch), seeds=SEEDS))


def prediction(row: dict[str, object], *, right: bool) -> dict[str, object]:
    there = bool(row["there"])
    said = there == right
    return {
        "image_id": row["image_id"],
        "patient": row["image_id"],
        "truth": {FINDING: int(there)},
        "probability": {FINDING: 0.9 if said else 0.1},
        "said": {FINDING: int(said)},
    }


def test_figures_are_those_that_one_computes_by_hand(ward: Cohort) -> None:
    """Four images, two of them with the finding; the curated arm gets all right."""
    made = started(
        design(ward, curated=curate(make_batch(count=8)), real_sizes=[4], ratios=[1], seeds=[0, 1])
    )
    images = [{"image_id": str(number), "there": number % 2} for number in range(4)]
    for cell in made.cells.all():
        wrong = set() if cell.arm == "curated" else {0} if cell.seed == 0 else {0, 1}
        rows = [prediction(image, right=number not in wrong) for number, image in enumerate(images)]
        finish(cell, rows)
    found = figures_of(made)
    # Seed 0: presence 2 * 2 / 5, absence 2 * 1 / 3: 0.7333. Seed 1: both 2 * 1 / 4 = 0.5.
    real = next(
        one for one in found.means if (one.place, one.metric) == (Place(4, "real", 0.0), "macro_f1")
    )
    expected = np.array([(4 / 5 + 2 / 3) / 2, 0.5])
    assert (real.mean, real.deviation) == pytest.approx((expected.mean(), expected.std(ddof=1)))
    assert found.primary is not None
    assert found.primary.gain.value == pytest.approx(1 - expected.mean())
    assert found.primary.paper.value == pytest.approx(1 - expected.mean())
    gains = 1 - expected
    assert found.primary.gain.cohens_d == pytest.approx(gains.mean() / gains.std(ddof=1))
    assert found.primary.finding == Finding.TOO_FEW


def test_a_planted_gain_is_found_and_none_where_there_is_none(experiment: Experiment) -> None:
    fill(experiment, gains={"curated": 2.0})
    found = figures_of(experiment)
    assert (found.done, found.test_patients) == (5 * 2 * 5, 40)
    assert len(found.comparisons) == 8
    assert found.comparisons[0].is_primary
    by_arm = {
        arm: {one.finding for one in found.comparisons if one.place.arm == arm}
        for arm in ("curated", "unfiltered")
    }
    assert by_arm == {"curated": {Finding.GAIN}, "unfiltered": {Finding.NOT_SHOWN}}
    assert {one.place.arm for one in found.controls} == {"curated"}
    assert all(one.p_holm >= one.gain.p_value for one in found.comparisons)
    assert {one.trait for one in found.groups} == {"sex", "age", "view"}
    assert [name for name, _ in found.by_metric] == [
        "macro_f1", "f1", "auroc", "average_precision",
    ]  # fmt: skip
    the_plots_name_the_regime(found)


def the_plots_name_the_regime(found: Figures) -> None:
    plots = plots_of(found, regime="extra data")
    assert [plot.name for plot in plots] == [
        "by-ratio", "by-size", "figure-by-size", "by-group", "forest",
    ]  # fmt: skip
    for plot in plots:
        assert "extra data" in plot.title
        assert plot.svg().startswith("<svg")
        assert len(plot.csv().splitlines()) == len(plot.rows) + 1
        assert re.search(r"\d", plot.summary)


def test_what_is_done_so_far_is_compared(experiment: Experiment) -> None:
    empty = figures_of(experiment)
    assert isinstance(empty, Figures) and not empty.has_anything
    fill(experiment, gains={})
    experiment.cells.filter(arm="curated", seed__gt=1).update(result=None)
    found = figures_of(experiment)
    assert {one.gain.seeds for one in found.comparisons if one.place.arm == "curated"} == {2}
    assert found.primary is not None and found.primary.finding == Finding.TOO_FEW
    report = report_of(experiment, found)
    assert report.primary is not None
    assert "2 seeds, and 3 are the least" in report.primary.sentence
    assert not report.is_whole


def test_a_report_can_be_run_again_from_its_own_file(experiment: Experiment, ward: Cohort) -> None:
    fill(experiment, gains={"curated": 0.8})
    few = Figures(metric="macro_f1", done=0, cells=0, test_images=0, test_patients=0)
    stored = json.dumps(report_file(experiment, few))
    again, real = read_report_file(stored.encode())
    require_same(plan_of(again), real=real)
    second = started(replace(again, name="Again"))
    second.refresh_from_db()
    assert second.state == "finished"


def test_other_images_than_then_are_refused(experiment: Experiment) -> None:
    stored = json.dumps(report_file(experiment, figures_of(experiment)))
    again, real = read_report_file(stored.encode())
    recipe = Candidate.objects.earliest("recipe").recipe
    recipe.findings = ["edema"]
    recipe.save()
    with pytest.raises(RemediableError, match="batch As generated, the curated set Good ones"):
        require_same(plan_of(again), real=real)
    with pytest.raises(RemediableError, match="no file of an experiment's report"):
        read_report_file(b"{}")


def test_sheets_show_what_the_largest_cell_of_the_first_seed_draws(
    experiment: Experiment, tmp_path: Path
) -> None:
    cell = experiment.cells.filter(arm="curated").order_by("-synthetic_count", "seed")[0]
    source = experiment.sources.get(arm="curated")
    assert source.manifest is not None
    write_for_training(source.manifest, tmp_path / "synthetic.jsonl")
    drawn = drawn_images(
        read_manifest(tmp_path / "synthetic.jsonl"),
        cell.synthetic_count,
        findings=experiment.findings,
        kind="",
        seed=cell.seed,
    )
    recipes = {row.image_id for row in drawn}
    assert SHOWN < len(recipes) <= source.candidates().count()
    sheet = next(one for one in sheets_of(experiment) if one.arm == "curated")
    shown = {UUID(picture.src.split("/")[-1].removesuffix(".png")) for picture in sheet.pictures}
    chosen = Candidate.objects.filter(pk__in=shown)
    assert len(shown) == SHOWN
    assert {one.recipe_id for one in chosen} <= recipes
    assert f"at seed {cell.seed}" in sheet.note
