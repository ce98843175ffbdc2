"""How likely a case was to be drawn goes with its reading into the snapshot, and can weigh."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from feedback_app.accounts.models import User
from feedback_app.finetuning.services import take_snapshot
from feedback_app.readings.claims import claim
from feedback_app.studies.models import Draw, DrawRule, Slot
from generation.rewards.scored_pairs import encode
from generation.rewards.trunks import trunk_of
from generation.specs import Preference
from tests.generation.bright_pairs import Brightness, write_pairs
from tests.readings.answers import read, scores_for
from tests.readings.rooms import active_pool, assign, make_room, reward_model, synthetic

pytestmark = pytest.mark.django_db


def lines_read() -> list[dict[str, Any]]:
    blob = take_snapshot(name="Monday", simulated=False).blob
    return [json.loads(line) for line in blob.read().splitlines()]


def as_drawn(slot: Slot) -> Slot:
    """As though an active order had drawn it."""
    Draw.objects.create(
        slot=slot,
        number=1,
        rule=DrawRule.LOT,
        propensity=0.02,
        uniform=0.1,
        claimable=10,
        reward_model=reward_model(),
    )
    return slot


def test_a_rating_of_a_drawn_case_has_its_propensity(rosa: User) -> None:
    slot = claim(active_pool(rosa), rosa)
    assert slot is not None
    read(slot)
    (line,) = lines_read()
    assert line["propensity"] == slot.draw.propensity
    assert line["uniform_propensity"] == slot.draw.uniform == pytest.approx(1 / 3)


@pytest.mark.parametrize("mode", ["rate_k", "compare"])
def test_a_pair_of_a_drawn_case_has_its_propensity(rosa: User, mode: str) -> None:
    study = make_room(mode, rosa, cases=[[synthetic(1), synthetic(2)]])
    slot = as_drawn(assign(study, rosa)[0])
    scores = scores_for(slot)
    read(
        slot,
        scores=[
            *scores[:2],
            *(type(score)(score.place, score.criterion, 5) for score in scores[2:]),
        ],
    )
    (pair,) = (line for line in lines_read() if "winner" in line)
    assert (pair["propensity"], pair["uniform_propensity"]) == (0.02, 0.1)


def test_a_reading_that_was_not_drawn_has_the_bytes_that_it_always_had(rosa: User) -> None:
    slot = assign(make_room("rate", rosa, cases=[[synthetic(1)]]), rosa)[0]
    read(slot)
    (line,) = lines_read()
    assert not {"propensity", "uniform_propensity"} & set(line)


def test_pairs_are_weighted_back_one_on_the_mean(tmp_path: Path) -> None:
    pairs = write_pairs(tmp_path, prompts=1)[:3]
    told: list[Preference] = [
        type(pair)(**(vars(pair) | {"propensity": propensity, "uniform_propensity": 0.01}))
        for pair, propensity in zip(pairs, (0.002, 0.8, None), strict=True)
    ]
    lessons = encode(told, trunk_of(Brightness(), location="test"))
    assert torch.allclose(lessons.pair_weight, torch.tensor([5.0, 0.2, 1.0]) * 3 / 6.2)
