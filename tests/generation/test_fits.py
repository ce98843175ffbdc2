"""Whether a picture shows what its prompt names, by what a judge saw."""

import pytest

from generation.conditioning.facts import facts_of
from generation.conditioning.fits import Attribute, is_named, is_shown

PROMPT = "chest x-ray, pneumonia, PA view, female, 60 years"


@pytest.mark.parametrize(
    ("attribute", "prompt", "plain", "seen", "is_reached", "fits"),
    [
        ("view", PROMPT, "view PA", {"view PA": 0.9, "view AP": 0.1}, True, True),
        ("view", PROMPT, "view PA", {"view PA": 0.9, "view AP": 0.1}, False, False),
        ("sex", PROMPT, "sex female", {"sex female": 0.4, "sex male": 0.6}, True, False),
        ("finding", PROMPT, "pneumonia", {"pneumonia": 0.6, "no finding": 0.4}, True, True),
        ("finding", PROMPT, "pneumonia", {"pneumonia": 0.4, "no finding": 0.6}, True, False),
        ("finding", "chest x-ray", "no finding", {"no finding": 0.6, "edema": 0.7}, True, True),
        ("finding", "chest x-ray", "no finding", {"no finding": 0.4, "edema": 0.1}, True, False),
        ("age", PROMPT, "age 40 to 64", {"age 40 to 64": 0.1, "age 65 and over": 0.6}, False, True),
        ("age", "55 years", "age 40 to 64", {"age 18 to 39": 0.5}, True, True),  # 39 is 16 off
        ("age", "56 years", "age 40 to 64", {"age 18 to 39": 0.5}, True, False),
        ("age", "48 years", "age 40 to 64", {"age 65 and over": 0.5}, True, False),
        ("age", "33 years", "age 18 to 39", {"age under 18": 0.5}, True, True),
        ("age", "34 years", "age 18 to 39", {"age under 18": 0.5}, True, False),
        ("side", "left effusion", "side left", {"side left": 0.6, "side right": 0.4}, True, True),
        ("side", "left effusion", "side left", {"side left": 0.4, "side right": 0.6}, True, False),
        (
            "absence",
            PROMPT,
            "no other finding",
            {"no other finding": 0.6, "edema": 0.4},
            True,
            True,
        ),
        (
            "absence",
            PROMPT,
            "no other finding",
            {"no other finding": 0.4, "edema": 0.6},
            True,
            False,
        ),
    ],
)
def test_what_is_asked_for_has_to_be_plain_and_nothing_contrary_likelier(
    attribute: Attribute, prompt: str, plain: str, seen: dict[str, float], is_reached: bool,
    fits: bool,
) -> None:  # fmt: skip
    wanted = facts_of(prompt)
    assert is_shown(attribute, wanted, seen, plain=plain, is_reached=is_reached) is fits


def test_a_prompt_names_one_side_or_both_or_none() -> None:
    for prompt, side in (
        ("chest x-ray, left effusion", "left"), ("Right-sided pneumothorax", "right"),
        ("bilateral edema", "both"), ("left and right effusion", "both"), (PROMPT, ""),
    ):  # fmt: skip
        assert facts_of(prompt).side == side
        assert is_named("side", facts_of(prompt)) is (side in {"left", "right"})
