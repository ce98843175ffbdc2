"""Which of a cohort's images a grid shows."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import QueryDict

from feedback_app.images.cohorts.figures import SEXES, UNKNOWN, VIEWS
from feedback_app.images.cohorts.models import Cohort, CohortImage, SharedPicture, Split
from generation.conditioning.facts import AGE_BANDS
from generation.conditioning.findings import FINDINGS, NORMAL
from generation.conditioning.masks import MASK_KINDS, label_of
from generation.datasets.attributes import RACES

SEX_KEYS = {label: key for key, label in SEXES.items()}
COLUMNS = {
    "split": "patient__split",
    "view": "view",
    "race": "patient__race",
    "mask": "masks__kind",
}
"""Filters that compare one column, empty where it is not known."""
SHARED = "in another cohort"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """A list to choose from; ``chosen`` is empty for all."""

    key: str
    label: str
    options: tuple[tuple[str, str], ...]
    chosen: str


OPTIONS = {
    "finding": ("Finding", (NORMAL, *FINDINGS)),
    "split": ("Split", tuple(Split.values)),
    "sex": ("Sex", (*SEX_KEYS, UNKNOWN)),
    "age": ("Age", (*AGE_BANDS, UNKNOWN)),
    "view": ("View", (*VIEWS, UNKNOWN)),
    "race": ("Race", (*RACES, UNKNOWN)),
    "mask": ("Mask", MASK_KINDS),
    "shared": ("Shared", (SHARED,)),
}


def choices_of(query: QueryDict) -> list[Choice]:
    """Returns what can be chosen and what is; anything else that was asked for is left out."""
    return [
        Choice(
            key=key,
            label=label,
            options=tuple((name, label_of(name)) for name in names),
            chosen=query.get(key, "") if query.get(key) in names else "",
        )
        for key, (label, names) in OPTIONS.items()
    ]


def filter_images(cohort: Cohort, choices: list[Choice]) -> "QuerySet[CohortImage]":
    images = cohort.images.select_related("image", "patient").prefetch_related("masks", "boxes")
    for choice in choices:
        if choice.chosen:
            images = images.filter(condition_of(choice.key, choice.chosen))
    return images


def condition_of(key: str, chosen: str) -> Q:
    if key in COLUMNS:
        return Q(**{COLUMNS[key]: "" if chosen == UNKNOWN else chosen})
    match key:
        case "finding":
            return Q(is_normal=True) if chosen == NORMAL else Q(findings__contains=[chosen])
        case "sex":
            return Q(patient__sex=SEX_KEYS.get(chosen, ""))
        case "age":
            return age_condition(chosen)
    links = SharedPicture.objects.filter(Q(image=OuterRef("pk")) | Q(other=OuterRef("pk")))
    return Q(Exists(links))


def age_condition(band: str) -> Q:
    if band == UNKNOWN:
        return Q(age_years=None)
    lasts = [-1, *AGE_BANDS.values()]
    first = lasts[list(AGE_BANDS).index(band)] + 1
    return Q(age_years__gte=first, age_years__lte=AGE_BANDS[band])
