"""What a gate asks of a child, stated before it is measured. Torch-free."""

from dataclasses import asdict
from typing import Any

from pydantic import ConfigDict, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from generation.conditioning.findings import NORMAL, findings_in
from generation.conditioning.prompts import default_prompts
from generation.specs import MaskKind, Mode, Sampler, SampleSpec

MASKED_MODES: tuple[Mode, ...] = ("tm2i", "m2i")
"""The modes in which held-out masks are followed."""


@dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))
class MaskedSpec:
    """Held-out masks that a child which learnt from masked readings is asked to follow.

    ``taught_kinds`` are those that it learnt from; ``kinds`` those of them that a segmenter
    can measure, which are followed together. ``images`` are ids of cohort images, one a
    patient; each gives its own masks and ``variants`` of them. In mode tm2i every mask goes
    with each of the ``prompts``, in mode m2i with as many seeds. ``missing`` says why no
    masks can be asked for.
    """

    taught_kinds: tuple[MaskKind, ...]
    kinds: tuple[MaskKind, ...] = ()
    cohort: str = ""
    images: tuple[str, ...] = ()
    variants: int = 0
    prompts: tuple[str, ...] = ()
    missing: str = ""


@dataclass(frozen=True, kw_only=True, config=ConfigDict(extra="forbid"))
class GateSpec:
    """It holds prompts, seeds and margins of one gate.

    The margins are in units of their figures: KID, MS-SSIM, and shares from 0 to 1.
    ``max_copies_share`` is of the child's images beyond the threshold of similarity to a
    training image, which 1 % of held-out real images are. ``min_masks`` are of so many
    patients; the fidelity to masks is (matched - shuffled) / (1 - shuffled) of Dice.
    """

    rule: str = "gate-2"
    prompts: tuple[str, ...]
    images_per_prompt: int = Field(default=3, ge=2, description="Images for each prompt")
    first_seed: int = Field(default=20_000, ge=0)
    sampler: Sampler = SampleSpec.sampler
    steps: int = SampleSpec.steps
    guidance_scale: float = SampleSpec.guidance_scale
    side: int | None = None
    min_prompts: int = Field(default=12, ge=2)
    min_prompts_a_finding: int = Field(default=4, ge=2)
    win_rate_above: float = 0.5
    max_kid_rise: float = 0.02
    max_precision_drop: float = 0.1
    max_recall_drop: float = 0.1
    max_density_drop: float = 0.25
    max_coverage_drop: float = 0.1
    max_ms_ssim_rise: float = 0.03
    max_copies_share: float = 0.05
    masked: MaskedSpec | None = None
    min_masks: int = Field(default=4, ge=2)
    mask_fidelity_above: float = 0.0
    max_mask_fidelity_drop: float = 0.1

    @property
    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def gate_spec_of(stored: dict[str, Any]) -> GateSpec:
    """Returns the spec as it was stored."""
    return TypeAdapter(GateSpec).validate_python(stored)


PROMPTS_A_FINDING = 4


def gate_prompts(taught: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Returns the prompts that gates ask, without those that were taught on: four of each finding.

    They are taken from the end of the default prompts, since batches begin at the front.
    """
    chosen: dict[str, list[str]] = {}
    for prompt in reversed(default_prompts()):
        of_finding = chosen.setdefault(finding_of(prompt), [])
        if prompt not in taught and len(of_finding) < PROMPTS_A_FINDING:
            of_finding.append(prompt)
    return tuple(prompt for finding in sorted(chosen) for prompt in chosen[finding])


def finding_of(prompt: str) -> str:
    """Name what a prompt is counted under: its findings, or that it names none."""
    return ", ".join(findings_in(prompt)) or NORMAL
