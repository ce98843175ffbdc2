"""The gate's rule: what promotes, what holds, and what it says."""

from dataclasses import replace
from typing import Any

import pytest

from generation.conditioning.prompts import default_prompts
from generation.quality.gate_rules import decide
from generation.quality.gate_spec import (
    GateSpec,
    MaskedSpec,
    finding_of,
    gate_prompts,
    gate_spec_of,
)
from tests.finetuning.gate_world import good_figures, spec


def outcome_of(name: str, **changes: Any) -> str:
    return {rule.name: rule.outcome for rule in decide(good_figures(**changes), spec()).rules}[name]


def quality_with(name: str, change: float) -> dict[str, Any]:
    quality = good_figures()["quality"]
    moved = {"child": 0.5 + change, "parent": 0.5, "change": {"value": change, "low": 0, "high": 0}}
    return {"quality": quality | {name: moved}}


def judged(low: float, *, share: float = 0.7) -> dict[str, Any]:
    judge = good_figures()["judge"]
    return {"judge": judge | {"win_rate": judge["win_rate"] | {"low": low, "share": share}}}


def test_a_child_that_is_better_and_no_worse_is_promoted() -> None:
    verdict = decide(good_figures(), spec())
    assert verdict.is_promote
    assert not verdict.against


def test_a_win_rate_whose_interval_reaches_a_half_holds() -> None:
    assert outcome_of("win_rate", **judged(0.501)) == "passed"
    assert outcome_of("win_rate", **judged(0.5)) == "failed"


def test_without_a_judge_figures_alone_never_promote() -> None:
    verdict = decide(good_figures(judge=None), spec())
    assert [(rule.name, rule.outcome) for rule in verdict.against] == [("win_rate", "missing")]
    assert "no reward model is registered" in verdict.against[0].sentence


@pytest.mark.parametrize(
    ("name", "within", "beyond"),
    [
        ("kid", 0.02, 0.021),
        ("ms_ssim", 0.03, 0.031),
        ("precision", -0.1, -0.101),
        ("recall", -0.1, -0.101),
        ("density", -0.25, -0.251),
        ("coverage", -0.1, -0.101),
    ],
)
def test_each_figure_may_go_as_far_as_its_margin(name: str, within: float, beyond: float) -> None:
    assert outcome_of(name, **quality_with(name, within)) == "passed"
    assert outcome_of(name, **quality_with(name, beyond)) == "failed"
    assert outcome_of(name, **quality_with(name, -beyond)) == "passed"


def test_copies_beyond_the_limit_hold() -> None:
    def copies(share: float) -> dict[str, Any]:
        return {
            "copies": {side: {"value": share, "low": 0, "high": 1} for side in ("child", "parent")}
        }

    assert outcome_of("copies", **copies(0.05)) == "passed"
    assert outcome_of("copies", **copies(0.06)) == "failed"


def test_a_model_that_brings_nothing_to_compare_with_is_held() -> None:
    missing = ("kid", "precision", "recall", "density", "coverage", "copies")
    figures = good_figures(copies=None, no_quality=dict.fromkeys(missing, "no quality folder."))
    figures["quality"] = {"ms_ssim": figures["quality"]["ms_ssim"]}
    verdict = decide(figures, spec())
    assert {rule.name for rule in verdict.against} == set(missing)
    assert {rule.outcome for rule in verdict.against} == {"missing"}


def test_the_alarm_is_a_trained_reward_that_rose_where_the_judge_sees_nothing() -> None:
    assert outcome_of("reward_hacking", **judged(0.4)) == "failed"
    flat = good_figures()["trained_on"] | {"low": 0.45}
    assert outcome_of("reward_hacking", **judged(0.4), trained_on=flat) == "passed"
    assert outcome_of("reward_hacking") == "passed"


def test_a_finding_that_became_worse_holds_if_enough_prompts_name_it() -> None:
    lost = {"share": 0.2, "low": 0.1, "high": 0.4, "pairs": 8, "prompts": 4}
    row = {"prompts": 4, "pairs": 8, "win_rate": lost, "copies": 0}
    assert outcome_of("findings", findings={"edema": row}) == "failed"
    assert outcome_of("findings", findings={"edema": row | {"prompts": 3}}) == "passed"


def masked(*, low: float = 0.3, change: float = 0.0) -> dict[str, str]:
    """Outcomes where masks are asked for: the child's fidelity and its change in mode m2i."""
    found = {
        "matched": 0.9,
        "shuffled": 0.7,
        "specific": {"value": 0.6, "low": low, "high": 0.8},
    }
    moved = {"child": 0.6, "parent": 0.6 - change, "change": {"value": change, "low": 0, "high": 0}}
    still = moved | {"change": {"value": 0.0, "low": 0, "high": 0}}
    modes = {mode: {"images": 12, "child": found, "parent": found} for mode in ("tm2i", "m2i")}
    quality = good_figures()["quality"] | {
        "mask_fidelity_tm2i": still,
        "mask_fidelity_m2i": moved,
    }
    figures = good_figures(masks={"patients": 6, "modes": modes}, quality=quality)
    asked = replace(spec(), masked=MaskedSpec(taught_kinds=("lungs",), kinds=("lungs",)))
    return {rule.name: rule.outcome for rule in decide(figures, asked).rules}


def test_fidelity_to_masks_may_fall_by_its_margin_and_must_be_there_at_all() -> None:
    assert set(masked(change=-0.1).values()) == {"passed"}
    assert masked(change=-0.101)["mask_fidelity_m2i"] == "failed"
    flat = masked(low=0.0)
    assert (flat["follows_tm2i"], flat["follows_m2i"]) == ("failed", "failed")


def test_masks_that_nobody_can_measure_hold() -> None:
    asked = replace(
        spec(), masked=MaskedSpec(taught_kinds=("opacity",), missing="no segmenter of opacity.")
    )
    names = ("mask_fidelity_tm2i", "mask_fidelity_m2i")
    figures = good_figures(masks=None, no_quality=dict.fromkeys(names, "no segmenter of opacity."))
    verdict = decide(figures, asked)
    assert {rule.name for rule in verdict.against} == {"masks", *names}
    assert {rule.outcome for rule in verdict.against} == {"missing"}
    assert gate_spec_of(asked.as_json) == asked


def test_too_few_prompts_hold() -> None:
    assert outcome_of("prompts", prompts=11) == "missing"


def test_the_prompts_are_four_of_each_finding_and_none_that_was_taught_on() -> None:
    prompts = gate_prompts()
    findings = [finding_of(prompt) for prompt in prompts]
    assert {findings.count(finding) for finding in findings} == {4}
    taught = frozenset(prompts[:10])
    others = gate_prompts(taught)
    assert len(others) == len(prompts)
    assert not taught & set(others)
    assert gate_prompts(frozenset(default_prompts())) == ()


def test_a_spec_comes_back_as_it_was_stored() -> None:
    own = GateSpec(prompts=("a", "b"), max_kid_rise=0.01)
    assert gate_spec_of(own.as_json) == own
