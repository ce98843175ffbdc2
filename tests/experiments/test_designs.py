"""Designs, their grids, and which real images a cell may learn from."""

import itertools
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from feedback_app.experiments.services.costs import ASSUMED_S, cost_of_cell
from feedback_app.experiments.services.design import design_of, read_design
from feedback_app.experiments.services.grid import Place, grid_of
from feedback_app.experiments.services.subsets import Subsets
from feedback_app.experiments.services.supply import turns
from generation.errors import RemediableError
from generation.specs import TrainingImage
from tests.experiments.making import FINDING, curate, design, make_batch, make_cohort, started

VALUES: dict[str, Any] = {
    "name": "Does it help?",
    "task": "classification",
    "cohort": "ward",
    "findings": [FINDING],
    "real_sizes": [8, 4],
    "arms": ["transformed", "real"],
    "ratios": [2, 0.5],
    "seeds": [1, 0],
    "metric": "macro_f1",
    "primary": {"arm": "transformed", "real_size": 4, "ratio": 2},
}


def test_real_images_alone_do_not_multiply_by_ratios() -> None:
    places = grid_of(read_design(VALUES))
    assert Counter(place.arm for place in places) == {"real": 4, "transformed": 8}
    assert len(set(places)) == 12


def test_a_ratio_gives_so_many_synthetic_images() -> None:
    counts = {
        (size, ratio): Place(arm="curated", real_size=size, ratio=ratio, seed=0).synthetic_count
        for size, ratio in ((5, 0.5), (4, 2), (2, 0.1))
    }
    assert counts == {(5, 0.5): 3, (4, 2): 8, (2, 0.1): 1}


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"arms": ["transformed", "curated"]}, "take in 'real'"),
        ({"arms": ["real", "curated"]}, "primary comparison's arm is not in the grid"),
        (
            {"arms": ["real", "transformed", "curated"]},
            "the arm “Real + curated” needs a curated set as its source",
        ),
        ({"metric": "dice"}, "'dice' measures no classification"),
        ({"findings": ["hiccups"]}, "'hiccups' is no finding"),
        ({"mask_kind": "lungs"}, "no kind of mask"),
        ({"seeds": [1, 1]}, "seeds names something twice"),
        ({"training": {"widths": [8, 16]}}, "'widths' cannot be set for a classification"),
        ({"training": {"batch_size": 0}}, "batch_size"),
        ({"real_sizes": []}, "real_sizes"),
    ],
)
def test_what_cannot_be_designed_is_refused(changes: dict[str, Any], complaint: str) -> None:
    with pytest.raises(RemediableError) as refused:
        read_design(VALUES | changes)
    assert complaint.lower() in str(refused.value).lower()


def rows(*patients: tuple[str, list[bool]]) -> list[TrainingImage]:
    return [
        TrainingImage(
            path="x",
            image_id=f"{name}-{number}",
            patient=name,
            split="train",
            findings=(FINDING,) if there else (),
        )
        for name, images in patients
        for number, there in enumerate(images)
    ]


WARD = rows(
    *((f"ill {n}", [True] * (1 + n % 3)) for n in range(8)),
    *((f"well {n}", [False] * (1 + n % 2)) for n in range(12)),
)


SUBSETS = Subsets(WARD, [FINDING], "")


def drawn(size: int, *, seed: int = 0) -> tuple[str, ...]:
    return SUBSETS.training_ids(size=size, seed=seed)


def test_smaller_sets_lie_within_larger_ones_of_the_same_seed() -> None:
    sizes = [drawn(size) for size in (2, 6, 12, len(WARD))]
    for smaller, larger in itertools.pairwise(sizes):
        assert larger[: len(smaller)] == smaller
    assert set(sizes[-1]) == {row.image_id for row in WARD}
    assert drawn(12) == drawn(12)
    assert set(drawn(12, seed=1)) != set(drawn(12))


def test_a_set_is_balanced_and_of_as_many_patients_as_can_be() -> None:
    chosen = drawn(12)
    assert Counter(name.split()[0] for name in chosen) == {"ill": 6, "well": 6}
    assert len({name.split("-")[0] for name in chosen}) == 12


def test_images_of_which_nothing_is_known_are_not_learnt_from() -> None:
    unknown = [replace(row, unknown=(FINDING,)) for row in WARD[:10]]
    with pytest.raises(RemediableError, match=f"has {len(WARD) - 10} usable"):
        Subsets([*unknown, *WARD[10:]], [FINDING], "").training_ids(size=len(WARD), seed=0)


def test_images_are_taken_in_turn() -> None:
    assert turns(7, 3) == [3, 2, 2]
    assert turns(2, 3) == [1, 1, 0]


@pytest.mark.django_db
def test_a_design_is_what_its_experiment_gives_back() -> None:
    made = design(make_cohort(), curated=curate(make_batch()))
    experiment = started(made)
    again = design_of(experiment)
    assert replace(again, sources=made.sources) == made
    assert again.sources[0].sha256 == experiment.sources.get().manifest_id


@pytest.mark.django_db
def test_what_no_cell_has_told_yet_is_an_estimate() -> None:
    cost = cost_of_cell(read_design(VALUES))
    assert (cost.seconds, cost.is_measured) == (ASSUMED_S, False)
