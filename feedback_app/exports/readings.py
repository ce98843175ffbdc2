"""The readings that a curated set was made of, as they were when it was made."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef

from feedback_app.accounts.pseudonyms import pseudonym_of
from feedback_app.curation.models import CuratedSet, CuratedSource
from feedback_app.readings.models import Flag, Reading, ReadingQuerySet, Region, Score

TABLE = "readings.csv"
FILES = f"""

`{TABLE}` has a row for every answer of a reader that the set was made of:

| column | meaning |
|---|---|
| recipe | the image's recipe, as above |
| reader | a pseudonym, the same in all files of this installation |
| kind | score or flag |
| name | the criterion, or the kind of flag |
| value | the score from 0 to 5, or the flag's grade |"""


def readings_behind(curated_set: CuratedSet) -> ReadingQuerySet:
    """Returns the last revisions, at that time, of the set's readers in its studies."""
    sources = CuratedSource.objects.filter(
        curated_set=curated_set, reader=OuterRef("reader"), study=OuterRef("slot__study")
    )
    return Reading.objects.as_of(curated_set.created_at).filter(Exists(sources), skip_reason="")


def answers_behind(curated_set: CuratedSet) -> Iterator[dict[str, object]]:
    """Yields a row for each score, then for each flag, that an image of the set was given."""
    among = {"reading__in": readings_behind(curated_set).values("pk"), **_images_of(curated_set)}
    keys = ("image__candidate__recipe", "reading__reader")
    for kind, answers, name, value in (
        ("score", Score.objects.all(), "criterion__slug", "value"),
        ("flag", Flag.objects.all(), "kind__slug", "grade"),
    ):
        rows = answers.filter(**among).values_list(*keys, name, value).order_by(*keys, name, "pk")
        for recipe, reader, named, given in rows.iterator():
            yield {
                "recipe": recipe,
                "reader": pseudonym_of(reader),
                "kind": kind,
                "name": named,
                "value": given,
            }


def regions_behind(curated_set: CuratedSet) -> dict[UUID, list[Region]]:
    """Returns what the set's readers drew, by the id of the image that they drew it on."""
    regions = Region.objects.filter(
        flag__reading__in=readings_behind(curated_set).values("pk"),
        flag__image__in=curated_set.items.values("candidate__image"),
    ).select_related("flag__kind", "flag__reading")
    found = defaultdict(list)
    for region in regions.order_by("flag__reading__reader", "flag__kind__slug", "pk"):
        found[region.flag.image_id].append(region)
    return found


def _images_of(curated_set: CuratedSet) -> dict[str, Any]:
    return {"image__candidate__curateditem__curated_set": curated_set}
