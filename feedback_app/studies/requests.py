"""What coordinators ask of studies, with its limits: for page, API and command alike."""

from datetime import date
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from feedback_app.requests import Request
from feedback_app.studies.enums import CriterionKind
from feedback_app.studies.models import (
    EXPLORATION_PERCENT,
    IMAGES_PER_CASE,
    SCORE_MAX,
    Allocation,
    CaseOrder,
)
from feedback_app.studies.models.questions import ANCHOR_LENGTH, NAME_LENGTH, QUESTION_LENGTH
from feedback_app.studies.models.reports import SOURCE_LENGTH
from feedback_app.studies.models.studies import NAME_LENGTH as STUDY_NAME_LENGTH
from feedback_app.studies.modes import DEFAULT_MODE, MODES, mode_of
from feedback_app.studies.modes.real_or_synthetic import REAL_PERCENT

SEED_LIMIT = 2**31
SCALES_MAX = 4
PICKED_MAX = 2_000
SCORES = SCORE_MAX + 1


def _known_mode(slug: str) -> str:
    if slug not in MODES:
        raise ValueError(f"“{slug}” is not a valid choice. Choose one of {', '.join(MODES)}.")
    return slug


class CriterionRequest(Request):
    """It asks for one question of a study; a comparison has no anchors."""

    name: str = Field(min_length=1, max_length=NAME_LENGTH)
    question: str = Field(min_length=1, max_length=QUESTION_LENGTH)
    anchors: tuple[Annotated[str, Field(min_length=1, max_length=ANCHOR_LENGTH)], ...] = ()


class StudyRequest(Request):
    """A study's design, and the batches that it takes its candidates from.

    Readers are user names, batches, candidates and ``against`` are keys, ``real_cohort`` and
    ``reward_model`` are names. ``criteria`` and ``flags`` are the mode's own where they are
    left out.
    """

    name: str = Field(
        min_length=1,
        max_length=STUDY_NAME_LENGTH,
        description="Readers see it, so let it tell nothing about models or expectations.",
    )
    mode: Annotated[str, AfterValidator(_known_mode)] = Field(
        default=DEFAULT_MODE, title="What a case shows"
    )
    images_per_case: int = Field(
        default=4, ge=IMAGES_PER_CASE[0], le=IMAGES_PER_CASE[1], title="Images a case"
    )
    batches: tuple[UUID, ...] = Field(default=(), title="Candidates of")
    candidates: tuple[UUID, ...] = Field(
        default=(),
        max_length=PICKED_MAX,
        title="Candidates picked by hand",
        description="They come beside those of batches.",
    )
    sample_size: int | None = Field(
        default=None,
        ge=1,
        le=100_000,
        title="Draw so many images of the batches",
        description="By lot, as many of each finding as there are; left empty, all are shown.",
    )
    against: UUID | None = Field(
        default=None,
        description="A second batch, of a fine-tuned child say: paired by prompt and seed.",
    )
    real_cohort: str | None = Field(
        default=None,
        title="Real images of",
        description="No smaller than the candidates; from its test split, then validation.",
    )
    real_percent: int = Field(
        default=50, ge=REAL_PERCENT[0], le=REAL_PERCENT[1], title="Real, in per cent"
    )
    real_from_training: bool = Field(
        default=False,
        title="Training images too, if the others do not suffice",
        description="The model has learnt from them: what it makes may look like them.",
    )
    cohort_images: int = Field(
        default=20,
        ge=1,
        le=100_000,
        title="How many of its images",
        description="By lot, where every source below has a report of them.",
    )
    draft_sources: tuple[Annotated[str, Field(min_length=1, max_length=SOURCE_LENGTH)], ...] = (
        Field(
            default=(),
            max_length=2,
            title="Reports of",
            description="None lets readers write from nothing. Readers are not told the source.",
        )
    )
    undrafted_percent: int = Field(
        default=0,
        ge=0,
        le=90,
        title="Cases without a draft, in per cent",
        description="By lot: they tell how much time a draft saves.",
    )
    shows_prior: bool = Field(
        default=False,
        title="Beside each image an earlier one of the same patient",
        description="Only images of which the cohort has one are taken, so no synthetic ones.",
    )
    has_phases: bool = Field(
        default=False,
        title="Two phases",
        description="First every image is scored by readers who are not told that some are "
        "synthetic; only then are they asked which.",
    )
    reference_cohort: str | None = Field(
        default=None,
        title="A real image beside each case, of",
        description="Of the same findings, from the cohort's training split; readers know that "
        "it is real.",
    )
    readers: tuple[str, ...] = ()
    allocation: Allocation = Field(default=Allocation.ASSIGNED, title="Who reads which case")
    readers_per_case: int = Field(
        default=1,
        ge=1,
        le=20,
        title="Readers a case",
        description="Two or more let agreement be estimated.",
    )
    anchor_count: int = Field(
        default=0, ge=0, le=100_000, title="Anchors", description="Cases that every reader reads."
    )
    repeat_percent: int = Field(
        default=0,
        ge=0,
        le=100,
        title="Hidden repeats, in per cent",
        description="Of each reader's cases: they tell how far readers agree with themselves.",
    )
    repeat_min_gap: int = Field(
        default=10, ge=1, le=10_000, title="Cases before a repeat, at least"
    )
    case_order: CaseOrder = Field(default=CaseOrder.RANDOM, title="Which case comes next")
    reward_model: str | None = Field(
        default=None,
        description="Where its heads contradict each other, a reading teaches it most. A newer "
        "one takes its place by itself.",
    )
    exploration_percent: int = Field(
        default=20,
        ge=EXPLORATION_PERCENT[0],
        le=EXPLORATION_PERCENT[1],
        title="By lot all the same, in per cent",
        description="Of the cases: so that every case can come, and what is read can be "
        "weighted back.",
    )
    block_size: int = Field(
        default=0,
        ge=0,
        le=1_000,
        description="Each block is a like mixture of sources; 0 shuffles all at once.",
    )
    break_every_min: int = Field(
        default=30,
        ge=0,
        le=240,
        title="Remind of a break after, in minutes",
        description="0 never does.",
    )
    shuffle_seed: int | None = Field(
        default=None,
        ge=0,
        lt=SEED_LIMIT,
        title="Seed",
        description="All that is drawn by lot follows from it; left empty it is drawn too.",
    )
    due_on: date | None = Field(
        default=None,
        title="To be read by",
        description="Readers see the day, and are reminded before it.",
    )
    instructions: str = Field(
        default="",
        max_length=5_000,
        description="Shown on the reader's work list and in the reading room's help.",
    )
    guideline: str = Field(
        default="",
        max_length=20_000,
        description="How to read, in paragraphs: at hand in the reading room by a key. It is "
        "fixed when the study opens, so that all read by one text; examples are added to it on "
        "the study's page.",
    )
    training_pass_percent: int = Field(
        default=80,
        ge=0,
        le=100,
        title="Training is passed from, in per cent",
        description="Of the reference answers of the training cases. Whoever has less reads "
        "them again; 0 lets everybody pass who has read them all.",
    )
    training_every: int = Field(
        default=0,
        ge=0,
        le=10_000,
        title="Training again after, in cases",
        description="Of a reader's own cases; 0 trains them before the study alone.",
    )
    gold_teaches: bool = Field(
        default=False,
        title="Gold cases teach",
        description="Readers are told the known answer after each gold case, and cannot change "
        "theirs any more.",
    )
    criteria: tuple[CriterionRequest, ...] | None = None
    flags: tuple[Annotated[str, Field(min_length=1)], ...] | None = Field(
        default=None,
        title="Named artefacts that a reader may put on an image",
        description="One a line. Left as they are, they suit themselves to the mode, "
        "and to masks where there are some.",
    )

    @field_validator("flags")
    @classmethod
    def _are_short(cls, flags: tuple[str, ...] | None) -> tuple[str, ...] | None:
        for flag in flags or ():
            if len(flag) > NAME_LENGTH:
                raise ValueError(f"Shorten to {NAME_LENGTH} characters: {flag}")
        return flags

    @field_validator("criteria")
    @classmethod
    def _can_be_asked(
        cls, criteria: tuple[CriterionRequest, ...] | None, info: ValidationInfo
    ) -> tuple[CriterionRequest, ...] | None:
        if criteria is None or "mode" not in info.data:
            return criteria
        if not criteria:
            raise ValueError("Ask at least one question.")
        if len(criteria) > SCALES_MAX:
            raise ValueError(f"Ask at most {SCALES_MAX} questions.")
        if mode_of(info.data["mode"]).kind == CriterionKind.ORDINAL:
            for criterion in criteria:
                if len(criterion.anchors) != SCORES:
                    raise ValueError(f"“{criterion.name}” needs {SCORES} anchors.")
        return criteria


class MoreBatchesRequest(Request):
    """Further candidates for an open study; ``against`` is the second batch of a comparison."""

    batches: tuple[UUID, ...] = Field(min_length=1)
    against: UUID | None = None


class DueDateRequest(Request):
    """The day by which an open study is to be read, or none."""

    due_on: date | None


class MoreReadersRequest(Request):
    """Who joins an open study, by user name."""

    readers: tuple[str, ...] = Field(min_length=1)


class FewerReadersRequest(Request):
    """Who is taken out of an open study, by user name."""

    reader: str = Field(min_length=1)


class UnblindRequest(Request):
    """``is_confirmed`` where somebody saw what it would mean while readings are missing."""

    is_confirmed: bool = False


def default_of(name: str) -> Any:
    """Returns what a design has where a request says nothing of it."""
    return StudyRequest.model_fields[name].default
