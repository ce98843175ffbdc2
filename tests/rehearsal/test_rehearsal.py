"""The rehearsal: all stages with a tiny model, and when it calls a child worse."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from feedback_app.curation.models import CuratedSet
from feedback_app.exports.models import Export
from feedback_app.finetuning.models import FineTune
from feedback_app.images.candidates.batches import Settings
from feedback_app.images.models import ModelVersion, Recipe
from feedback_app.rehearsal.loop import (
    Plan,
    Rehearsal,
    WorseThanItsParentError,
    require_better,
)

PLAN = Plan(
    taught_prompts=("chest x-ray, edema", "chest x-ray, effusion"),
    held_out_prompts=("chest x-ray, pneumonia", "chest x-ray, no finding"),
    images_per_held_out_prompt=3,
    sampling=Settings(steps=2, side=128),
    readers=8,
    fine_tuning={"steps": 2, "batch_size": 2, "rank": 2},
    min_mean_score=0,
    refuses_copies=False,
    win_rate_above=-1,
    max_kid_rise=1e9,
    max_ms_ssim_rise=2,
)


def result_with(
    *, low: float = 0.6, kid: float = 0.1, ms_ssim: float = 0.3, copies: float = 0.01
) -> dict[str, Any]:
    return {
        "child": "base-1",
        "parent": "base",
        "tastes": {"readers_taste": {"low": low}},
        "quality": {
            "child": {"kid": kid, "ms_ssim": ms_ssim, "copies": copies},
            "parent": {"kid": 0.1, "ms_ssim": 0.3, "copies": 0.01},
        },
    }


def plan_of(**changes: Any) -> Plan:
    return Plan(taught_prompts=("a",), held_out_prompts=("b",), **changes)


@pytest.mark.slow
@pytest.mark.usefixtures("trainings_here")
def test_every_stage_says_its_line_and_leaves_its_rows(parent: ModelVersion) -> None:
    lines: list[str] = []
    Rehearsal(PLAN, lines.append).run(parent)
    assert [line.partition(":")[0] for line in lines] == [
        "candidates (taught)",
        "readings",
        "snapshot",
        "fine-tune",
        "candidates (held out, child)",
        "candidates (held out, parent)",
        "win rate",
        "quality",
        "readings",
        "curation",
        "export",
    ]
    seeds = Recipe.objects.values_list("seed", flat=True).filter(model_version=parent)
    assert len(set(seeds)) == 2 * 4 + 2 * 3
    child = FineTune.objects.get().model_version
    assert child is not None
    assert child.taught_by_simulated_readers
    curated = CuratedSet.objects.get()
    assert curated.is_simulated
    assert curated.considered == 6
    assert Export.objects.get().blob is not None


def test_a_win_rate_whose_interval_reaches_a_half_is_not_better() -> None:
    require_better(result_with(low=0.501), plan_of())
    with pytest.raises(WorseThanItsParentError, match="win rate's interval"):
        require_better(result_with(low=0.5), plan_of())


@pytest.mark.parametrize(
    ("change", "name"), [({"kid": 0.121}, "KID"), ({"ms_ssim": 0.331}, "MS-SSIM")]
)
def test_quality_beyond_the_margin_is_not_better(change: dict[str, float], name: str) -> None:
    margins = plan_of(max_kid_rise=0.02, max_ms_ssim_rise=0.03)
    with pytest.raises(WorseThanItsParentError, match=f"{name} rose"):
        require_better(result_with(**change), margins)


def test_quality_within_the_margin_is() -> None:
    margins = plan_of(max_kid_rise=0.02, max_ms_ssim_rise=0.03)
    require_better(result_with(kid=0.119, ms_ssim=0.329), margins)


def test_copies_beyond_the_limit_are_not_better() -> None:
    require_better(result_with(copies=0.05), plan_of())
    with pytest.raises(WorseThanItsParentError, match="too close to a training image"):
        require_better(result_with(copies=0.06), plan_of())


def test_a_prompt_cannot_be_taught_and_held_out() -> None:
    with pytest.raises(ValueError, match="taught and held out"):
        Plan(taught_prompts=("a", "b"), held_out_prompts=("b",))


def test_the_command_exits_non_zero_where_a_stage_fails(
    db: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CommandError, match="no model"):
        call_command("rehearse", "--model", str(tmp_path / "nothing"))


def test_more_prompts_than_there_are_is_refused(parent: ModelVersion) -> None:
    with pytest.raises(CommandError, match="prompts in all"):
        call_command("rehearse", "--model", parent.location, "--prompts", "500")
