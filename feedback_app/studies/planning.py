"""Which cases the candidates of batches give, and which cohort images come among them."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import NamedTuple
from uuid import UUID

from django.db.models import Max, QuerySet

from feedback_app.images.models import (
    Batch,
    Cohort,
    CohortImage,
    Image,
    Recipe,
    RecipeMask,
    Split,
)
from generation.conditioning.masks import MASK_KINDS, as_kind

MaskBlobs = tuple[tuple[str, str], ...]
"""The kind and SHA-256 of each mask that images were made to follow, transformed."""


class Place(NamedTuple):
    """A recipe of a batch that was made, as a row; models of 100,000 take long to make."""

    recipe: str
    prompt: str
    seed: int
    image: UUID
    masks: MaskBlobs
    findings: tuple[str, ...]


class Picks(NamedTuple):
    """Candidates that were picked by hand: a source of cases, as a batch is."""

    images: tuple[UUID, ...]


class Sample(NamedTuple):
    """How many images are drawn of all batches together, and by which lot."""

    images: int
    seed: int


Source = Batch | Picks
Group = list[Place]


@dataclass(frozen=True)
class CasesAdded:
    """What became of batches; nothing is left out without a word."""

    cases: int = 0
    images: int = 0
    left_alone: int = 0
    already_in: int = 0
    not_made_yet: int = 0
    not_drawn: int = 0
    real: int = 0
    real_missing: int = 0
    repeats_missing: int = 0
    undrafted: int = 0
    without_prior: int = 0

    def __add__(self, other: "CasesAdded") -> "CasesAdded":
        return CasesAdded(
            cases=self.cases + other.cases,
            images=self.images + other.images,
            left_alone=self.left_alone + other.left_alone,
            already_in=self.already_in + other.already_in,
            not_made_yet=self.not_made_yet + other.not_made_yet,
            not_drawn=self.not_drawn + other.not_drawn,
            real=self.real + other.real,
            real_missing=self.real_missing + other.real_missing,
            repeats_missing=self.repeats_missing + other.repeats_missing,
            undrafted=self.undrafted + other.undrafted,
            without_prior=self.without_prior + other.without_prior,
        )

    @property
    def warnings(self) -> list[str]:
        """What a coordinator should know about the images that are not in."""
        return [
            sentence
            for count, sentence in (
                (self.left_alone, f"{self.left_alone} left out: alone, with none to compare with."),
                (self.already_in, f"{self.already_in} left out: already in another case."),
                (self.not_made_yet, f"{self.not_made_yet} left out: not generated yet."),
                (self.not_drawn, f"{self.not_drawn} left out: not drawn into the sample."),
                (
                    self.real_missing,
                    f"{self.real_missing} real images short: the cohort has no more to use.",
                ),
                (
                    self.undrafted,
                    f"{self.undrafted} left out: not every source has a report of their image.",
                ),
                (
                    self.without_prior,
                    f"{self.without_prior} left out: no earlier image of their patient is known.",
                ),
                (
                    self.repeats_missing,
                    f"{self.repeats_missing} hidden repeats short: no case lies far enough back.",
                ),
            )
            if count
        ]


@dataclass(frozen=True)
class PlannedCase:
    """Images in the order of their places, with what they were made to follow."""

    images: tuple[UUID, ...]
    prompt: str = ""
    masks: MaskBlobs = ()
    findings: tuple[str, ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    """Reports in the order of their sources: the source, and its text."""


@dataclass(frozen=True)
class CasePlan:
    cases: tuple[PlannedCase, ...] = ()
    added: CasesAdded = CasesAdded()

    def __add__(self, other: "CasePlan") -> "CasePlan":
        return CasePlan(cases=self.cases + other.cases, added=self.added + other.added)

    @property
    def image_ids(self) -> frozenset[UUID]:
        return frozenset(image for case in self.cases for image in case.images)


def plan_in_turn(
    sources: Iterable[Source],
    plan: Callable[[Source, Collection[UUID]], CasePlan],
    *,
    taken: Collection[UUID],
    sample: Sample | None = None,
) -> CasePlan:
    """Returns one source after another, none of whose images is planned twice.

    ``plan`` is given a source and the images that are in a case already. A sample is drawn
    of the batches; what was picked by hand comes in whole.
    """
    listed = list(sources)
    of_batches = [source for source in listed if not isinstance(source, Picks)]
    picked = [source for source in listed if isinstance(source, Picks)]
    whole = _plan_each(of_batches, plan, taken=taken)
    if sample is not None:
        whole = draw_balanced(whole, sample)
    return whole + _plan_each(picked, plan, taken={*taken, *whole.image_ids})


def _plan_each(
    sources: Iterable[Source],
    plan: Callable[[Source, Collection[UUID]], CasePlan],
    *,
    taken: Collection[UUID],
) -> CasePlan:
    whole, seen = CasePlan(), set(taken)
    for source in sources:
        part = plan(source, seen)
        seen |= part.image_ids
        whole += part
    return whole


def draw_balanced(plan: CasePlan, sample: Sample) -> CasePlan:
    """Draws whole cases by lot until there are as many images, of every finding in turn.

    Findings that are named together count as one of their own; what a rare one cannot give
    is made up by the others. Cases stay in their order.
    """
    rng = Random(f"{sample.seed}:sample")
    waiting: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for number, case in enumerate(plan.cases):
        waiting[case.findings].append(number)
    for numbers in waiting.values():
        rng.shuffle(numbers)
    turns = [waiting[finding] for finding in sorted(waiting)]
    drawn: set[int] = set()
    images = 0
    while images < sample.images and any(turns):
        for numbers in turns:
            if numbers and images < sample.images:
                drawn.add(number := numbers.pop())
                images += len(plan.cases[number].images)
    kept = tuple(case for number, case in enumerate(plan.cases) if number in drawn)
    added = replace(
        plan.added,
        cases=len(kept),
        images=images,
        not_drawn=plan.added.not_drawn + plan.added.images - images,
    )
    return CasePlan(cases=kept, added=added)


def plan_groups(
    source: Source, taken: Collection[UUID], *, size: int, tells_condition: bool
) -> CasePlan:
    """Returns one image a case, or up to ``size`` candidates of one prompt and mask together."""
    of_condition, counted = _free(source, taken=taken)
    groups = [
        same[start : start + size]
        for same in of_condition.values()
        for start in range(0, len(same), size)
    ]
    whole = [group for group in groups if size == 1 or len(group) > 1]
    return CasePlan(
        cases=tuple(_case(group, tells_condition=tells_condition) for group in whole),
        added=counted
        + CasesAdded(
            cases=len(whole), images=sum(map(len, whole)), left_alone=len(groups) - len(whole)
        ),
    )


def plan_duels(source: Source, taken: Collection[UUID], *, against: Batch) -> CasePlan:
    """Returns a candidate of each batch for one prompt and mask; of the same seed where there are
    two.
    """
    ours, counted = _free(source, taken=taken)
    theirs, counted_too = _free(against, taken=taken)
    pairs: list[Group] = []
    alone = 0
    for condition in dict.fromkeys([*ours, *theirs]):
        left, right = ours.get(condition, []), theirs.get(condition, [])
        by_seed = {place.seed: place for place in right}
        same = [(one, by_seed[one.seed]) for one in left if one.seed in by_seed]
        rest_left = [one for one in left if one.seed not in by_seed]
        met = {two.recipe for _, two in same}
        rest_right = [two for two in right if two.recipe not in met]
        couples = [*same, *zip(rest_left, rest_right, strict=False)]
        pairs += [[one, two] for one, two in couples if one.recipe != two.recipe]
        alone += len(left) + len(right) - 2 * len(couples)
    return CasePlan(
        cases=tuple(_case(pair) for pair in pairs),
        added=counted
        + counted_too
        + CasesAdded(cases=len(pairs), images=2 * len(pairs), left_alone=alone),
    )


def _case(group: Sequence[Place], *, tells_condition: bool = True) -> PlannedCase:
    first = group[0]
    return PlannedCase(
        images=tuple(place.image for place in group),
        prompt=first.prompt if tells_condition else "",
        masks=first.masks if tells_condition else (),
        findings=first.findings,
    )


def _free(
    source: Source, *, taken: Collection[UUID]
) -> tuple[dict[tuple[str, MaskBlobs], Group], CasesAdded]:
    """Returns a source's candidates that are in no case yet, by prompt and masks, and what is
    not free.
    """
    made, unmade = _made_of(source)
    free = [place for place in made if place.image not in taken]
    grouped: defaultdict[tuple[str, MaskBlobs], Group] = defaultdict(list)
    for place in free:
        grouped[place.prompt, place.masks].append(place)
    counted = CasesAdded(already_in=len(made) - len(free), not_made_yet=unmade)
    return grouped, counted


def _made_of(source: Source) -> tuple[list[Place], int]:
    """Returns images by prompt, masks as in the vocabulary, and how many are not made yet."""
    recipes = _recipes_of(source)
    masks: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    of_source = RecipeMask.objects.filter(recipe__in=recipes.order_by().values("pk"))
    for recipe, kind, blob in of_source.values_list("recipe", "kind", "blob"):
        masks[recipe].append((kind, blob))
    for same in masks.values():
        same.sort(key=lambda mask: MASK_KINDS.index(as_kind(mask[0])))
    places = list(recipes.values_list("pk", "prompt", "seed", "candidate__image", "findings"))
    made = [
        Place(recipe, prompt, seed, image, tuple(masks.get(recipe, ())), tuple(findings))
        for recipe, prompt, seed, image, findings in places
        if image is not None
    ]
    unmade = len(places) - len(made)
    if isinstance(source, Batch):
        unmade += source.tries.open_firsts().count()  # what fits gets its place when it is made
    return made, unmade


def _recipes_of(source: Source) -> QuerySet[Recipe]:
    """Returns them in the source's order: of a batch as asked for, of picks by prompt."""
    if isinstance(source, Picks):
        picked = Recipe.objects.filter(candidate__image__in=source.images)
        return picked.order_by("prompt", "seed", "pk")
    in_batch = Recipe.objects.filter(batchrecipe__batch=source)
    return in_batch.order_by("batchrecipe__prompt_index", "batchrecipe__position")


def plan_real(
    cohort: Cohort,
    *,
    percent: int,
    with_training: bool,
    beside: Collection[UUID],
    seed: int,
) -> CasePlan:
    """As many cohort images, no smaller than the candidates, as make up the wanted share.

    ``beside`` are all images that are in a case, of which some may be real already.
    """
    ids = set(beside)
    are_real = CohortImage.objects.filter(image__in=ids).count()
    wanted = wanted_real(len(ids) - are_real, percent=percent) - are_real
    size = Image.objects.filter(pk__in=ids, cohort_image=None).aggregate(
        Max("width"), Max("height")
    )
    drawn = draw_real(cohort, seed=seed, with_training=with_training)
    large_enough = Image.objects.filter(
        width__gte=size["width__max"] or 0, height__gte=size["height__max"] or 0
    )
    usable = set(large_enough.filter(pk__in=drawn).values_list("pk", flat=True)) - ids
    return _of_drawn([image for image in drawn if image in usable], wanted=max(0, wanted))


def wanted_real(synthetic: int, *, percent: int) -> int:
    """Returns how many real images make up ``percent`` of all beside so many synthetic ones."""
    return round(synthetic * percent / (100 - percent))


def draw_real(cohort: Cohort, *, seed: int, with_training: bool) -> list[UUID]:
    """Returns a cohort's images in the order of drawing: test split, validation, and only then
    training.

    The model has learnt from training images, so what it makes may look like them.
    """
    splits = [Split.TEST, Split.VALIDATION, *([Split.TRAIN] if with_training else [])]
    rng = Random(f"{seed}:real images")
    drawn: list[UUID] = []
    for split in splits:
        of_split = CohortImage.objects.filter(cohort=cohort, patient__split=split)
        ids = list(of_split.order_by("source_id").values_list("image", flat=True))
        drawn += rng.sample(ids, len(ids))
    return drawn


def _of_drawn(drawn: Sequence[UUID], *, wanted: int) -> CasePlan:
    """Returns one image a case.

    Readers are shown all of a study's images at the smallest one's size, so a real image
    may be larger than the candidates; a smaller one would take from what they can show.
    """
    chosen = drawn[:wanted]
    return CasePlan(
        cases=tuple(PlannedCase(images=(image,)) for image in chosen),
        added=CasesAdded(
            cases=len(chosen),
            images=len(chosen),
            real=len(chosen),
            real_missing=wanted - len(chosen),
        ),
    )
