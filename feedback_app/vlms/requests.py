"""The request for the training of a VLM, and what applies it: for page, API and command alike."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from feedback_app.accounts.models import User
from feedback_app.images.versions.folders import folder_named
from feedback_app.requests import Request, at
from feedback_app.runs.models import Run
from feedback_app.vlms.models import InstructionSet
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
        min_length=1,
        max_length=500,
        description="An instruction set by name, or a folder that build_instructions has written",
    )
    parent: str = Field(
        default="", max_length=100, description="A VLM trained here, to be taught on"
    )
    settings: dict[str, Any] = Field(default_factory=dict)


def ask_for_training(request: VlmTrainingRequest, *, created_by: User | None = None) -> Run:
    """Returns the training that somebody asks for, queued."""
    with at("instructions"):
        instructions = _instructions_of(request.instructions, created_by=created_by)
    with at("parent"):
        parent = find_vlm(request.parent) if request.parent else None
    given = dict(request.settings)
    if parent:
        given = {"base": str(folder_of(parent.location)), "encoder_steps": 0} | given
    with at("settings"), naming_the_setting():
        spec = VlmSpec(instructions=str(instructions.resolve()), **given)
    return start_training(request.name, spec, parent=parent, created_by=created_by)


def _instructions_of(named: str, *, created_by: User | None) -> Path:
    """Returns the folder of a set, or one on the server, which admins alone may name."""
    built = InstructionSet.objects.built().filter(name=named).first()
    if built is not None:
        return built.path
    if row := InstructionSet.objects.filter(name=named).first():
        why = "was erased with a cohort" if row.erased_at else "is not built"
        raise RemediableError(
            f"The instruction set “{named}” {why}.",
            remedy="Build another one." if row.erased_at else "Wait for its run, or retry it.",
        )
    if created_by is not None and not created_by.is_admin:
        raise RemediableError(
            f"There is no instruction set “{named}”, and folders are named by admins alone.",
            remedy="Name a set as the page Instruction data does.",
        )
    folder = folder_named(named)
    if folder is None or not (folder / "train").is_dir():
        raise RemediableError(
            f"There are no instructions in {named}.",
            remedy="Name an instruction set, or build them with manage.py build_instructions.",
        )
    return folder


class InstructionRequest(Request):
    """What instructions are built from: cohorts that are here, and public data sets' folders."""

    name: str = Field(min_length=1, max_length=100, description="Of the instruction set")
    cohorts: tuple[str, ...] = Field(
        default=(), description="Cohorts whose images are asked about, by their own splits"
    )
    readings: bool = Field(
        default=False,
        title="What readers said of candidates",
        description=(
            "Flags with regions, scores, choices and comments of people, marked as such; nothing "
            "retracted, nothing of studies that hide where images are from"
        ),
    )
    data: str = Field(
        default="",
        max_length=500,
        title="Folder of data sets",
        description=(
            "A folder on the server that holds public data sets, each in a folder of its name "
            "(docs/instruction-data.md)"
        ),
    )
    seed: str = Field(
        default="0", min_length=1, max_length=32, description="What wording is drawn by"
    )


class BenchmarkRequest(Request):
    """Which VLM answers the benchmark of which instruction set."""

    version: str = Field(min_length=1, max_length=100, title="VLM version")
    instruction_set: str = Field(min_length=1, max_length=100, title="Instruction set")


class AnswersRequest(Request):
    """Answers of a model that runs elsewhere, as JSON lines."""

    model: str = Field(
        min_length=1, max_length=100, description="What the model is called in the tables"
    )
    instruction_set: str = Field(min_length=1, max_length=100, title="Instruction set")
    answers: str = Field(
        min_length=2,
        max_length=100_000_000,
        description="JSON lines (docs/vlm-benchmark.md): an answer or options' likelihoods each",
    )


class QuestionRequest(Request):
    """A question to a VLM of one image; with options it answers by their likelihood."""

    version: str = Field(min_length=1, max_length=100, title="VLM version")
    image: str = Field(min_length=1, max_length=36, description="The image's id")
    question: str = Field(min_length=1, max_length=500)
    options: tuple[Annotated[str, Field(min_length=1, max_length=100)], ...] = Field(
        default=(), max_length=10, description="Answers to choose from; none for one in words"
    )


class RegisterVlmRequest(Request):
    """A VLM in a folder on the server, to be registered by an admin."""

    name: str = Field(min_length=1, max_length=100)
    location: str = Field(
        min_length=1,
        max_length=500,
        description="“bundled”, or a folder on this server that save_pretrained() has written",
    )
