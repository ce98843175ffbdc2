"""Which gain a design finds: against simulation, and as the form and the command say it."""

from dataclasses import replace
from io import StringIO

import numpy as np
import pytest
from django.core.management import call_command

from feedback_app.experiments.report.power import power_of, room_of
from feedback_app.experiments.services.plan import plan_of
from feedback_app.experiments.statistics.gains import Resampled, Spread, gain
from feedback_app.experiments.statistics.power import Components, Planner, least
from feedback_app.statistics.bootstrap import times_drawn
from tests.experiments.making import curate, design, fill, make_batch, make_cohort, started

TRUE = Components(of_seed=0.05**2, of_patient=0.15**2, together=0.5**2)
SEEDS, PATIENTS = 10, 60


def p_of_a_gain(size: float, number: int) -> float:
    rng = np.random.default_rng(number)
    drawn = rng.normal(0, 0.05, (SEEDS, 1)) + rng.normal(0, 0.15, (1, PATIENTS))
    drawn = size + drawn + rng.normal(0, 0.5, (SEEDS, PATIENTS))
    replicates = drawn @ times_drawn(rng, PATIENTS, resamples=200).T / PATIENTS
    nothing = Resampled(np.zeros(SEEDS), np.zeros_like(replicates))
    return gain(Resampled(drawn.mean(axis=1), replicates), nothing, patients=PATIENTS).p_value


def test_the_gain_that_is_said_to_be_found_in_most_experiments_is() -> None:
    size = Planner(TRUE).detectable(seeds=SEEDS, patients=PATIENTS, alpha=0.05)
    found = sum(p_of_a_gain(size, number) < 0.05 for number in range(300))
    assert 0.72 * 300 <= found <= 0.87 * 300


def test_what_a_gain_needs_is_the_least_that_finds_it() -> None:
    planner = Planner(TRUE)
    seeds = planner.seeds_for(0.08, patients=PATIENTS, alpha=0.05)
    assert seeds is not None
    both = [planner.detectable(seeds=n, patients=60, alpha=0.05) for n in (seeds - 1, seeds)]
    assert both[0] > 0.08 >= both[1]
    # Patients alone never make up for what seeds vary: 0.05 / sqrt(10) times 2.5 and more.
    assert planner.patients_for(0.03, seeds=SEEDS, alpha=0.05) is None
    assert np.isnan(planner.detectable(seeds=SEEDS, patients=1, alpha=0.05))
    assert least(lambda number: number >= 7, low=3, high=100) == 7


def test_components_are_what_a_spread_was_made_of() -> None:
    found = Components.of(TRUE.spread(SEEDS, PATIENTS), patients=PATIENTS)
    assert (found.of_seed, found.of_patient) == pytest.approx((0.05**2, 0.15**2))
    assert found.together == pytest.approx(0.5**2)
    lone = Spread(of_patients=0.01, of_seeds=0.0, of_one_seed=0.01, seeds=1)
    assert Components.of(lone, patients=4) == Components(of_seed=0, of_patient=0.04, together=0)


@pytest.mark.django_db
def test_a_plan_says_its_power_by_what_earlier_experiments_showed() -> None:
    ward = make_cohort(train=8, validation=2, test=40)
    curated = curate(make_batch(count=16))
    made = design(ward, curated=curated, seeds=list(range(5)))
    assumed = power_of(plan_of(made), wanted=0.2)
    assert assumed is not None and assumed.earlier == ()
    assert (assumed.seeds, assumed.patients, assumed.comparisons) == (5, 40, 4)
    assert assumed.others > assumed.primary > 0
    fill(started(made), gains={"curated": 1.0}, noise=0.1)
    known = power_of(plan_of(made), wanted=0.2)
    assert known is not None and known.earlier == ("Does it help?",)
    assert known.primary != assumed.primary
    out = StringIO()
    call_command(
        "experiment", "Next", "--cohort", "ward", "--findings", "pneumonia", "--sizes", "4",
        "--arms", "real", "transformed", "--seeds", "5", "--primary", "transformed:4:1",
        "--plan", "--for-gain", "0.2", stdout=out,
    )  # fmt: skip
    assert "power: by the variance of Does it help?, a gain of 0." in out.getvalue()
    assert "a gain of 0.200 needs " in out.getvalue()
    assert "room: in Does it help?, from 0." in out.getvalue()
    room = room_of(made)
    assert room is not None and (room.least.real_size, room.most.real_size) == (4, 8)
    assert room.most.value > room.least.trivial_value > 0
    assert room_of(replace(made, metric="auroc")) is None
