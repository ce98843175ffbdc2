"""What comments name, offered as flags: a coordinator says of each whether it is meant."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from feedback_app.accounts.audit import record
from feedback_app.accounts.models import User
from feedback_app.images.models import Image
from feedback_app.readings.comment_models import CommentFlag
from feedback_app.readings.models import Reading
from feedback_app.results.comment_requests import CommentFlagRequest
from feedback_app.studies.models import FlagKind, Slot, questions_of
from generation.errors import RemediableError
from generation.vlm.reports.comments import PROMPT_MISMATCH, Named, artefacts_in, contradicts

LETTERS = "ABCDEFGH"


@dataclass(frozen=True)
class Suggestion:
    """A flag that a comment names; ``image`` is None where it is not said which is meant."""

    kind: FlagKind
    image: Image | None
    words: str
    is_doubted: bool


def suggestions(reading: Reading, shown: Sequence[Image]) -> list[Suggestion]:
    """Returns what the comment names, without what the reader flagged or a person decided.

    The images are ``shown`` in the order of the case; letters are those of the reader. What is
    said to be absent is no flag; that a comment denies what the prompt asks for, or names what a
    normal image should not have, is a prompt mismatch.
    """
    if not reading.comment or reading.is_skipped:
        return []
    slot = reading.slot
    kinds = {kind.name: kind for kind in questions_of(slot.study).flag_kinds}
    named = [one for one in artefacts_in(reading.comment, kinds) if one.presence != "absent"]
    named += _mismatch(reading.comment, slot.case.prompt, kinds)
    flagged = {(flag.image_id, flag.kind_id) for flag in reading.flags.all()}
    standing = reading.comment_flags.all()
    decided = {(one.image_id, one.kind_id) for one in standing if one.taken_back_at is None}
    images = [shown[position] for position in slot.image_order]
    found: dict[tuple[UUID | None, int], Suggestion] = {}
    for one in named:
        image, kind = _meant(one, images), kinds[one.name]
        is_known = any(
            (pk, kind.pk) in flagged | decided
            for pk in ([image.pk] if image else [each.pk for each in images])
        )
        if not is_known:
            key = image.pk if image else None, kind.pk
            found.setdefault(
                key, Suggestion(kind, image, one.sentence, one.presence == "uncertain")
            )
    return list(found.values())


def _mismatch(comment: str, prompt: str, kinds: Iterable[str]) -> list[Named]:
    name = next((name for name in kinds if name.lower() == PROMPT_MISMATCH), None)
    if name is None or not (findings := contradicts(comment, prompt)):
        return []
    words = f"{comment.strip()} ({', '.join(findings)})"
    return [Named(name=name, presence="present", sentence=words)]


def _meant(named: Named, images: Sequence[Image]) -> Image | None:
    """Returns the image of the letter that its reader saw, or the only one."""
    if len(images) == 1:
        return images[0]
    place = LETTERS.find(named.letter) if named.letter else -1
    return images[place] if 0 <= place < len(images) else None


def letters_seen(slot: Slot) -> str:
    """Says which image its reader called what, where that differs from the case's order."""
    if list(slot.image_order) == sorted(slot.image_order):
        return ""
    seen = enumerate(slot.image_order)
    return ", ".join(f"{LETTERS[place]} is {LETTERS[position]} here" for place, position in seen)


@transaction.atomic
def decide(request: CommentFlagRequest, *, actor: User | None) -> CommentFlag:
    """Stores what somebody decided; what was decided before is taken back first."""
    reading = _reading(request.reading)
    kind = _kind(reading, request.flag)
    image = _image(reading, request.image)
    _require_within(request.box, image)
    before = reading.comment_flags.filter(image=image, kind=kind).standing()
    before.update(taken_back_by=actor, taken_back_at=timezone.now())
    row = CommentFlag.objects.create(
        reading=reading,
        image=image,
        kind=kind,
        is_confirmed=request.is_confirmed,
        grade=request.grade if request.is_confirmed else "",
        box=list(request.box) if request.box and request.is_confirmed else None,
        words=reading.comment.strip(),
        decided_by=actor,
    )
    _record("comment.flag_confirmed" if row.is_confirmed else "comment.flag_dismissed", row, actor)
    return row


@transaction.atomic
def take_back(row: CommentFlag, *, actor: User | None) -> None:
    """The suggestion is offered again; that it was decided stays on record."""
    taken = CommentFlag.objects.standing().filter(pk=row.pk)
    if taken.update(taken_back_by=actor, taken_back_at=timezone.now()):
        _record("comment.flag_taken_back", row, actor)


def _record(event: str, row: CommentFlag, actor: User | None) -> None:
    study = row.reading.slot.study
    details = {"flag": row.kind.name, "grade": row.grade, "reading": str(row.reading_id)}
    record(event, actor=actor, target=study.name, target_id=study.pk, details=details)


def _reading(key: UUID) -> Reading:
    found = (
        Reading.objects.select_for_update(of=("self",))
        .select_related("slot__study", "slot__case")
        .filter(pk=key)
        .first()
    )
    if found is None or not found.comment.strip():
        raise RemediableError(
            f"There is no reading {key} with a comment.", remedy="Take it from Case by case."
        )
    if found.is_skipped:
        raise RemediableError(
            "A skipped case says nothing of its images.", remedy="Have it read by somebody else."
        )
    return found


def _kind(reading: Reading, slug: str) -> FlagKind:
    kinds = {kind.slug: kind for kind in questions_of(reading.slot.study).flag_kinds}
    if slug not in kinds:
        raise RemediableError(
            f"The study has no flag {slug!r}.", remedy=f"Choose one of: {', '.join(kinds)}."
        )
    return kinds[slug]


def _image(reading: Reading, place: int) -> Image:
    shown = list(reading.slot.case.case_images.select_related("image").order_by("position"))
    if not 1 <= place <= len(shown):
        raise RemediableError(
            f"The case has no image {place}.", remedy=f"Choose one from 1 to {len(shown)}."
        )
    return shown[place - 1].image


def _require_within(box: Sequence[float] | None, image: Image) -> None:
    if box is None:
        return
    left, top, right, bottom = box
    if not (0 <= left < right <= image.width and 0 <= top < bottom <= image.height):
        raise RemediableError(
            f"The box {', '.join(f'{side:g}' for side in box)} is not on the image.",
            remedy=f"Give left, top, right and bottom within {image.width} x {image.height}.",
        )
