"""The gate's rule: from figures to a verdict, each part in a sentence. Torch-free."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from generation.quality.gate_spec import MASKED_MODES, GateSpec

Outcome = Literal["passed", "failed", "missing"]
Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Quality:
    """A figure, its name on screen, and how far it may not go from the parent's."""

    name: str
    label: str
    direction: Literal["rise", "drop"]
    margin: str

    def limit(self, spec: GateSpec) -> float:
        """Returns the change beyond which a child is held, with its sign."""
        margin: float = getattr(spec, self.margin)
        return margin if self.direction == "rise" else -margin


QUALITY = (
    Quality("kid", "KID", "rise", "max_kid_rise"),
    Quality("precision", "Precision", "drop", "max_precision_drop"),
    Quality("recall", "Recall", "drop", "max_recall_drop"),
    Quality("density", "Density", "drop", "max_density_drop"),
    Quality("coverage", "Coverage", "drop", "max_coverage_drop"),
    Quality("ms_ssim", "MS-SSIM over seeds", "rise", "max_ms_ssim_rise"),
)
MODE_WORDS = {"tm2i": "text and masks", "m2i": "masks only"}
MASK_FIDELITY = {
    mode: Quality(
        f"mask_fidelity_{mode}",
        f"Mask fidelity, {MODE_WORDS[mode]}",
        "drop",
        "max_mask_fidelity_drop",
    )
    for mode in MASKED_MODES
}


def qualities(spec: GateSpec) -> tuple[Quality, ...]:
    """List what is compared with the parent's; fidelity to masks only where masks are asked for."""
    return QUALITY if spec.masked is None else (*QUALITY, *MASK_FIDELITY.values())


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule asks one thing; beside it stands what was found, with an interval if it has one."""

    name: str
    label: str
    outcome: Outcome
    sentence: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    limit: float | None = None


@dataclass(frozen=True)
class Verdict:
    rules: tuple[Rule, ...]

    @property
    def is_promote(self) -> bool:
        return all(rule.outcome == "passed" for rule in self.rules)

    @property
    def against(self) -> tuple[Rule, ...]:
        """The rules that hold the child back."""
        return tuple(rule for rule in self.rules if rule.outcome != "passed")


def decide(figures: Figures, spec: GateSpec) -> Verdict:
    """``promote`` only where every rule passed: what could not be measured holds too."""
    return Verdict(
        (
            prompts_rule(figures, spec),
            win_rate_rule(figures, spec),
            *finding_rules(figures, spec),
            *quality_rules(figures, spec),
            *mask_rules(figures, spec),
            copies_rule(figures, spec),
            *hacking_rules(figures, spec),
        )
    )


def prompts_rule(figures: Figures, spec: GateSpec) -> Rule:
    count = figures["prompts"]
    enough = count >= spec.min_prompts
    return Rule(
        name="prompts",
        label="Held-out prompts",
        outcome="passed" if enough else "missing",
        sentence=f"{count} prompts that nothing was taught on; {spec.min_prompts} are needed.",
        value=count,
        limit=spec.min_prompts,
    )


def win_rate_rule(figures: Figures, spec: GateSpec) -> Rule:
    judge = figures["judge"]
    if not judge:
        return Rule(
            name="win_rate",
            label="Win rate",
            outcome="missing",
            sentence=f"Nobody can say which images are better: {figures['no_judge']}",
            limit=spec.win_rate_above,
        )
    won = judge["win_rate"]
    is_above = won["low"] > spec.win_rate_above
    where = "lies wholly above" if is_above else "is not wholly above"
    return Rule(
        name="win_rate",
        label="Win rate",
        outcome="passed" if is_above else "failed",
        sentence=f"{judge['name']} prefers the child in {won['share']:.1%} of pairs; the interval "
        f"{where} {spec.win_rate_above:.0%}.",
        value=won["share"],
        low=won["low"],
        high=won["high"],
        limit=spec.win_rate_above,
    )


def finding_rules(figures: Figures, spec: GateSpec) -> Iterator[Rule]:
    """Hold the child where any finding that enough prompts name has become worse."""
    if not figures["judge"]:
        return
    judged = {
        name: row["win_rate"]
        for name, row in figures["findings"].items()
        if row["prompts"] >= spec.min_prompts_a_finding
    }
    worse = sorted(name for name, won in judged.items() if won["high"] < spec.win_rate_above)
    yield Rule(
        name="findings",
        label="Each finding",
        outcome="failed" if worse else "passed",
        sentence=f"Worse than the parent: {', '.join(worse)}."
        if worse
        else f"None of {len(judged)} findings with {spec.min_prompts_a_finding} prompts or more "
        "became worse.",
    )


def quality_rules(figures: Figures, spec: GateSpec) -> Iterator[Rule]:
    """Hold each change of a quality figure against its margin."""
    for quality in qualities(spec):
        limit = quality.limit(spec)
        found = figures["quality"].get(quality.name)
        if found is None:
            yield Rule(
                name=quality.name,
                label=quality.label,
                outcome="missing",
                sentence=f"{quality.label} could not be had: {figures['no_quality'][quality.name]}",
                limit=limit,
            )
            continue
        change = found["change"]
        is_rise = quality.direction == "rise"
        is_within = change["value"] <= limit if is_rise else change["value"] >= limit
        moved = "rose" if change["value"] > 0 else "fell"
        by = f"{moved} by {abs(change['value']):.3f}" if change["value"] else "did not change"
        yield Rule(
            name=quality.name,
            label=quality.label,
            outcome="passed" if is_within else "failed",
            sentence=f"{quality.label} {by}, from {found['parent']:.3f} to "
            f"{found['child']:.3f}; it may {'rise' if is_rise else 'fall'} by {abs(limit)}.",
            value=change["value"],
            low=change["low"],
            high=change["high"],
            limit=limit,
        )


def mask_rules(figures: Figures, spec: GateSpec) -> Iterator[Rule]:
    """Ask for enough held-out masks, each followed better than other patients' masks."""
    if spec.masked is None:
        return
    masks = figures["masks"]
    yield Rule(
        name="masks",
        label="Held-out masks",
        outcome="passed" if masks else "missing",
        sentence=f"Masks of {masks['patients']} patients that nothing was taught on; "
        f"{spec.min_masks} are needed."
        if masks
        else f"The child learnt from masks, and none can be asked for: {spec.masked.missing}",
        value=masks["patients"] if masks else None,
        limit=spec.min_masks,
    )
    for mode, found in masks["modes"].items() if masks else ():
        child = found["child"]
        specific = child["specific"]
        follows = specific["low"] > spec.mask_fidelity_above
        yield Rule(
            name=f"follows_{mode}",
            label=f"Follows its masks, {MODE_WORDS[mode]}",
            outcome="passed" if follows else "failed",
            sentence=f"Dice with the masks that the child was given is {child['matched']:.3f}, "
            f"with other patients’ {child['shuffled']:.3f}; the interval of how far that is from "
            f"shuffled to perfect {'lies' if follows else 'is not'} wholly above "
            f"{spec.mask_fidelity_above:g}.",
            value=specific["value"],
            low=specific["low"],
            high=specific["high"],
            limit=spec.mask_fidelity_above,
        )


def copies_rule(figures: Figures, spec: GateSpec) -> Rule:
    copies = figures["copies"]
    if copies is None:
        return Rule(
            name="copies",
            label="Copies",
            outcome="missing",
            sentence=f"Nobody knows whether images are copies: {figures['no_quality']['copies']}",
            limit=spec.max_copies_share,
        )
    child = copies["child"]
    is_within = child["value"] <= spec.max_copies_share
    return Rule(
        name="copies",
        label="Copies",
        outcome="passed" if is_within else "failed",
        sentence=f"{child['value']:.1%} of the child's images are too close to a training image "
        f"(parent {copies['parent']['value']:.1%}); {spec.max_copies_share:.0%} at most may be.",
        value=child["value"],
        low=child["low"],
        high=child["high"],
        limit=spec.max_copies_share,
    )


def hacking_rules(figures: Figures, spec: GateSpec) -> Iterator[Rule]:
    """Raise the alarm where what was trained on went up, unseen by a judge that was not."""
    trained, judge = figures["trained_on"], figures["judge"]
    if not trained or not judge:
        return
    went_up = trained["low"] > trained["neutral"]
    is_flat = judge["win_rate"]["low"] <= spec.win_rate_above
    raised = went_up and is_flat
    yield Rule(
        name="reward_hacking",
        label="Trained reward against held-out reward",
        outcome="failed" if raised else "passed",
        sentence=f"{trained['name']} went up, and the judge sees no gain: the model may have "
        "learnt the reward's weaknesses instead of better images."
        if raised
        else f"{trained['name']} {'went up' if went_up else 'did not go up'}, and the judge "
        f"{'sees no gain' if is_flat else 'sees a gain'}: no alarm.",
        value=trained["value"],
        low=trained["low"],
        high=trained["high"],
        limit=trained["neutral"],
    )
