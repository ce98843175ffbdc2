"""What a cohort's page counts, and how it is drawn."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db.models import Case, CharField, Count, F, Func, QuerySet, Value, When

from feedback_app.images.cohorts.models import Cohort, CohortImage, Mask, Sex, SharedPicture, Split
from generation.conditioning.facts import AGE_BANDS
from generation.conditioning.findings import NORMAL
from generation.conditioning.masks import label_of
from generation.datasets.attributes import FRONTAL_VIEWS, LATERAL, RACES

UNKNOWN = "unknown"
OTHER, NOT_LABELLED = "no known finding", "not labelled"
"""Neither a finding nor normal, with labels of the source and without."""
SEXES = {key: label for key, label in Sex.choices if key}
VIEWS = (*sorted(FRONTAL_VIEWS, reverse=True), LATERAL)
ORDERS: dict[str, tuple[str, ...] | None] = {
    "Finding": None,
    "Split": tuple(Split.values),
    "Sex": (*SEXES.values(), UNKNOWN),
    "Age": (*AGE_BANDS, UNKNOWN),
    "View": (*VIEWS, UNKNOWN),
    "Race": (*RACES, UNKNOWN),
    "Mask": None,
}
"""The order of each plot's bars; None for the longest first."""
DECADES = 10
DECADE_YEARS = 10

Counts = Mapping[str, Mapping[str, int]]
"""By the name of a bar, then by split."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """It is a split's share of a bar, in percent of the longest bar's length."""

    split: str
    count: int
    start: float
    width: float


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A bar is one line of a plot; ``query`` filters the grid by it."""

    name: str
    count: int
    percent: float
    parts: tuple[Part, ...]
    query: str = ""

    @property
    def told(self) -> str:
        return ", ".join(f"{part.split} {part.count:,}" for part in self.parts)


@dataclass(frozen=True, kw_only=True)
class Plot:
    title: str
    bars: tuple[Bar, ...]


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column is one decade of age: women, men and people of unknown sex, in percent of the
    tallest.
    """

    decade: str
    counts: tuple[tuple[str, int], ...]
    x: float
    stack: tuple[tuple[str, float, float], ...]
    """Sex, top and height."""


@dataclass(frozen=True, kw_only=True)
class SharedWith:
    """How many of a cohort's images are in another one too, and how that is known."""

    cohort: str
    images: int
    named: int
    alike: int


def plots_of(cohort: Cohort) -> list[Plot]:
    """Counts by finding, split, sex, age band, view, race and mask, each by split."""
    images = cohort.images.order_by()
    total = images.count()
    counts = counts_of(cohort)
    return [
        Plot(title=title, bars=bars_of(counts[title], order=order, total=total, key=title.lower()))
        for title, order in ORDERS.items()
        if set(counts[title]) - {UNKNOWN}
    ]


def counts_of(cohort: Cohort) -> dict[str, Counts]:
    images = cohort.images.order_by()
    masks = Mask.objects.filter(cohort_image__cohort=cohort, is_from_boxes=False).order_by()
    return {
        "Finding": {**by_finding(images), **by_absence(images)},
        "Split": count_by(images, F("patient__split")),
        "Sex": rename(count_by(images, F("patient__sex")), SEXES),
        "Age": count_by(images, age_band_case()),
        "View": rename(count_by(images, F("view")), {}),
        "Race": rename(count_by(images, F("patient__race")), {}),
        "Mask": count_by(masks, F("kind"), split="cohort_image__patient__split"),
    }


def count_by(
    rows: "QuerySet[CohortImage] | QuerySet[Mask]",
    key: F | Case | Func,
    *,
    split: str = "patient__split",
) -> Counts:
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    grouped = rows.annotate(bar=key).values_list("bar", split).annotate(count=Count("*"))
    for name, side, count in grouped:
        counts[name][side] = count
    return counts


def by_finding(images: "QuerySet[CohortImage]") -> Counts:
    return count_by(images, Func(F("findings"), function="unnest", output_field=CharField()))


def by_absence(images: "QuerySet[CohortImage]") -> Counts:
    """Returns images without a finding: normal, with other labels, or without any."""
    why = Case(
        When(is_normal=True, then=Value(NORMAL)),
        When(source_labels={}, then=Value(NOT_LABELLED)),
        default=Value(OTHER),
        output_field=CharField(),
    )
    return count_by(images.filter(findings=[]), why)


def age_band_case() -> Case:
    bands = [When(age_years__lte=last, then=Value(name)) for name, last in AGE_BANDS.items()]
    return Case(*bands, default=Value(UNKNOWN), output_field=CharField())


def rename(counts: Counts, names: Mapping[str, str]) -> Counts:
    """Under the names that people read; what is empty is unknown."""
    return {names.get(key, key) or UNKNOWN: parts for key, parts in counts.items()}


def bars_of(
    counts: Counts, *, order: Sequence[str] | None, total: int, key: str
) -> tuple[Bar, ...]:
    longest = max((sum(parts.values()) for parts in counts.values()), default=1)
    by_length = sorted(counts, key=lambda name: (-sum(counts[name].values()), name))
    names = [name for name in (order or by_length) if name in counts]
    return tuple(
        bar_of(name, counts[name], total=total, longest=longest, key=key) for name in names
    )


def bar_of(name: str, parts: Mapping[str, int], *, total: int, longest: int, key: str) -> Bar:
    drawn, start = [], 0.0
    for split in Split.values:
        if count := parts.get(split, 0):
            width = 100 * count / longest
            drawn.append(Part(split=split, count=count, start=start, width=width))
            start += width
    count = sum(parts.values())
    shown = label_of(name) if key == "mask" else name
    can_filter = name not in {OTHER, NOT_LABELLED}
    return Bar(
        name=shown,
        count=count,
        percent=round(100 * count / max(1, total), 1),
        parts=tuple(drawn),
        query=f"{key}={name}" if can_filter else "",
    )


def ages_of(cohort: Cohort) -> list[Column]:
    """Returns images by decade of age and sex; none where no age is known."""
    images = cohort.images.order_by().exclude(age_years=None)
    grouped = images.values_list("age_years", "patient__sex").annotate(count=Count("*"))
    counts = [dict.fromkeys(Sex.values, 0) for _ in range(DECADES)]
    for age, sex, count in grouped:
        counts[min(age // DECADE_YEARS, DECADES - 1)][sex] += count
    tallest = max(sum(decade.values()) for decade in counts)
    if not tallest:
        return []
    return [column_of(place, decade, tallest=tallest) for place, decade in enumerate(counts)]


def column_of(place: int, counts: Mapping[str, int], *, tallest: int) -> Column:
    first = place * DECADE_YEARS
    stack, top = [], 100.0
    for sex in Sex.values:
        if counts[sex]:
            height = 100 * counts[sex] / tallest
            top -= height
            stack.append((sex or UNKNOWN, top, height))
    last = "and over" if place == DECADES - 1 else f"to {first + DECADE_YEARS - 1}"
    return Column(
        decade=f"{first} {last}",
        counts=tuple((Sex(sex).label if sex else UNKNOWN, counts[sex]) for sex in Sex.values),
        x=100.0 * place / DECADES,
        stack=tuple(stack),
    )


def shared_of(cohort: Cohort) -> list[SharedWith]:
    """Returns the cohorts that this one shares pictures with, the most first."""
    seen: dict[str, dict[object, list[bool]]] = defaultdict(dict)
    links = SharedPicture.objects.of_cohort(cohort).values_list(
        "image", "image__cohort__name", "other", "other__cohort__name", "is_known", "distance"
    )
    for image, name, other, other_name, is_known, distance in links.iterator():
        mine, theirs = (image, other_name) if name == cohort.name else (other, name)
        how = seen[theirs].setdefault(mine, [False, False])
        how[0] |= is_known
        how[1] |= distance is not None
    found = [
        SharedWith(
            cohort=name,
            images=len(images),
            named=sum(how[0] for how in images.values()),
            alike=sum(how[1] for how in images.values()),
        )
        for name, images in seen.items()
    ]
    return sorted(found, key=lambda shared: -shared.images)
