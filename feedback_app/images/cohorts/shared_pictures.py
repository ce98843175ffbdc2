"""The same picture in two cohorts: found as it comes in, and kept on one side of every split.

Patients who share a picture, directly or through others, are one group with one split. It is
that of the group's leader: a patient of a cohort that is no derived one before others, then of
the older cohort. So RSNA's images follow NIH's patients, whichever came in first.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from django.db import connection, transaction
from django.db.models import Case, F, IntegerField, QuerySet, Value, When

from feedback_app.images.blobs.services import open_picture
from feedback_app.images.cohorts.models import (
    Cohort,
    CohortImage,
    Fingerprint,
    Patient,
    SharedPicture,
)
from feedback_app.remedies import in_one_line
from feedback_app.runs.progress import Progress
from generation.datasets.fingerprints import (
    MAX_DISTANCE,
    Words,
    as_words,
    distances,
    fingerprint,
)
from generation.datasets.layouts import DERIVED
from generation.errors import RemediableError

IMPORTS_TAKE_TURNS = 0x1447
"""The key of the database's advisory lock."""
AT_ONCE = 20_000
AT_A_TIME = 100


def take_turn() -> None:
    """Wait until no other import writes; until the end of the transaction.

    Without it, two imports that bring in one picture at the same moment would miss each other.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [IMPORTS_TAKE_TURNS])


@dataclass(frozen=True)
class Match:
    """Another cohort's image that is the same picture."""

    image: CohortImage
    other_id: object
    distance: int | None
    is_known: bool


class OtherCohorts:
    """It knows the fingerprints of all other cohorts' images,
    40 bytes a picture, kept up to date.
    """

    def __init__(self, cohort: Cohort) -> None:
        self._others = Fingerprint.objects.exclude(cohort_image__cohort=cohort).exclude(bits=b"")
        self._newest = 0
        self._keys = np.zeros(0, dtype=np.int64)
        self._words: Words = as_words([])

    def refresh(self) -> None:
        """Read what has come in since; only within one's turn can nothing be missed."""
        while rows := self._next_rows():
            keys, bits = zip(*rows, strict=True)
            self._keys = np.concatenate([self._keys, np.array(keys, dtype=np.int64)])
            self._words = np.concatenate([self._words, as_words(list(bits))])
            self._newest = keys[-1]

    def _next_rows(self) -> list[tuple[int, bytes]]:
        newer = self._others.filter(pk__gt=self._newest).order_by("pk")
        rows = newer.values_list("pk", "bits")[:AT_ONCE]
        return [(key, bytes(bits)) for key, bits in rows]

    def near(self, bits: bytes) -> dict[int, int]:
        """Returns the distance of each fingerprint that is close, by its key."""
        if not bits or not len(self._keys):
            return {}
        apart = distances(as_words([bits])[0], self._words)
        close = np.flatnonzero(apart <= MAX_DISTANCE)
        return {int(self._keys[place]): int(apart[place]) for place in close}


def link(images: Sequence[CohortImage], *, bits: Sequence[bytes], others: OtherCohorts) -> int:
    """Store which other cohorts' images these new ones are; how many of them are in another."""
    others.refresh()
    alike = by_fingerprint(images, bits, others)
    matches = {(match.image.pk, match.other_id): match for match in alike}
    for match in by_name(images):
        seen = matches.get((match.image.pk, match.other_id))
        distance = seen.distance if seen else None
        matches[match.image.pk, match.other_id] = Match(
            match.image, match.other_id, distance, is_known=True
        )
    links = [
        SharedPicture(
            image=match.image,
            other_id=match.other_id,
            is_known=match.is_known,
            distance=match.distance,
        )
        for match in matches.values()
    ]
    SharedPicture.objects.bulk_create(links, ignore_conflicts=True)
    return len({match.image.pk for match in matches.values()})


def by_name(images: Sequence[CohortImage]) -> Iterable[Match]:
    """Yields what the data sets themselves say is the same picture."""
    named = {image.known_as: image for image in images if image.known_as}
    if not named:
        return
    cohort = images[0].cohort_id
    same = CohortImage.objects.filter(known_as__in=named).exclude(cohort=cohort)
    for other_id, name in same.values_list("pk", "known_as"):
        yield Match(named[name], other_id, distance=None, is_known=True)


def by_fingerprint(
    images: Sequence[CohortImage], bits: Sequence[bytes], others: OtherCohorts
) -> Iterable[Match]:
    near = [others.near(one) for one in bits]
    keys = {key for found in near for key in found}
    owners = dict(Fingerprint.objects.filter(pk__in=keys).values_list("pk", "cohort_image"))
    for image, found in zip(images, near, strict=True):
        for key, distance in found.items():
            yield Match(image, owners[key], distance, is_known=False)


def align_splits(images: Sequence[CohortImage]) -> int:
    """Give each group of patients that these images belong to one split; how many moved."""
    links = SharedPicture.objects.filter(image__in=images)
    started = set(links.values_list("image__patient", flat=True))
    if not started:
        return 0
    pairs = reach(started)
    members = Patient.objects.filter(pk__in={patient for pair in pairs for patient in pair})
    moved = 0
    by_key = {patient.pk: patient for patient in in_order(members)}
    ranks = {key: rank for rank, key in enumerate(by_key)}
    for group in groups_of(pairs):
        leader = by_key[min(group, key=ranks.__getitem__)]
        followers = Patient.objects.filter(pk__in=group).exclude(split=leader.split)
        moved += followers.update(split=leader.split)
    return moved


def in_order(patients: "QuerySet[Patient]") -> "QuerySet[Patient]":
    """Returns those whose split holds first."""
    derived = Case(
        When(cohort__source__in=DERIVED, then=Value(1)),
        default=Value(0),
        output_field=IntegerField(),
    )
    return patients.annotate(is_derived=derived).order_by("is_derived", "cohort__created_at", "pk")


def reach(started: set[int]) -> set[tuple[int, int]]:
    """Returns the pairs of patients who share a picture, from these on through all of their
    groups.
    """
    pairs: set[tuple[int, int]] = set()
    reached: set[int] = set()
    front = started
    while front:
        reached |= front
        ends = (F("image__patient"), F("other__patient"))
        links = SharedPicture.objects.filter(image__patient__in=front) | (
            SharedPicture.objects.filter(other__patient__in=front)
        )
        pairs |= set(links.values_list(*ends))
        front = {patient for pair in pairs for patient in pair} - reached
    return pairs


def groups_of(pairs: Iterable[tuple[int, int]]) -> list[set[int]]:
    """Returns the connected components."""
    group_of: dict[int, set[int]] = {}
    for first, second in pairs:
        one, other = group_of.get(first, {first}), group_of.get(second, {second})
        whole = one | other
        for member in whole:
            group_of[member] = whole
    return list({id(group): group for group in group_of.values()}.values())


def complete_fingerprints(progress: Progress) -> None:
    """Take the fingerprints of images that came in without one, and find what they share."""
    cohorts = Cohort.objects.filter(images__fingerprint=None, images__isnull=False).distinct()
    for cohort in cohorts:
        others = OtherCohorts(cohort)
        missing = cohort.images.filter(fingerprint=None).select_related("image__blob")
        for image in missing.iterator(chunk_size=AT_A_TIME):
            try:
                picture = open_picture(image.image.blob.read(), name=image.source_id)
            except RemediableError as error:
                progress.log(f"{image.source_id} of {cohort.name}: {in_one_line(error)}")
                continue
            complete(image, bits=fingerprint(picture), others=others)
            progress.check()


@transaction.atomic
def complete(image: CohortImage, *, bits: bytes, others: OtherCohorts) -> None:
    take_turn()
    Fingerprint.objects.get_or_create(cohort_image=image, defaults={"bits": bits})
    link([image], bits=[bits], others=others)
    align_splits([image])
