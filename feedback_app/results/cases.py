"""Which cases a coordinator looks at: by what was said of them, and how far it is apart."""

from collections.abc import Iterable, Mapping
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
from django.db.models.functions import Sign

from feedback_app.readings.adjudication.finals import final_readings, sent_slots
from feedback_app.readings.models import (
    Bookmark,
    Choice,
    Reading,
    Score,
    SkipReason,
    Verdict,
)
from feedback_app.readings.report_models import ReportPreference, WrittenReport
from feedback_app.studies.models import (
    Case,
    CaseImage,
    CriterionKind,
    GoldAnswer,
    Slot,
    Study,
    StudyState,
)
from feedback_app.studies.report_answers import compare_findings

OF_THE_LAST = frozenset({"commented", "skipped", "flagged", "regions", "none_acceptable"})
"""What depends on the last revision; that a case was read at all does not."""
WANTED = ("reading__slot__case", "apart")


def tells_source(study: Study) -> bool:
    """Says whether it may be told where the study's images come from."""
    return study.tells_source


def studies_of(image_id: UUID) -> tuple[list[Study], list[Study]]:
    """Returns the studies that show the image: those that tell its source, and those blind."""
    shown = (
        Study.objects.own()
        .filter(cases__images=image_id)
        .exclude(state=StudyState.DRAFT)
        .distinct()
    )
    studies = list(shown.order_by("created_at"))
    return [one for one in studies if tells_source(one)], [
        one for one in studies if not tells_source(one)
    ]


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
    every = latest(study) if flag or show in OF_THE_LAST else Reading.objects.in_its_phase()
    of_case = every.filter(slot__case=OuterRef("pk"))
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
    if show in {"sent", "settled"}:
        final = final_readings().filter(slot__case__copied_from__original=OuterRef("pk"))
        cases = cases.filter(Exists(final)) if show == "settled" else _waiting(cases, final)
    if show == "gold_missed":
        of_reports = _reports_missing_gold(study, latest(study))
        missed = Q(pk__in=_gold_missed(study, latest(study))) | Q(pk__in=of_reports)
        cases = cases.filter(missed)
    if show == "bookmarked":
        cases = cases.filter(Exists(Bookmark.objects.filter(slot__case=OuterRef("pk"))))
    return cases.order_by("position")


def _waiting(cases: QuerySet[Case], final: QuerySet[Reading]) -> QuerySet[Case]:
    return cases.filter(Exists(sent_slots_of_case())).exclude(Exists(final))


def sent_slots_of_case() -> QuerySet[Slot]:
    """Returns, of a case of an outer query, what waits or waited in rounds of adjudication."""
    return sent_slots().filter(case__copied_from__original=OuterRef("pk"))


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
    preferences = ReportPreference.objects.filter(**asked, criterion=OuterRef("criterion"))
    preferences = preferences.annotate(towards=Sign(_for_first())).exclude(towards=OuterRef("sign"))
    missed = answers.filter(Exists(scores) | Exists(choices) | Exists(preferences))
    return missed.values_list("case", flat=True)


def _reports_missing_gold(study: Study, readings: QuerySet[Reading]) -> set[UUID]:
    """Returns the cases of which a report says otherwise than its reference of a finding."""
    gold = GoldAnswer.objects.filter(case__study=study, criterion__kind=CriterionKind.REPORT)
    references = dict(gold.values_list("case", "text"))
    written = WrittenReport.objects.filter(
        reading__in=readings, reading__slot__case__in=references
    ).values_list("reading__slot__case", "text")
    return {
        case
        for case, text in written
        if not all(one.is_right for one in compare_findings(references[case], text))
    }


def by_disagreement(cases: QuerySet[Case], apart: Mapping[int, int]) -> list[int]:
    """Returns the cases' positions, those on which readers are furthest ``apart`` first."""
    positions = list(cases.order_by("position").values_list("position", flat=True))
    return sorted(positions, key=lambda position: -apart.get(position, -1))


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
    kinds = set(study.criteria.values_list("kind", flat=True))
    rows: list[tuple[UUID, int]] = []
    if kinds & {CriterionKind.ORDINAL, CriterionKind.CONFIDENCE}:
        rows += _ranges_of_scores(counting)
    if CriterionKind.COMPARISON in kinds:
        rows += _ranges_of_choices(counting)
    if CriterionKind.PREFERENCE in kinds:
        rows += _ranges_of_preferences(counting)
    widest: dict[UUID, int] = {}
    for case, range_ in rows:
        widest[case] = max(range_, widest.get(case, 0))
    return widest


def _ranges_of_scores(counting: QuerySet[Reading]) -> Iterable[tuple[UUID, int]]:
    """Grouped by more than is asked for: keys are slow to read, and the database has many."""
    scores = Score.objects.filter(reading__in=counting)
    grouped = scores.values("reading__slot__case", "image", "criterion")
    return grouped.annotate(apart=_range("value")).values_list(*WANTED)


def _ranges_of_choices(counting: QuerySet[Reading]) -> Iterable[tuple[UUID, int]]:
    """Yields a choice for the one image is as far above none as one for the other is below it."""
    first = CaseImage.objects.filter(case=OuterRef("reading__slot__case")).order_by("position")
    signed = SqlCase(
        When(verdict=Verdict.BETTER, image=Subquery(first.values("image")[:1]), then=F("strength")),
        When(verdict=Verdict.BETTER, then=0 - F("strength")),
        default=0,
        output_field=IntegerField(),
    )
    choices = Choice.objects.filter(reading__in=counting).annotate(signed=signed)
    grouped = choices.values("reading__slot__case", "criterion")
    return grouped.annotate(apart=_range("signed")).values_list(*WANTED)


def _ranges_of_preferences(counting: QuerySet[Reading]) -> Iterable[tuple[UUID, int]]:
    preferences = ReportPreference.objects.filter(reading__in=counting)
    grouped = preferences.annotate(signed=_for_first()).values("reading__slot__case", "criterion")
    return grouped.annotate(apart=_range("signed")).values_list(*WANTED)


def _for_first() -> SqlCase:
    """Points count for the case's first report, wherever it stood."""
    return SqlCase(
        When(left__position=0, then=0 - F("points")),
        default=F("points"),
        output_field=IntegerField(),
    )


def _range(name: str) -> CombinedExpression:
    return Max(name) - Min(name)
