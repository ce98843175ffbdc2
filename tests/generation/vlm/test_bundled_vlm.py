"""The VLM and the judge that come with the project."""

import pytest

from generation.conditioning.facts import facts_of
from generation.specs import BUNDLED
from generation.vlm.judge import Judge
from generation.vlm.model.folders import BUNDLED_VLM
from generation.vlm.model.vlms import Asked, OwnVlm, load_vlm
from tests.generation.vlm.tiny_vlms import picture

MOST_BYTES = 40_000_000


def test_the_bundled_vlm_answers_and_describes() -> None:
    assert sum(path.stat().st_size for path in BUNDLED_VLM.rglob("*.*")) < MOST_BYTES
    vlm = load_vlm(BUNDLED)
    assert isinstance(vlm, OwnVlm)
    asked = Asked(question="Which projection is this?", options=("PA", "AP"),
                  pictures=(picture(0),))  # fmt: skip
    assert sum(vlm.choose([asked])[0].probabilities) == pytest.approx(1)
    assert vlm.describe([picture(0)])[0].startswith("chest x-ray, ")


def test_the_bundled_judge_knows_what_prompts_of_the_bundled_model_name() -> None:
    judge = Judge.load(BUNDLED_VLM / "judge")
    assert judge.facts.eye == BUNDLED
    found = judge.probabilities([picture(0)])[0]
    wanted = facts_of("chest x-ray, pneumonia, PA view, female, 60 years")
    for attribute in ("finding", "view", "sex", "age"):
        assert judge.attribute(attribute, wanted, found) is not None
