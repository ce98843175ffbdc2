"""Batches: recipes written out, and the runs that make what is not made yet."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Avg, Count, F, FloatField, Max, Q, QuerySet
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from pydantic import ValidationError

from feedback_app.accounts.audit import record
from feedback_app.accounts.models import User
from feedback_app.images.candidates.checks import (
    MAX_IMAGES,
    check_mode,
    check_prompt_set,
    check_prompts,
    reads_text,
)
from feedback_app.images.candidates.fitting import FittingCounts, Wanted, check_wanted, counts_of
from feedback_app.images.candidates.fitting_models import Fitting, Try
from feedback_app.images.candidates.mask_plan import Condition, require_training_split
from feedback_app.images.candidates.models import Batch, BatchRecipe, Candidate, Recipe
from feedback_app.images.candidates.writing import Place, write_places, write_recipes, write_tries
from feedback_app.images.prompts.models import PromptSetVersion
from feedback_app.images.versions.models import ModelVersion
from feedback_app.runs import services as runs
from feedback_app.runs.models import Run, State
from generation.errors import RemediableError
from generation.specs import SEED_LIMIT, Mode, Sampler, SampleSpec

PRIORITY = 10
"""Above training: somebody waits in front of the page."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How the images of a batch are sampled; no size means the model version's own."""

    steps: int = SampleSpec.steps
    guidance_scale: float = SampleSpec.guidance_scale
    sampler: Sampler = SampleSpec.sampler
    side: int | None = None


def split_prompts(text: str) -> list[str]:
    """Returns one prompt a line; empty lines do not count."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def next_name() -> str:
    """Returns a name for a batch that nobody named."""
    return f"Batch {Batch.objects.count() + 1}"


def unused_seed(model_version: ModelVersion) -> int:
    """Returns the first seed after all that the version's images had; 0 where those are used up."""
    last = model_version.recipes.aggregate(last=Max("seed"))["last"]
    first = 0 if last is None else last + 1
    return first if first <= SEED_LIMIT - MAX_IMAGES else 0


@transaction.atomic
def create_batch(
    name: str,
    *,
    model_version: ModelVersion,
    prompts: Sequence[str],
    images_per_prompt: int,
    mode: Mode = "t2i",
    conditions: Sequence[Condition] = (),
    allows_held_out: bool = False,
    settings: Settings | None = None,
    seed: int = 0,
    until_it_fits: Wanted | None = None,
    prompt_set_version: PromptSetVersion | None = None,
    created_by: User | None = None,
) -> Batch:
    """Write the recipes out and queue what is not made yet.

    Every prompt goes with each of the ``conditions`` (masks that are followed together);
    mode m2i takes no prompts. A batch of a prompt set's version has prompts of it alone, all
    or some. The image at position n has the seed ``seed + n``: images that began as the same
    noise are too much alike to learn from. Where images are tried again ``until_it_fits``, all
    tries are written out, and the second ones have the seeds after all first ones.
    """
    check_mode(model_version, mode, prompts=prompts, has_masks=bool(conditions))
    if prompt_set_version is not None:
        check_prompt_set(prompt_set_version, mode, prompts=prompts)
    if not allows_held_out:
        require_training_split(conditions)
    texts = prompts if reads_text(mode) else [""]
    check_prompts(texts, images_per_prompt=images_per_prompt, masks=max(1, len(conditions)))
    groups = [(text, condition) for text in texts for condition in conditions or [()]]
    asked = [
        (index, *group) for index, group in enumerate(groups) for _ in range(images_per_prompt)
    ]
    if until_it_fits is not None:
        check_wanted(until_it_fits, mode, prompts=texts, images=len(asked))
    planned = [
        (
            _recipe(
                model_version,
                text,
                mode=mode,
                masks=masks,
                seed=seed + (number - 1) * len(asked) + position,
                settings=settings or Settings(),
            ),
            masks,
            Place(number=number, position=position, prompt_index=index),
        )
        for number in range(1, (until_it_fits.most_tries if until_it_fits else 1) + 1)
        for position, (index, text, masks) in enumerate(asked)
    ]
    batch = Batch.objects.create(
        name=name,
        model_version=model_version,
        prompt_set_version=prompt_set_version,
        created_by=created_by,
    )
    write_recipes((recipe, masks) for recipe, masks, _ in planned)
    places = [(recipe, place) for recipe, _, place in planned]
    if until_it_fits is None:
        write_places(batch, places)
    else:
        write_tries(batch, places, until_it_fits)
    record(
        "batch.created",
        actor=created_by,
        target=batch.name,
        target_id=batch.pk,
        details={"images": len(asked), "model_version": model_version.name}
        | ({"tries": until_it_fits.most_tries} if until_it_fits else {}),
    )
    make_missing(batch, created_by=created_by)
    return batch


def _recipe(
    model_version: ModelVersion,
    prompt: str,
    *,
    mode: Mode,
    masks: Condition,
    seed: int,
    settings: Settings,
) -> Recipe:
    side = settings.side or model_version.resolution
    try:
        sample = SampleSpec(
            prompt=prompt,
            mode=mode,
            seed=seed,
            sampler=settings.sampler,
            steps=settings.steps,
            guidance_scale=settings.guidance_scale,
            width=side,
            height=side,
        )
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"])).replace("_", " ")
        raise RemediableError(
            f"The {name} {first['input']!r} cannot be used: {first['msg']}.",
            remedy="Choose another value.",
        ) from error
    return Recipe.of(model_version, sample, masks=masks)


@transaction.atomic
def make_missing(batch: Batch, *, created_by: User | None = None) -> list[Run]:
    """Queue runs for the recipes that are neither made nor waiting in a run of this batch."""
    batch = Batch.objects.select_for_update(of=("self",)).get(pk=batch.pk)
    waiting = {key for run in batch.runs.unfinished() for key in run.spec["recipes"]}
    places: QuerySet[BatchRecipe] | QuerySet[Try]
    if Fitting.objects.filter(batch=batch).exists():
        places = batch.tries.open_firsts()
    else:
        places = batch.batchrecipe_set.filter(recipe__candidate=None)
    places = places.exclude(recipe__in=waiting)
    started = [
        runs.start(
            "generate",
            title=f"{batch.name}: {_describe(part)}",
            spec={"batch": str(batch.pk), "recipes": [place.recipe_id for place in part]},
            total=len(part),
            priority=PRIORITY,
            created_by=created_by,
        )
        for part in _parts(places.select_related("recipe"))
    ]
    runs.stand_in(started, instead_of=list(batch.runs.unsuccessful()))
    batch.runs.add(*started)
    return started


def _parts(places: Iterable[BatchRecipe | Try]) -> list[list[BatchRecipe | Try]]:
    """As many as are made together: runs are short, so that another one gets its turn.

    A batch's images have one size.
    """
    ordered = list(places)
    size = ordered[0].recipe.sample.at_once if ordered else 1
    return [ordered[first : first + size] for first in range(0, len(ordered), size)]


def _describe(part: Sequence[BatchRecipe | Try]) -> str:
    first, last = part[0].position + 1, part[-1].position + 1
    return f"image {first}" if first == last else f"images {first} to {last}"


@dataclass(frozen=True, kw_only=True)
class BatchProgress:
    """How far a batch is, over all its runs."""

    total: int
    made: int
    is_live: bool
    rate_per_s: float | None
    failures: list[Run]
    """Where it stopped: a failed run for each different error."""
    is_waiting: bool = False
    """Whether none of its runs has begun yet, or none is at work now."""
    fitting: FittingCounts | None = None
    """How many tries images took, where they are tried until they fit."""

    @property
    def done(self) -> int:
        """Those made, and those of which no try fitted."""
        return self.made + (self.fitting.never if self.fitting else 0)

    @property
    def is_complete(self) -> bool:
        return self.done == self.total

    @property
    def percent(self) -> int:
        return 100 * self.done // self.total if self.total else 0

    @property
    def remaining_s(self) -> float | None:
        if not self.is_live or not self.rate_per_s:
            return None
        return (self.total - self.done) / self.rate_per_s


def progress_of(batch: Batch) -> BatchProgress:
    return progress_of_all([batch])[batch.pk]


def progress_of_all(batches: Collection[Batch]) -> dict[UUID, BatchProgress]:
    """Returns how far each batch is, by its key, in two queries if they have their ``fitting``."""
    keys = [batch.pk for batch in batches]
    # Runs before candidates: a batch without unfinished runs is counted in full.
    runs_of: dict[UUID, list[Run]] = {key: [] for key in keys}
    links = Batch.runs.through.objects.filter(batch__in=keys).select_related("run")
    for link in links.order_by("run__created_at"):
        runs_of[link.batch_id].append(link.run)
    counted = (
        BatchRecipe.objects.filter(batch__in=keys)
        .order_by()
        .values_list("batch")
        .annotate(total=Count("pk"), made=Count("recipe__candidate"))
    )
    counts = {key: (total, made) for key, total, made in counted}
    fittings = [one for batch in batches if (one := getattr(batch, "fitting", None))]
    fitted = counts_of(fittings) if fittings else {}
    counts |= {one.pk: (one.images, counts.get(one.pk, (0, 0))[1]) for one in fittings}
    return {key: _progress(runs_of[key], *counts.get(key, (0, 0)), fitted.get(key)) for key in keys}


def _progress(
    batch_runs: Sequence[Run], total: int, made: int, fitting: FittingCounts | None
) -> BatchProgress:
    is_complete = made + (fitting.never if fitting else 0) == total
    is_live = any(not run.is_finished for run in batch_runs)
    return BatchProgress(
        total=total,
        made=made,
        is_live=is_live,
        rate_per_s=_rate(batch_runs),
        failures=[] if is_complete or is_live else _different_failures(batch_runs),
        is_waiting=is_live and not any(run.state == State.RUNNING for run in batch_runs),
        fitting=fitting,
    )


def runs_ahead(batch: Batch) -> int:
    """Returns how many runs of the same queue come before the batch's next one, those at work
    too.
    """
    first = batch.runs.unfinished().order_by("-priority", "created_at").first()
    if first is None:
        return 0
    others = Run.objects.unfinished().filter(queue=first.queue).exclude(batches=batch)
    before = Q(priority__gt=first.priority) | Q(
        priority=first.priority, created_at__lt=first.created_at
    )
    return others.filter(before | Q(state=State.RUNNING)).count()


def made_before(batch: Batch) -> int:
    """Returns how many of its images were there when it was asked for: the same recipes, made
    once.
    """
    return numbers_made_before(batch).count()


def numbers_made_before(batch: Batch) -> "QuerySet[BatchRecipe, int]":
    """Returns which of its images were there, by their places in the batch, from 0."""
    there = batch.batchrecipe_set.filter(recipe__candidate__created_at__lt=batch.created_at)
    return there.order_by("position").values_list("position", flat=True)


def _different_failures(batch_runs: Sequence[Run]) -> list[Run]:
    failed = (run for run in batch_runs if run.state == State.FAILED)
    return list({run.error: run for run in failed}.values())


def _rate(batch_runs: Sequence[Run]) -> float | None:
    """Images a second, of the runs that have made some."""
    timed = [run for run in batch_runs if run.rate_per_s is not None and run.elapsed_s]
    elapsed_s = sum(run.elapsed_s or 0 for run in timed)
    return sum(run.done - run.done_before for run in timed) / elapsed_s if elapsed_s else None


def cancel_batch(batch: Batch) -> None:
    """Stop making images; those that are made stay."""
    for run in batch.runs.unfinished():
        runs.cancel(run)


def measured_seconds_per_step(
    model_version: ModelVersion, *, follows_masks: bool = False
) -> float | None:
    """Seconds an image and sampler step, as the version's last images took; None without any.

    Guidance doubles the work of a step; most batches use it. Images that follow masks have a
    pace of their own.
    """
    of_version = Candidate.objects.filter(recipe__model_version=model_version)
    text_alone = Q(recipe__mode="t2i")
    recent = (
        of_version.filter(~text_alone if follows_masks else text_alone)
        .order_by("-created_at")
        .values("pk")[:64]
    )
    seconds = Cast(KT("provenance__seconds"), FloatField())
    mean: float | None = Candidate.objects.filter(pk__in=recent).aggregate(
        mean=Avg(seconds / F("recipe__steps"))
    )["mean"]
    return mean
