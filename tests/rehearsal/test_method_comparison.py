"""Methods on equal terms: the cells, what they are made of, and how they are shown."""

import csv
import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from feedback_app.accounts.models import User
from feedback_app.finetuning.models import FineTune, Snapshot
from feedback_app.images.candidates.batches import Settings
from feedback_app.images.models import ModelVersion
from feedback_app.rehearsal.loop import Plan
from feedback_app.rehearsal.method_comparison import (
    ARMS,
    Cell,
    MethodComparison,
    best_images,
    spread_cases,
)
from feedback_app.rehearsal.method_figure import as_csv, as_svg, as_table
from generation.errors import RemediableError
from generation.preferences.selection import best_of_n
from tests.readings.answers import read, scores_for
from tests.readings.rooms import assign, make_room, synthetic

PLAN = Plan(
    taught_prompts=("chest x-ray, edema", "chest x-ray, effusion"),
    held_out_prompts=("chest x-ray, pneumonia", "chest x-ray, no finding"),
    images_per_held_out_prompt=3,
    sampling=Settings(steps=2, side=128),
    readers=2,
    fine_tuning={"steps": 2, "batch_size": 2, "rank": 2},
)
WON = {"share": 0.75, "low": 0.6, "high": 0.875}
CELLS = [
    Cell(
        arm="kto",
        size=30,
        readings=30,
        pairs=150,
        against_parent={"readers_taste": WON, "second_taste": WON},
        quality={"parent": {"kid": 0.1, "ms_ssim": 0.4}, "child": {"kid": 0.125, "ms_ssim": 0.5}},
    ),
    Cell(arm="draft", size=30, error="too few are scored"),
]


def arms(*names: str) -> Iterator[object]:
    return (arm for arm in ARMS if arm.name in names)


@pytest.mark.slow
@pytest.mark.usefixtures("trainings_here")
def test_every_method_learns_from_one_snapshot_and_is_not_done_twice(
    parent: ModelVersion, tmp_path: Path
) -> None:
    said: list[str] = []

    def run() -> list[Cell]:
        comparison = MethodComparison(PLAN, parent, tmp_path, said.append)
        return list(comparison.run(list(arms("best_of_n", "reward_weighted", "draft")), [4]))  # type: ignore[arg-type]

    best, taught, refused = run()
    assert (best.readings, taught.readings) == (4, 4)
    assert Snapshot.objects.count() == 1
    assert best.against_parent["readers_taste"]["share"] >= 0.5
    assert not best.against_best
    assert set(taught.against_parent) == set(taught.against_best)
    assert taught.against_best["second_taste"]["pairs"] == 6
    assert set(taught.quality) == {"parent", "child"}
    assert "too few for a reward" in refused.error
    said.clear()
    count = FineTune.objects.count()
    assert run() == [best, taught, refused]
    assert said == []
    assert FineTune.objects.count() == count
    with pytest.raises(RemediableError, match="another plan"):
        list(MethodComparison(replace(PLAN, seed=1), parent, tmp_path, said.append).run([], [4]))


@pytest.mark.parametrize(
    ("count", "prompts", "images"), [(10, 10, 4), (24, 24, 4), (34, 17, 8), (334, 24, 56)]
)
def test_cases_are_spread_over_the_prompts(count: int, prompts: int, images: int) -> None:
    taken, per_prompt = spread_cases(count, prompts=[str(number) for number in range(24)])
    assert (len(taken), per_prompt) == (prompts, images)
    assert len(taken) * per_prompt // 4 >= count


@pytest.mark.parametrize("best", [0, 1])
def test_the_best_image_is_the_one_with_the_highest_mean_score(rosa: User, best: int) -> None:
    cases = [[synthetic(1), synthetic(2)]]
    study = make_room("rate_k", rosa, cases=cases, prompt="p")
    slot = assign(study, rosa)[0]
    given = [
        type(one)(one.place, one.criterion, 5 if one.place == best else 1)
        for one in scores_for(slot)
    ]
    read(slot, scores=given)
    assert best_images(study) == [slot.images_in_order()[best].pk]


def test_the_best_of_a_prompt_is_the_first_of_the_highest() -> None:
    assert best_of_n(["a", "b", "a", "b", "a"], [1, 3, 2, 3, 2]) == [2, 1]


def test_the_table_says_what_was_found_and_what_failed() -> None:
    head, first, second = as_table(CELLS).splitlines()
    assert "readers' taste / parent" in head
    assert "0.75 (0.60-0.88)" in first
    assert "0.100 to 0.125" in first
    assert "nothing: too few are scored" in second


def test_the_csv_has_every_number_and_leaves_out_what_is_unknown() -> None:
    first, second = csv.DictReader(io.StringIO(as_csv(CELLS)))
    assert first["against_parent_second_taste_high"] == "0.875"
    assert (first["kid_child"], first["against_best_readers_taste_share"]) == ("0.125", "")
    assert second["error"] == "too few are scored"


def test_the_figure_names_the_methods() -> None:
    svg = as_svg(CELLS)
    assert svg.startswith("<svg")
    assert "kto" in svg
    assert "Second taste, against best of 4" in svg
