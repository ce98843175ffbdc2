"""Batches whose images are tried again until they fit: what is asked, written out and counted."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Prefetch, Q
from django.utils import timezone

from feedback_app.images.blobs.models import Measure
from feedback_app.images.candidates.checks import reads_text
from feedback_app.images.candidates.fitting_models import Fitting, Try
from feedback_app.images.candidates.mask_models import RecipeMask
from feedback_app.images.candidates.models import Batch, BatchRecipe, Recipe
from feedback_app.images.scorers.judges import phrases_seen
from feedback_app.images.scorers.models import Scorer
from generation.conditioning.facts import facts_of
from generation.conditioning.fits import ATTRIBUTES, Attribute, is_named, is_shown
from generation.errors import RemediableError
from generation.specs import Mode

LEAST_TRIES, MOST_TRIES = 2, 8
MOST_RECIPES = 8_192
"""All tries of a batch are written out when it is asked for."""
MASKS_OF_RECIPE = Prefetch(
    "masks", RecipeMask.objects.select_related("parent__cohort_image__cohort")
)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which attributes have to agree with the prompt, and how often an image is tried at most."""

    attributes: tuple[Attribute, ...]
    most_tries: int


def check_wanted(wanted: Wanted, mode: Mode, *, prompts: Sequence[str], images: int) -> None:
    """Refuse what nobody can judge: no prompt, no judge, or nothing said of it."""
    if not reads_text(mode):
        raise RemediableError(
            "Images made from masks only have no prompt to fit.",
            remedy="Choose text, or text and masks; or leave *Try again until it fits* empty.",
        )
    facts = [facts_of(prompt) for prompt in prompts]
    kinds = {f"visible-{attribute}" for attribute in wanted.attributes}
    judged = set(Scorer.objects.active().filter(kind__in=kinds).values_list("kind", flat=True))
    for attribute in wanted.attributes:
        if f"visible-{attribute}" not in judged:
            raise RemediableError(
                f"No judge of the {attribute} is active.",
                remedy="Register one that is good enough: manage.py register_judge.",
            )
        if not any(is_named(attribute, one) for one in facts):
            raise RemediableError(
                f"No prompt says anything of the {attribute}.",
                remedy=f"Name it in the prompts, or do not ask that the {attribute} fits.",
            )
    if (count := images * wanted.most_tries) > MOST_RECIPES:
        raise RemediableError(
            f"{images:,} images of up to {wanted.most_tries} tries are {count:,} recipes; "
            f"{MOST_RECIPES:,} are the most.",
            remedy="Ask for fewer images, or fewer tries.",
        )


def in_order(attributes: Collection[str]) -> tuple[Attribute, ...]:
    """Returns each once, as the vocabulary has them."""
    return tuple(one for one in ATTRIBUTES if one in attributes)


def judge_by_measures(
    recipe: Recipe, attributes: Sequence[Attribute]
) -> dict[str, dict[str, object]]:
    """Returns what the active judges' measures of a candidate say, by attribute that they know.

    What a prompt does not name, or a judge does not know, cannot be judged: its ``fits`` is None.
    """
    wanted = facts_of(recipe.prompt)
    kinds = [f"visible-{attribute}" for attribute in attributes]
    scorers = {one.kind: one for one in Scorer.objects.active().filter(kind__in=kinds)}
    measures = Measure.objects.filter(image__candidate__recipe=recipe, scorer__in=kinds)
    by_version = {(measure.scorer, measure.version): measure for measure in measures}
    found: dict[str, dict[str, object]] = {}
    for attribute in attributes:
        if not is_named(attribute, wanted):
            continue
        scorer = scorers.get(f"visible-{attribute}")
        measure = by_version.get((scorer.measure, scorer.version)) if scorer else None
        if measure is None:
            found[attribute] = {"fits": None}
            continue
        seen = phrases_seen(measure.details, measure.value)
        plain, is_reached = measure.details["phrase"], bool(measure.details["is_reached"])
        found[attribute] = {
            "asked": plain,
            "seen": max(seen, key=seen.__getitem__),
            "probability": round(measure.value, 4),
            "fits": is_shown(attribute, wanted, seen, plain=plain, is_reached=is_reached),
            "judge": measure.version,
        }
    return found


def is_fit(recipe: Recipe, seen: dict[str, dict[str, object]]) -> bool:
    """Returns whether all that can be judged agrees; refuses where nothing can be."""
    judged = [found["fits"] for found in seen.values() if found["fits"] is not None]
    if not judged:
        raise RemediableError(
            f"No judge says anything of a candidate of the prompt “{recipe.prompt}”.",
            remedy="The run's log says whether a judge could not be read: put it back and complete "
            "the batch. Otherwise no judge knows what the prompt names: ask for it in a batch "
            "without tries.",
        )
    return all(judged)


@transaction.atomic
def decide(attempt: Try, *, fits: bool, seen: dict[str, dict[str, object]]) -> None:
    """Keep what was judged, once: what fits gets the place, and the tries after it go."""
    undecided = Try.objects.undecided().filter(pk=attempt.pk)
    if not undecided.update(fits=fits, seen=seen, decided_at=timezone.now()) or not fits:
        return
    of_place = Try.objects.filter(batch=attempt.batch_id, position=attempt.position)
    of_place.filter(number__gt=attempt.number).delete()
    BatchRecipe.objects.create(
        batch_id=attempt.batch_id,
        recipe_id=attempt.recipe_id,
        position=attempt.position,
        prompt_index=attempt.prompt_index,
    )


@dataclass(frozen=True, kw_only=True)
class FittingCounts:
    """How many places each number of tries took, and of how many no try fitted."""

    fitted_at: dict[int, int]
    never: int
    misfits: int

    @property
    def fitted(self) -> int:
        return sum(self.fitted_at.values())

    @property
    def decided(self) -> int:
        return self.fitted + self.never

    @property
    def first_share(self) -> float | None:
        """The share of places whose first image fitted: what would be without trying again."""
        return self.fitted_at.get(1, 0) / self.decided if self.decided else None

    @property
    def tries_of_a_fit(self) -> float | None:
        """How many images were made for one that fits."""
        return (self.fitted + self.misfits) / self.fitted if self.fitted else None

    @property
    def lines(self) -> list[tuple[str, int]]:
        words = [
            (f"{number} {'try' if number == 1 else 'tries'}", count)
            for number, count in sorted(self.fitted_at.items())
        ]
        return [*words, ("never fitted", self.never)]


def counts_of(fittings: Collection[Fitting]) -> dict[UUID, FittingCounts]:
    """Returns it for each batch, by key, in one query."""
    most = {fitting.pk: fitting.most_tries for fitting in fittings}
    rows = (
        Try.objects.filter(batch__in=most)
        .exclude(fits=None)
        .order_by()
        .values_list("batch", "number", "fits")
        .annotate(count=Count("pk"))
    )
    fitted: dict[UUID, Counter[int]] = {key: Counter() for key in most}
    missed: dict[UUID, Counter[int]] = {key: Counter() for key in most}
    for key, number, fits, count in rows:
        (fitted if fits else missed)[key][number] += count
    return {
        key: FittingCounts(
            fitted_at=dict(fitted[key]),
            never=missed[key][most[key]],
            misfits=missed[key].total(),
        )
        for key in most
    }


@dataclass(frozen=True, kw_only=True)
class OpenPlace:
    """A place of a batch that nothing fits yet, as its page shows it."""

    position: int
    prompt_index: int
    recipe: Recipe
    is_missed: bool
    candidate: None = None


def open_places(fitting: Fitting, firsts: Sequence[Try]) -> list[OpenPlace]:
    """Give each place as it is while nothing fits, from its first try."""
    ends = Try.objects.misfits().filter(
        batch=fitting.pk,
        number=fitting.most_tries,
        position__in=[first.position for first in firsts],
    )
    missed = set(ends.values_list("position", flat=True))
    recipes = Recipe.objects.prefetch_related(MASKS_OF_RECIPE)
    by_key = recipes.in_bulk([first.recipe_id for first in firsts])
    return [
        OpenPlace(
            position=first.position,
            prompt_index=first.prompt_index,
            recipe=by_key[first.recipe_id],
            is_missed=first.position in missed,
        )
        for first in firsts
    ]


def fitted_since(batch: Batch, since: datetime) -> Q:
    """Returns the places of what was found to fit after a moment."""
    fitted = Try.objects.filter(batch=batch, fits=True, decided_at__gt=since)
    return Q(position__in=fitted.values("position"))
