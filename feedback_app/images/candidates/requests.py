"""The request for a batch, and what applies it: for page, API and command alike."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from pydantic import Field

from feedback_app.accounts.models import User
from feedback_app.images.candidates.batches import (
    Settings,
    create_batch,
    next_name,
    unused_seed,
)
from feedback_app.images.candidates.checks import MAX_IMAGES, check_mode, reads_text
from feedback_app.images.candidates.fitting import LEAST_TRIES, MOST_TRIES, Wanted, in_order
from feedback_app.images.candidates.mask_choice import MaskChoice
from feedback_app.images.candidates.mask_plan import MaskPlan, as_kinds, keep_masks, plan_masks
from feedback_app.images.candidates.models import Batch
from feedback_app.images.candidates.prompt_lengths import check_length
from feedback_app.images.cohorts.models import Cohort
from feedback_app.images.cohorts.services import find_cohort
from feedback_app.images.prompts.models import PromptSetVersion
from feedback_app.images.prompts.services import find_version as find_prompt_set
from feedback_app.images.versions.services import find_version
from feedback_app.requests import Problem, Request, RequestError, at
from generation.conditioning.fits import Attribute
from generation.conditioning.transforms import Family
from generation.specs import (
    PROMPT_MAX_CHARACTERS,
    SEED_LIMIT,
    GuidanceScale,
    MaskKind,
    Mode,
    Sampler,
    Side,
    Steps,
)


class MaskRequest(Request):
    """Which masks of a cohort are followed: ``images`` by name, or ``number`` drawn by ``seed``."""

    cohort: str = Field(max_length=64, description="The cohort whose masks are followed")
    kinds: tuple[MaskKind, ...] = Field(
        default=("lungs",),
        min_length=1,
        title="Kinds, followed together",
        description="Kinds, followed together",
    )
    images: tuple[Annotated[str, Field(max_length=255)], ...] = Field(
        default=(), description="Images of the cohort, by name"
    )
    number: int = Field(
        default=4, ge=1, le=256, title="Images to draw", description="Where none is ticked"
    )
    transforms: tuple[Family, ...] = Field(
        default=(), title="Transforms, one of each for every variant"
    )
    variants: int = Field(default=0, ge=0, le=16, title="Variants of each")
    keeps_parents: bool = Field(default=True, title="And the masks as they are")
    seed: int = Field(
        default=0, ge=0, le=2**31, title="Seed of masks", description="Draws them anew"
    )
    allows_held_out: bool = Field(
        default=False,
        title="Also masks of validation and test images",
        description="What learns from their candidates cannot be tested on them",
    )


class BatchRequest(Request):
    """``prompts``, or those of ``prompt_set`` (NAME or NAME@VERSION), or some of them.

    Without a ``model_version`` the promoted one makes the images; without a ``side`` they
    have that version's own size.
    """

    model_version: str = Field(default="", max_length=100)
    mode: Mode = "t2i"
    prompts: tuple[Annotated[str, Field(min_length=1, max_length=PROMPT_MAX_CHARACTERS)], ...] = ()
    prompt_set: str = Field(default="", max_length=80, title="From a prompt set")
    masks: MaskRequest | None = None
    images_per_prompt: int = Field(default=4, ge=1, le=256, title="Images of each")
    steps: Steps = Settings.steps
    guidance_scale: GuidanceScale = Field(
        default=Settings.guidance_scale, title="Guidance", description="Nearness to the prompt"
    )
    sampler: Sampler = Settings.sampler
    side: Side | None = Field(default=None, description="Pixels of an image's side")
    seed: int | None = Field(
        default=None,
        ge=0,
        le=SEED_LIMIT - MAX_IMAGES,
        title="First seed",
        description="Each image takes the next one; left empty, none that this version has used",
    )
    name: str = Field(default="", max_length=100, description="Optional; numbered if left empty")
    fits: tuple[Attribute, ...] = Field(
        default=(),
        title="Try again until it fits",
        description="What a judge has to see as the prompt says it; none: every image counts",
    )
    tries: int = Field(
        default=4,
        ge=LEAST_TRIES,
        le=MOST_TRIES,
        title="Tries of an image",
        description="At most; what does not fit is kept apart",
    )


def ask_for_batch(
    request: BatchRequest, *, created_by: User | None = None
) -> tuple[Batch, MaskPlan | None]:
    """Returns the batch, and the plan of its masks with what was refused."""
    with at("model_version"):
        version = find_version(request.model_version)
    prompt_set = _prompt_set_of(request)
    prompts = request.prompts or (prompt_set.texts() if prompt_set else ())
    check_mode(version, request.mode, prompts=prompts, has_masks=request.masks is not None)
    if reads_text(request.mode):
        with at("prompts"):
            check_length(version, prompts)
    plan = None
    if request.masks is not None:
        plan = plan_masks(choice_of(request.masks), side=request.side or version.resolution)
    batch = create_batch(
        request.name or next_name(),
        model_version=version,
        prompts=prompts,
        images_per_prompt=request.images_per_prompt,
        mode=request.mode,
        conditions=keep_masks(plan) if plan else (),
        allows_held_out=request.masks is not None and request.masks.allows_held_out,
        settings=settings_of(request),
        seed=unused_seed(version) if request.seed is None else request.seed,
        until_it_fits=wanted_of(request),
        prompt_set_version=prompt_set,
        created_by=created_by,
    )
    return batch, plan


def settings_of(request: BatchRequest) -> Settings:
    return Settings(
        steps=request.steps,
        guidance_scale=request.guidance_scale,
        sampler=request.sampler,
        side=request.side,
    )


def wanted_of(request: BatchRequest) -> Wanted | None:
    """Returns what has to fit; None where nothing was asked for."""
    if not request.fits:
        return None
    return Wanted(attributes=in_order(request.fits), most_tries=request.tries)


def _prompt_set_of(request: BatchRequest) -> PromptSetVersion | None:
    with at("prompt_set"):
        return find_prompt_set(request.prompt_set) if request.prompt_set else None


def choice_of(request: MaskRequest) -> MaskChoice:
    """Returns the rows that a request for masks names."""
    with at("masks", "cohort"):
        cohort = find_cohort(request.cohort)
    return MaskChoice(
        cohort=cohort,
        kinds=as_kinds(request.kinds),
        images=_images_of(cohort, request.images),
        number=request.number,
        families=request.transforms,
        variants=request.variants,
        keeps_parents=request.keeps_parents,
        seed=request.seed,
        allows_held_out=request.allows_held_out,
    )


def _images_of(cohort: Cohort, names: Sequence[str]) -> tuple[UUID, ...]:
    rows = cohort.images.filter(source_id__in=names)
    known = dict(rows.values_list("source_id", "pk"))
    unknown = [name for name in names if name not in known]
    if unknown:
        raise RequestError(
            [
                Problem(("masks", "images"), f"The cohort “{cohort}” has no image “{name}”.")
                for name in unknown
            ],
            remedy="Name images as their cohort's page does.",
        )
    return tuple(known[name] for name in names)
