"""What was said of cases, for whoever may know who said it: answers in words, regions drawn."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Prefetch

from feedback_app.images.models import Image
from feedback_app.readings.comment_models import CommentFlag
from feedback_app.readings.models import Flag, Reading, Shape, SkipReason
from feedback_app.readings.report_models import WrittenReport
from feedback_app.readings.retraction_models import Retraction, retracted_in
from feedback_app.results.cases import disagreements, find_cases, latest
from feedback_app.results.comments import Suggestion, letters_seen, suggestions
from feedback_app.results.verdicts import sum_up
from feedback_app.studies.models import (
    Case,
    CaseImage,
    Criterion,
    FlagKind,
    Phase,
    Study,
    questions_of,
)
from feedback_app.studies.modes.write_report import source_label

LETTERS = "ABCDEFGH"
SOURCE = "image__candidate__recipe__model_version"
OUTLINES = 6
"""Colours of readers' outlines, which repeat after so many readers."""


ADJUDICATOR = "final"
"""What stands for a number in the colour of an adjudicator's outlines."""
PARTS = (
    "scores__criterion",
    "choices__criterion",
    "flags__kind",
    "flags__regions",
    "report",
    "preferences__criterion",
    "preferences__left",
    Prefetch("comment_flags", CommentFlag.objects.standing().select_related("kind", "decided_by")),
)


@dataclass(frozen=True)
class Outline:
    """A region on its image; ``number`` is the reader's, for the colour."""

    points: str
    number: int | str
    label: str


@dataclass(frozen=True)
class ShownText:
    """A report of a case; ``source`` is empty while the study is blind.

    One that was erased with its cohort has a block for each word.
    """

    name: str
    text: str
    source: str
    erased_sha256: str = ""


@dataclass
class ShownImage:
    image: Image
    letter: str
    outlines: list[Outline] = field(default_factory=list)


@dataclass(frozen=True)
class NamedByComment:
    """A decided flag of a comment; ``letter`` is empty where the case has one image."""

    flag: CommentFlag
    letter: str


@dataclass(frozen=True)
class Suggested:
    """A flag to be decided on; ``number`` is the image's in the case, 0 where none is named."""

    suggestion: Suggestion
    number: int


@dataclass(frozen=True)
class SaidOfCase:
    """One reading in words; ``scores`` has a line a criterion, with a value an image.

    Its last part is what the values mean.
    """

    reading: Reading
    reader: str
    number: int | str
    is_retracted: bool
    scores: tuple[tuple[str, tuple[str, ...], str], ...]
    choices: tuple[tuple[str, str], ...]
    flags: tuple[str, ...]
    skip: str
    report: WrittenReport | None = None
    preferences: tuple[tuple[str, str], ...] = ()
    named: tuple[NamedByComment, ...] = ()
    suggested: tuple[Suggested, ...] = ()
    letters: str = ""
    """Which image the reader called what, where the comment may say so by other letters."""
    places: tuple[tuple[int, str], ...] = ()
    """Number and letter of each image, where the case has several."""

    @property
    def flag_kinds(self) -> tuple[FlagKind, ...]:
        """What may be put on the case's images out of the comment; nothing of a skipped case."""
        if self.skip or not self.reading.comment:
            return ()
        return questions_of(self.reading.slot.study).flag_kinds

    @property
    def is_final(self) -> bool:
        return self.reading.slot.phase == Phase.FINAL

    @property
    def seconds(self) -> float | None:
        """None where the time was not measured."""
        return self.reading.active_ms / 1_000 or None


@dataclass
class ReviewedCase:
    case: Case
    images: list[ShownImage]
    said: list[SaidOfCase]
    disagreement: int | None
    """In points of the scale, or steps of the choice; None where nobody shares an answer."""
    texts: tuple[ShownText, ...] = ()
    verdicts: tuple[str, ...] = ()
    adjudicated: list[SaidOfCase] = field(default_factory=list)
    """By each adjudicator what they read blind and, where they have settled it, the final one."""

    @property
    def is_settled(self) -> bool:
        return any(said.is_final and not said.skip for said in self.adjudicated)


def review(study: Study, keys: Sequence[UUID]) -> list[ReviewedCase]:
    """Returns these cases with all that was said of them, in the given order."""
    cases = {
        case.pk: case
        for case in Case.objects.filter(pk__in=keys).prefetch_related(
            Prefetch("case_images", CaseImage.objects.select_related(SOURCE)), "texts"
        )
    }
    shown = {
        key: [
            ShownImage(place.image, LETTERS[number])
            for number, place in enumerate(cases[key].case_images.all())
        ]
        for key in keys
    }
    numbers = {pk: number for number, pk in enumerate(study.readers.values_list("pk", flat=True))}
    retracted = retracted_in(study)
    study_is_retracted = study.pk in set(Retraction.objects.active().studies())
    said: dict[UUID, list[SaidOfCase]] = defaultdict(list)
    readings = (
        latest(study)
        .filter(slot__case__in=keys)
        .select_related("reader", "slot__study", "slot__case")
    )
    for reading in readings.prefetch_related(*PARTS).order_by("reader", "slot__repetition"):
        case_id = reading.slot.case_id
        number = numbers.get(reading.reader_id, 0) % OUTLINES
        said[case_id].append(
            _said(
                reading,
                shown[case_id],
                number=number,
                is_retracted=study_is_retracted or reading.reader_id in retracted,
            )
        )
        _outline(reading, shown[case_id], number=number)
    apart = disagreements(study, keys)
    adjudicated = _adjudicated(keys, shown, retracted)
    return [
        ReviewedCase(
            cases[key],
            shown[key],
            said[key],
            apart.get(key),
            verdicts=_verdicts(said[key], shown[key], tells_source=study.tells_source),
            texts=_texts(cases[key], tells_source=study.tells_source),
            adjudicated=adjudicated[key],
        )
        for key in keys
    ]


def _verdicts(
    said: Sequence[SaidOfCase], shown: Sequence[ShownImage], *, tells_source: bool
) -> tuple[str, ...]:
    real = {one.image.pk: not hasattr(one.image, "candidate") for one in shown}
    return sum_up(
        (one.reading for one in said if not one.is_retracted),
        {one.image.pk: one.letter for one in shown},
        real=real if tells_source else None,
    )


def _texts(case: Case, *, tells_source: bool) -> tuple[ShownText, ...]:
    """Returns the case's reports in their order, which no reader saw as such."""
    texts = list(case.texts.all())
    return tuple(
        ShownText(
            name=f"Report {LETTERS[number]}" if len(texts) > 1 else "Draft",
            text=shown.text,
            source=source_label(shown.source) if tells_source else "",
            erased_sha256=shown.erased_sha256,
        )
        for number, shown in enumerate(texts)
    )


def _adjudicated(
    keys: Sequence[UUID], shown: Mapping[UUID, Sequence[ShownImage]], retracted: Collection[int]
) -> dict[UUID, list[SaidOfCase]]:
    """Returns by case what was said of it in panels of adjudications, as last revised."""
    readings = Reading.objects.filter(slot__case__copied_from__original__in=keys).current()
    found: dict[UUID, list[SaidOfCase]] = defaultdict(list)
    for reading in (
        readings.select_related("reader", "slot__study", "slot__case__copied_from")
        .prefetch_related(*PARTS)
        .order_by("slot__study__created_at", "reader", "slot__phase")
    ):
        case_id = reading.slot.case.copied_from.original_id
        is_retracted = reading.reader_id in retracted
        said = _said(reading, shown[case_id], number=ADJUDICATOR, is_retracted=is_retracted)
        found[case_id].append(said)
        _outline(reading, shown[case_id], number=ADJUDICATOR)
    return found


def _said(
    reading: Reading, images: Sequence[ShownImage], *, number: int | str, is_retracted: bool
) -> SaidOfCase:
    letters = {shown.image.pk: shown.letter for shown in images}
    values: dict[Criterion, dict[UUID, int]] = defaultdict(dict)
    for score in sorted(reading.scores.all(), key=lambda one: one.criterion.position):
        values[score.criterion][score.image_id] = score.value
    choices = sorted(reading.choices.all(), key=lambda one: one.criterion.position)
    return SaidOfCase(
        reading=reading,
        reader=reading.reader.display_name,
        number=number,
        is_retracted=is_retracted,
        scores=tuple(
            _scored(criterion, [found.get(shown.image.pk) for shown in images])
            for criterion, found in values.items()
        ),
        choices=tuple((one.criterion.name, one.in_words(letters)) for one in choices),
        flags=tuple(_flagged(flag, letters) for flag in reading.flags.all()),
        report=getattr(reading, "report", None),
        preferences=tuple(
            (one.criterion.name, one.in_words())
            for one in sorted(reading.preferences.all(), key=lambda one: one.criterion.position)
        ),
        skip=str(SkipReason(reading.skip_reason).label) if reading.is_skipped else "",
        named=tuple(
            NamedByComment(flag, letters[flag.image_id] if len(images) > 1 else "")
            for flag in reading.comment_flags.all()
        ),
        suggested=tuple(_suggested(reading, images)),
        letters=letters_seen(reading.slot) if reading.comment else "",
        places=tuple((number, shown.letter) for number, shown in enumerate(images, start=1))
        if len(images) > 1
        else (),
    )


def _suggested(reading: Reading, images: Sequence[ShownImage]) -> Iterator[Suggested]:
    numbers = {shown.image.pk: number for number, shown in enumerate(images, start=1)}
    for one in suggestions(reading, [shown.image for shown in images]):
        yield Suggested(one, numbers[one.image.pk] if one.image else 0)


def _scored(criterion: Criterion, values: Sequence[int | None]) -> tuple[str, tuple[str, ...], str]:
    shown = tuple("–" if value is None else criterion.in_words(value) for value in values)
    meant = [criterion.meaning_of(value) for value in values if value is not None]
    return criterion.name, shown, " · ".join(filter(None, meant))


def _flagged(flag: Flag, letters: dict[UUID, str]) -> str:
    on = f" on {letters[flag.image_id]}" if len(letters) > 1 else ""
    regions = len(flag.regions.all())
    where = f", {regions} region{'' if regions == 1 else 's'}" if regions else ""
    return f"{flag.kind.name}{on}, {flag.grade}{where}"


def _outline(reading: Reading, images: Sequence[ShownImage], *, number: int | str) -> None:
    by_image = {shown.image.pk: shown for shown in images}
    for flag in reading.flags.all():
        for region in flag.regions.all():
            corners = Shape(region.shape).corners(region.points)
            by_image[flag.image_id].outlines.append(
                Outline(
                    points=" ".join(f"{x:g},{y:g}" for x, y in corners),
                    number=number,
                    label=f"{reading.reader.display_name}: {flag.kind.name}, {flag.grade}",
                )
            )
    for named in reading.comment_flags.all():
        if named.corners:
            by_image[named.image_id].outlines.append(
                Outline(
                    points=" ".join(f"{x:g},{y:g}" for x, y in named.corners),
                    number=number,
                    label=f"{reading.reader.display_name}'s comment: {named.kind.name}, "
                    f"{named.grade}",
                )
            )


def said_in(reading: Reading) -> SaidOfCase | None:
    """Returns what was said in a reading; None where it was revised meanwhile."""
    case = reading.slot.case
    case = case.copied_from.original if hasattr(case, "copied_from") else case
    (reviewed,) = review(case.study, [case.pk])
    every = [*reviewed.said, *reviewed.adjudicated]
    return next((said for said in every if said.reading.pk == reading.pk), None)


def review_image(
    image_id: UUID, studies: Iterable[Study]
) -> list[tuple[Study, list[ReviewedCase]]]:
    """Returns by study its read cases that show the image, with all that was said of them."""
    found = [
        (study, list(find_cases(study).filter(images=image_id).values_list("pk", flat=True)))
        for study in studies
    ]
    return [(study, review(study, keys)) for study, keys in found if keys]
