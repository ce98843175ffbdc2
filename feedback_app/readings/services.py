"""Storing what a reader submitted: whole, once, and for all."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from feedback_app.accounts.models import User
from feedback_app.images.models import Image
from feedback_app.readings.access import slot_for
from feedback_app.readings.models import Flag, Grade, Reading, Score
from feedback_app.studies.models import SCORE_MAX, Criterion, FlagKind, Slot, StudyState
from generation.errors import RemediableError

COMMENT_MAX = 2_000
ACTIVE_MS_MAX = 24 * 3600 * 1000


@dataclass(frozen=True)
class GivenScore:
    """``place`` counts the images as the slot shows them, from 0."""

    place: int
    criterion: str
    value: int


@dataclass(frozen=True)
class GivenFlag:
    place: int
    flag: str
    grade: str


class InvalidReading(RemediableError):
    """Incomplete, or with a value that the study does not know."""


class ReadingConflict(RemediableError):
    """Well-formed, but the state of things does not allow it."""


class StudyNotOpen(ReadingConflict):
    """The study takes no readings (any more)."""


class KeyAlreadyUsed(ReadingConflict):
    """The idempotency key belongs to another reading."""


@transaction.atomic
def submit(
    *,
    slot: Slot,
    reader: User,
    idempotency_key: UUID,
    scores: Sequence[GivenScore],
    flags: Sequence[GivenFlag] = (),
    comment: str = "",
    active_ms: int = 0,
) -> Reading:
    """Store a reading as the slot's next revision; the same key again returns the stored one.

    Raises ``Http404`` for a slot that is not the reader's own. The slot's row is locked,
    so that the same reading posted twice at once is stored once.
    """
    slot_for(reader, slot.pk)
    slot = Slot.objects.select_for_update(of=["self"]).select_related("study").get(pk=slot.pk)
    stored = Reading.objects.filter(idempotency_key=idempotency_key).first()
    images = slot.images_in_order()
    if stored is not None:
        if stored.slot_id != slot.pk or not _says_the_same(
            stored, images=images, scores=scores, flags=flags, comment=comment
        ):
            raise KeyAlreadyUsed(
                f"The key {idempotency_key} was used for another reading.",
                remedy="Make a new random key for every reading.",
            )
        return stored
    if slot.study.state != StudyState.OPEN:
        raise StudyNotOpen(
            f"The study “{slot.study.name}” is {slot.study.state}.",
            remedy="Ask its coordinator to reopen it; what you read is kept in your browser.",
        )
    criteria = {criterion.slug: criterion for criterion in slot.criteria()}
    kinds = {kind.slug: kind for kind in slot.study.flag_kinds.all()}
    _validate_scores(scores, places=len(images), criteria=criteria)
    _validate_flags(flags, places=len(images), kinds=kinds)
    _validate_rest(comment, active_ms=active_ms)
    reading = Reading.objects.create(
        slot=slot,
        reader=reader,
        revision=_next_revision(slot),
        idempotency_key=idempotency_key,
        is_simulated=reader.is_simulated,
        comment=comment,
        active_ms=active_ms,
    )
    _write_scores(reading, scores, images=images, criteria=criteria)
    _write_flags(reading, flags, images=images, kinds=kinds)
    return reading


def _says_the_same(
    stored: Reading,
    *,
    images: list[Image],
    scores: Sequence[GivenScore],
    flags: Sequence[GivenFlag],
    comment: str,
) -> bool:
    """Whether what was given is what is stored; the time it took is not compared."""
    ids = {place: image.pk for place, image in enumerate(images)}
    given_scores = {(ids.get(given.place), given.criterion, given.value) for given in scores}
    given_flags = {(ids.get(given.place), given.flag, given.grade) for given in flags}
    return (
        stored.comment == comment
        and set(stored.scores.values_list("image", "criterion__slug", "value")) == given_scores
        and set(stored.flags.values_list("image", "kind__slug", "grade")) == given_flags
    )


def _next_revision(slot: Slot) -> int:
    last: int | None = slot.readings.aggregate(last=Max("revision"))["last"]
    return 1 if last is None else last + 1


def _validate_scores(
    scores: Sequence[GivenScore], *, places: int, criteria: dict[str, Criterion]
) -> None:
    wanted = {(place, slug) for place in range(places) for slug in criteria}
    given = [(score.place, score.criterion) for score in scores]
    for pair in given:
        if pair not in wanted:
            raise InvalidReading(
                f"Image {pair[0]} has no criterion “{pair[1]}” in this case.",
                remedy="Reload the case.",
            )
    if len(given) != len(set(given)):
        raise InvalidReading("An image is scored twice.", remedy="Give one score a criterion.")
    missing = wanted - set(given)
    if missing:
        raise InvalidReading(
            f"{len(missing)} of {len(wanted)} scores are missing.",
            remedy="Score every image on every criterion.",
        )
    for score in scores:
        if type(score.value) is not int or not 0 <= score.value <= SCORE_MAX:
            raise InvalidReading(
                f"{score.value!r} is no score.",
                remedy=f"Score with whole numbers 0 to {SCORE_MAX}.",
            )


def _validate_flags(flags: Sequence[GivenFlag], *, places: int, kinds: dict[str, FlagKind]) -> None:
    for flag in flags:
        if flag.flag not in kinds or not 0 <= flag.place < places:
            raise InvalidReading(
                f"The study has no flag “{flag.flag}” for image {flag.place}.",
                remedy="Reload the case.",
            )
        if flag.grade not in Grade.values:
            raise InvalidReading(
                f"A flag is minor or major, not “{flag.grade}”.", remedy="Choose one of the two."
            )
    given = [(flag.place, flag.flag) for flag in flags]
    if len(given) != len(set(given)):
        raise InvalidReading("A flag is given twice.", remedy="Give each flag once an image.")


def _validate_rest(comment: str, *, active_ms: int) -> None:
    if len(comment) > COMMENT_MAX:
        raise InvalidReading(
            f"The comment has {len(comment):,} characters.",
            remedy=f"Shorten it to {COMMENT_MAX:,}.",
        )
    if "\x00" in comment:
        raise InvalidReading("The comment holds a null character.", remedy="Remove it.")
    if not 0 <= active_ms <= ACTIVE_MS_MAX:
        raise InvalidReading(f"{active_ms} ms is no reading time.", remedy="Reload the case.")


def _write_scores(
    reading: Reading,
    scores: Sequence[GivenScore],
    *,
    images: list[Image],
    criteria: dict[str, Criterion],
) -> None:
    Score.objects.bulk_create(
        Score(
            reading=reading,
            image=images[score.place],
            criterion=criteria[score.criterion],
            value=score.value,
        )
        for score in scores
    )


def _write_flags(
    reading: Reading,
    flags: Sequence[GivenFlag],
    *,
    images: list[Image],
    kinds: dict[str, FlagKind],
) -> None:
    Flag.objects.bulk_create(
        Flag(reading=reading, image=images[flag.place], kind=kinds[flag.flag], grade=flag.grade)
        for flag in flags
    )
