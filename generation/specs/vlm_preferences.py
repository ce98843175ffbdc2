"""What readers of reports teach a VLM, and how what they taught is compared with its parent."""

from typing import Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from generation.specs.strict import STRICT

REPORT_PROMPT = "Write the radiology report of this chest X-ray."
"""What a VLM is asked for where readers edited or compared reports."""
VlmMethod = Literal["dpo", "kto"]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class VlmPreferenceSpec:
    """Teach a VLM what readers prefer, through an adapter that is merged at the end.

    ``vlm`` is ``bundled`` or a folder, ``lessons`` JSON lines with ``picture``, ``kind``,
    ``text`` and ``over``. Direct preference optimisation (2305.18290) learns from what was
    preferred to what; Kahneman-Tversky optimisation (2402.01306) from texts that were wanted and
    texts that were not, each alone. ``beta`` keeps the child near its parent, more the higher.
    """

    vlm: str = Field(min_length=1)
    lessons: str = Field(min_length=1)
    method: VlmMethod = "dpo"
    steps: int = Field(default=100, ge=1, le=100_000)
    batch_size: int = Field(default=4, ge=2, le=256)
    learning_rate: float = Field(default=5e-5, gt=0, le=1)
    beta: float = Field(default=0.1, gt=0, le=10)
    lora_rank: int = Field(default=8, ge=1, le=256)
    checkpoint_every: int = Field(default=20, ge=1)
    seed: int = Field(default=0, ge=0, lt=2**31)


@dataclass(frozen=True, kw_only=True, config=STRICT)
class VlmComparisonSpec:
    """Ask a VLM and its parent about reports that neither of them was taught.

    ``lessons`` are JSON lines with ``picture``, ``text`` and ``over``.
    """

    child: str = Field(min_length=1)
    parent: str = Field(min_length=1)
    lessons: str = Field(min_length=1)
