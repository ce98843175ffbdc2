"""The request for the training of a VLM, and what applies it: for page and command alike."""

from pathlib import Path
from typing import Any

from pydantic import Field

from feedback_app.accounts.models import User
from feedback_app.requests import Request, at
from feedback_app.runs.models import Run
from feedback_app.vlms.services import find_vlm, folder_of, start_training
from generation.errors import RemediableError
from generation.specs import VlmSpec, naming_the_setting

SETTINGS = (
    "language_steps",
    "encoder_steps",
    "bridge_steps",
    "instruction_steps",
    "batch_size",
    "image_size",
    "grid",
    "queries",
    "width",
    "layers",
    "heads",
    "lora_rank",
    "seed",
)
"""What may be set of a ``VlmSpec``, which has their limits."""


class VlmTrainingRequest(Request):
    """What a VLM learns from, and how; what is left out of ``settings`` keeps its default."""

    name: str = Field(min_length=1, max_length=100, description="Of the version that comes of it")
    instructions: str = Field(
        min_length=1, max_length=500, description="The folder that build_instructions has written"
    )
    parent: str = Field(
        default="", max_length=100, description="A VLM trained here, to be taught on"
    )
    settings: dict[str, Any] = Field(default_factory=dict)


def ask_for_training(request: VlmTrainingRequest, *, created_by: User | None = None) -> Run:
    """The training that somebody asks for, queued."""
    with at("instructions"):
        instructions = Path(request.instructions).expanduser().resolve()
        if not (instructions / "train").is_dir():
            raise RemediableError(
                f"There are no instructions in {request.instructions}.",
                remedy="Build them with manage.py build_instructions.",
            )
    with at("parent"):
        parent = find_vlm(request.parent) if request.parent else None
    given = dict(request.settings)
    if parent:
        given = {"base": str(folder_of(parent.location)), "encoder_steps": 0} | given
    with at("settings"), naming_the_setting():
        spec = VlmSpec(instructions=str(instructions), **given)
    return start_training(request.name, spec, parent=parent, created_by=created_by)
