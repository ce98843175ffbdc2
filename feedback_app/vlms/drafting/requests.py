"""What is asked for so that a study has reports to show: for page, command and API alike."""

from typing import Any
from uuid import UUID

from pydantic import Field

from feedback_app.accounts.models import User
from feedback_app.images.cohorts.services import find_cohort
from feedback_app.images.models import Cohort, Image
from feedback_app.readings.retraction_models import Retraction
from feedback_app.requests import Request, at
from feedback_app.studies.models import DraftSet
from feedback_app.studies.models.reports import SOURCE_LENGTH
from feedback_app.studies.planning import draw_real
from feedback_app.studies.services import BroughtIn, bring_in_drafts
from feedback_app.studies.services.asking import find_batches
from feedback_app.vlms.drafting.signed import keep_signed
from feedback_app.vlms.drafting.writing import start_writing
from feedback_app.vlms.learning.snapshots import opened_studies
from feedback_app.vlms.services import find_vlm
from generation.errors import RemediableError

FINDINGS_QUESTION = "Write the findings section of a radiology report of this chest X-ray."
MOST_IMAGES = 2_000


class BringDraftsRequest(Request):
    """Reports that were written elsewhere, as JSON lines."""

    name: str = Field(
        min_length=1,
        max_length=SOURCE_LENGTH,
        description="What studies choose them by; readers never see it",
    )
    reports: str = Field(
        min_length=2,
        max_length=100_000_000,
        description='JSON lines: {"image": SHA-256 of the picture, "text": its report}',
    )


class VlmDraftsRequest(Request):
    """Which VLM writes a report of which images, and what it is asked."""

    name: str = Field(
        min_length=1,
        max_length=SOURCE_LENGTH,
        description="What studies choose them by; readers never see it",
    )
    version: str = Field(min_length=1, max_length=100, title="VLM version")
    cohort: str = Field(default="", max_length=100, description="Whose images are written about")
    images: int = Field(
        default=100,
        ge=1,
        le=MOST_IMAGES,
        description="Of the cohort, by lot: test split first, then validation",
    )
    with_training: bool = Field(
        default=False,
        title="Training images too",
        description="A VLM that has learnt from them may know what was reported",
    )
    seed: int = Field(
        default=0, ge=0, le=2**31 - 1, description="The same images for every VLM with this seed"
    )
    batches: tuple[UUID, ...] = Field(default=(), description="Whose candidates are written about")
    question: str = Field(default=FINDINGS_QUESTION, min_length=1, max_length=500)
    longest: int = Field(
        default=160, ge=8, le=1_024, title="Tokens at most", description="Of one report"
    )


class SignedDraftsRequest(Request):
    """Whose signed reports are kept to be compared with others."""

    name: str = Field(
        min_length=1,
        max_length=SOURCE_LENGTH,
        description="What studies choose them by; readers never see it",
    )
    study: str = Field(
        min_length=1, max_length=100, description="A study whose readers wrote or corrected reports"
    )
    is_simulated: bool = Field(
        default=False,
        title="Of simulated readers",
        description="Never of both people and simulated readers",
    )


def ask_to_bring(asked: BringDraftsRequest, *, created_by: User | None = None) -> BroughtIn:
    """Returns the set of reports that a program brings."""
    lines = [line.encode() for line in asked.reports.split("\n")]
    return bring_in_drafts(asked.name, lines, actor=created_by)


def ask_for_writing(asked: VlmDraftsRequest, *, created_by: User | None = None) -> DraftSet:
    """Returns the set that a VLM writes in a run; studies can choose it at once, and wait for
    it.
    """
    with at("version"):
        version = find_vlm(asked.version)
    with at("cohort"):
        cohort = find_cohort(asked.cohort) if asked.cohort else None
        if cohort is None and not asked.batches:
            raise RemediableError(
                "Nothing is named to write about.", remedy="Choose a cohort, or batches."
            )
    hashes = _hashes(asked, cohort)
    if not hashes or len(hashes) > MOST_IMAGES:
        raise RemediableError(
            f"There are {len(hashes):,} images to write about; 1 to {MOST_IMAGES:,} can be.",
            remedy="Choose others, or fewer.",
        )
    return start_writing(
        asked.name,
        version,
        hashes,
        question=asked.question,
        longest=asked.longest,
        drawn=_drawn(asked),
        created_by=created_by,
    )


def ask_for_signed(asked: SignedDraftsRequest, *, created_by: User | None = None) -> DraftSet:
    """Returns the set of what readers of a study would sign, one report an image."""
    with at("study"):
        (study,) = opened_studies([asked.study])
    return keep_signed(asked.name, study, simulated=asked.is_simulated, created_by=created_by)


def rests_on_retracted(drafts: DraftSet) -> bool:
    """Returns whether a set has reports of readers whose readings were retracted since."""
    retracted = Retraction.objects.active().sources()
    places = {(reader, str(study)) for reader, study in retracted.places}
    study = drafts.asked.get("study_id", "")
    return study in set(map(str, retracted.studies)) or any(
        reader in retracted.readers or (reader, study) in places
        for reader in drafts.asked.get("readers", ())
    )


def _hashes(asked: VlmDraftsRequest, cohort: Cohort | None) -> list[str]:
    """Returns pictures’ hashes, each once, in the order in which they are written about."""
    found: list[str] = []
    if cohort is not None:
        drawn = draw_real(cohort, seed=asked.seed, with_training=asked.with_training)
        blobs = dict(Image.objects.filter(pk__in=drawn).values_list("pk", "blob"))
        found += [blobs[image] for image in drawn[: asked.images]]
    with at("batches"):
        batches = find_batches(asked.batches)
    rows = Image.objects.filter(candidate__recipe__batches__in=batches)
    found += rows.order_by("candidate__recipe__key").values_list("blob", flat=True)
    return list(dict.fromkeys(found))


def _drawn(asked: VlmDraftsRequest) -> dict[str, Any]:
    """From where the images are, as the set keeps it."""
    kept: dict[str, Any] = {"batches": [str(key) for key in asked.batches]}
    if asked.cohort:
        kept |= {"cohort": asked.cohort, "images": asked.images, "seed": asked.seed,
                 "with_training": asked.with_training}  # fmt: skip
    return kept
