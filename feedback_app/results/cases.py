"""Cases, reviewed: what each reader said of each case, and on which cases they disagree."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import Case as SqlCase
from django.db.models import (
    Exists,
    F,
    IntegerField,
    Max,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    When,
)
from django.db.models.expressions import CombinedExpression

from feedback_app.images.models import Image
from feedback_app.readings.models import (
    Bookmark,
    Choice,
    Flag,
    Reading,
    Retraction,
    Score,
    Shape,
    SkipReason,
    Strength,
    Verdict,
    retracted_in,
)
from feedback_app.studies.models import (
    Case,
    CaseImage,
    Criterion,
    CriterionKind,
    GoldAnswer,
    Study,
    StudyState,
)

LETTERS = "ABCDEFGH"
OUTLINES = 6
"""Colours of readers' outlines, which repeat after so many readers."""


@dataclass(frozen=True)
class Outline:
    """An outline is a region on its image; ``number`` is the reader's, for the colour."""

    points: str
    number: int
    label: str


@dataclass
class ShownImage:
    image: Image
    letter: str
    outlines: list[Outline] = field(default_factory=list)


@dataclass(frozen=True)
class SaidOfCase:
    """It is one reading in words; ``scores`` has a line a criterion, with a value an image."""

    reading: Reading
    reader: str
    number: int
    is_retracted: bool
    scores: tuple[tuple[str, tuple[str, ...]], ...]
    choices: tuple[tuple[str, str], ...]
    flags: tuple[str, ...]
    skip: str

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


def tells_source(study: Study) -> bool:
    """Says whether it may be told where the study's images come from."""
    return study.tells_source


def studies_of(image_id: UUID) -> tuple[list[Study], list[Study]]:
    """Returns the studies that show the image: those that tell its source, and those blind."""
    shown = Study.objects.filter(cases__images=image_id).exclude(state=StudyState.DRAFT).distinct()
    studies = list(shown.order_by("created_at"))
    return [one for one in studies if tells_source(one)], [
        one for one in studies if not tells_source(one)
    ]


def review_image(
    image_id: UUID, studies: Iterable[Study]
) -> list[tuple[Study, list["ReviewedCase"]]]:
    """Returns by study its read cases that show the image, with all that was said of them."""
    found = [
        (study, list(find_cases(study).filter(images=image_id).values_list("pk", flat=True)))
        for study in studies
    ]
    return [(study, review(study, keys)) for study, keys in found if keys]


def latest(study: Study) -> QuerySet[Reading]:
    """Returns the last revision of every slot, skipped and retracted ones included."""
    return Reading.objects.filter(slot__study=study).current()


def find_cases(
    study: Study,
    *,
    show: str = "",
    flag: str = "",
    reader: int | None = None,
    number: int | None = None,
) -> QuerySet[Case]:
    """Returns the study's read cases that have what is asked for, in their order."""
    of_case = latest(study).filter(slot__case=OuterRef("pk"))
    if reader is not None:
        of_case = of_case.filter(reader=reader)
    found = {
        "commented": of_case.exclude(comment=""),
        "skipped": of_case.exclude(skip_reason=SkipReason.NONE),
        "flagged": of_case.filter(flags__isnull=False),
        "regions": of_case.filter(flags__regions__isnull=False),
        "none_acceptable": of_case.filter(none_acceptable=True),
    }.get(show, of_case)
    if flag:
        found = found.filter(flags__kind__slug=flag)
    cases = study.cases.filter(Exists(found))
    if number is not None:
        cases = cases.filter(position=number - 1)
    if show == "gold_missed":
        cases = cases.filter(pk__in=_gold_missed(study, latest(study)))
    if show == "bookmarked":
        cases = cases.filter(Exists(Bookmark.objects.filter(slot__case=OuterRef("pk"))))
    return cases.order_by("position")


def _gold_missed(study: Study, readings: QuerySet[Reading]) -> QuerySet[GoldAnswer, UUID]:
    """Returns the cases of which a reading misses a known answer.

    Which images are real is such an answer, told only of an unblinded study.
    """
    answers = GoldAnswer.objects.filter(case__study=study)
    if not study.is_unblinded:
        answers = answers.exclude(criterion__kind=CriterionKind.CONFIDENCE)
    asked = {"reading__in": readings, "reading__slot__case": OuterRef("case")}
    scores = Score.objects.filter(
        **asked, criterion=OuterRef("criterion"), image=OuterRef("image")
    ).filter(Q(value__lt=OuterRef("least")) | Q(value__gt=OuterRef("most")))
    choices = Choice.objects.filter(**asked, criterion=OuterRef("criterion")).exclude(
        verdict=Verdict.BETTER, image=OuterRef("image")
    )
    return answers.filter(Exists(scores) | Exists(choices)).values_list("case", flat=True)


def by_disagreement(study: Study, cases: QuerySet[Case]) -> list[UUID]:
    """Returns the cases' keys, those on which readers are furthest apart first."""
    apart = disagreements(study)
    keys = list(cases.values_list("pk", flat=True))
    return sorted(keys, key=lambda key: -apart.get(key, -1))


def disagreements(study: Study, cases: Iterable[UUID] | None = None) -> dict[UUID, int]:
    """Returns by case the widest range of an answer over readers; first readings that count."""
    counting = (
        Reading.objects.filter(slot__study=study)
        .current()
        .standing()
        .filter(skip_reason=SkipReason.NONE, slot__repetition=0)
    )
    if cases is not None:
        counting = counting.filter(slot__case__in=cases)
    widest: dict[UUID, int] = {}
    first = CaseImage.objects.filter(case=OuterRef("reading__slot__case")).order_by("position")
    signed = SqlCase(
        When(verdict=Verdict.BETTER, image=Subquery(first.values("image")[:1]), then=F("strength")),
        When(verdict=Verdict.BETTER, then=0 - F("strength")),
        default=0,
        output_field=IntegerField(),
    )
    of_scores = Score.objects.filter(reading__in=counting).values_list(
        "reading__slot__case", "image", "criterion"
    )
    of_choices = Choice.objects.filter(reading__in=counting).annotate(signed=signed)
    rows: list[tuple[UUID, int]] = [
        *((case, range_) for case, _, _, range_ in of_scores.annotate(apart=_range("value"))),
        *(
            (case, range_)
            for case, _, range_ in of_choices.values_list(
                "reading__slot__case", "criterion"
            ).annotate(apart=_range("signed"))
        ),
    ]
    for case, range_ in rows:
        widest[case] = max(range_, widest.get(case, 0))
    return widest


def _range(name: str) -> CombinedExpression:
    return Max(name) - Min(name)


def review(study: Study, keys: Sequence[UUID]) -> list[ReviewedCase]:
    """Returns these cases with all that was said of them, in the given order."""
    cases = {
        case.pk: case
        for case in Case.objects.filter(pk__in=keys).prefetch_related("case_images__image")
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
    readings = latest(study).filter(slot__case__in=keys).select_related("reader", "slot")
    parts = ("scores__criterion", "choices__criterion", "flags__kind", "flags__regions")
    for reading in readings.prefetch_related(*parts).order_by("reader", "slot__repetition"):
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
    return [ReviewedCase(cases[key], shown[key], said[key], apart.get(key)) for key in keys]


def _said(
    reading: Reading, images: Sequence[ShownImage], *, number: int, is_retracted: bool
) -> SaidOfCase:
    letters = {shown.image.pk: shown.letter for shown in images}
    values: dict[str, dict[UUID, str]] = defaultdict(dict)
    for score in sorted(reading.scores.all(), key=lambda one: one.criterion.position):
        values[score.criterion.name][score.image_id] = in_words(score.criterion, score.value)
    choices = sorted(reading.choices.all(), key=lambda one: one.criterion.position)
    return SaidOfCase(
        reading=reading,
        reader=reading.reader.display_name,
        number=number,
        is_retracted=is_retracted,
        scores=tuple(
            (name, tuple(found.get(shown.image.pk, "–") for shown in images))
            for name, found in values.items()
        ),
        choices=tuple((one.criterion.name, _chosen(one, letters)) for one in choices),
        flags=tuple(_flagged(flag, letters) for flag in reading.flags.all()),
        skip=str(SkipReason(reading.skip_reason).label) if reading.is_skipped else "",
    )


def in_words(criterion: Criterion, value: int) -> str:
    """A score is its number; how sure somebody is of the source is said in words."""
    is_confidence = criterion.kind == CriterionKind.CONFIDENCE
    return criterion.anchors[value] if is_confidence else str(value)


def _chosen(choice: Choice, letters: dict[UUID, str]) -> str:
    if choice.image_id is None or choice.strength is None:
        return str(Verdict(choice.verdict).label)
    return f"{letters[choice.image_id]} {Strength(choice.strength).label.lower()} better"


def _flagged(flag: Flag, letters: dict[UUID, str]) -> str:
    on = f" on {letters[flag.image_id]}" if len(letters) > 1 else ""
    regions = len(flag.regions.all())
    where = f", {regions} region{'' if regions == 1 else 's'}" if regions else ""
    return f"{flag.kind.name}{on}, {flag.grade}{where}"


def _outline(reading: Reading, images: Sequence[ShownImage], *, number: int) -> None:
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
