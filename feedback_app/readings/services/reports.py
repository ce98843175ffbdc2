"""Answers about reports: whether they are whole, and how they are stored."""

from collections.abc import Collection, Sequence
from typing import NamedTuple, cast

from rapidfuzz.distance import Levenshtein

from feedback_app.readings.errors import InvalidReading
from feedback_app.readings.models import Reading
from feedback_app.readings.report_models import (
    POINTS_MAX,
    ReportPreference,
    ReportReason,
    WrittenReport,
)
from feedback_app.readings.services.given import GivenPreference, GivenReading, GivenReport
from feedback_app.readings.services.shown import Shown
from feedback_app.studies.drafting import TEXT_MAX
from feedback_app.studies.models import CaseText, CriterionKind
from feedback_app.text import as_kept, problem_of_text


class Edits(NamedTuple):
    """How far a text is from another one, by Levenshtein's distance."""

    characters: int
    words: int


def edits_of(draft: str, text: str) -> Edits:
    return Edits(
        characters=Levenshtein.distance(draft, text),
        words=Levenshtein.distance(draft.split(), text.split()),
    )


def validate_reports(given: GivenReading, shown: Shown) -> None:
    """Raise ``InvalidReading`` where what is asked about reports is not answered, or more is."""
    kinds = {slug: CriterionKind(one.kind) for slug, one in shown.criteria.items()}
    if CriterionKind.REPORT in kinds.values():
        draft = shown.texts[0].text if shown.texts else None
        _validate_report(given.report, draft=draft)
    elif given.report is not None:
        raise InvalidReading("The case asks for no report.", remedy="Reload the case.")
    asked = {slug for slug, kind in kinds.items() if kind == CriterionKind.PREFERENCE}
    _validate_preferences(given.preferences, asked=asked)


def _validate_report(report: GivenReport | None, *, draft: str | None) -> None:
    if report is None or not report.text.strip():
        raise InvalidReading("The report has no text.", remedy="Write it, or skip the case.")
    if problem := problem_of_text(report.text, most=TEXT_MAX):
        said, remedy = problem
        raise InvalidReading(f"The report {said}", remedy=remedy)
    _validate_reasons(report.reasons)
    is_changed = draft is not None and as_kept(report.text) != draft
    if report.is_accepted and (draft is None or is_changed):
        raise InvalidReading(
            "The draft is accepted as it is, and it was changed or there is none.",
            remedy="Say why it was changed.",
        )
    if report.reasons and not is_changed:
        raise InvalidReading(
            "There are reasons for a change, and nothing was changed.",
            remedy="Change the draft, or accept it as it is.",
        )
    if is_changed and not report.reasons:
        raise InvalidReading(
            "The draft was changed without a reason.",
            remedy=f"Give one of {', '.join(ReportReason.values)}, or several.",
        )
    if draft is not None and not is_changed and not report.is_accepted:
        raise InvalidReading(
            "The draft was not changed.", remedy="Accept it as it is, or change it."
        )


def _validate_reasons(reasons: Sequence[str]) -> None:
    if unknown := [reason for reason in reasons if reason not in ReportReason.values]:
        raise InvalidReading(
            f"“{unknown[0]}” is no reason for a change.",
            remedy=f"Choose of {', '.join(ReportReason.values)}.",
        )
    if len(set(reasons)) < len(reasons):
        raise InvalidReading("A reason is given twice.", remedy="Give each once.")


def _validate_preferences(
    preferences: Sequence[GivenPreference], *, asked: Collection[str]
) -> None:
    given = [one.criterion for one in preferences]
    for slug in given:
        if slug not in asked:
            raise InvalidReading(
                f"The case asks for no preference “{slug}”.", remedy="Reload the case."
            )
    if len(set(given)) < len(given):
        raise InvalidReading("A preference is given twice.", remedy="Give one a criterion.")
    if missing := len(asked) - len(given):
        raise InvalidReading(
            f"{missing} of {len(asked)} preferences are missing.",
            remedy="Say on every criterion which report is better, or 0.",
        )
    for one in preferences:
        if type(one.points) is not int or abs(one.points) > POINTS_MAX:
            raise InvalidReading(
                f"{one.points!r} are no points for a report.",
                remedy=f"Give whole numbers from {-POINTS_MAX}, the left one, to {POINTS_MAX}.",
            )


def write_reports(reading: Reading, given: GivenReading, shown: Shown) -> None:
    """Stores them; what is read, and not trained on, shows texts of its case."""
    if given.report is not None:
        _write_report(reading, given.report, shown)
    ReportPreference.objects.bulk_create(
        ReportPreference(
            reading=reading,
            criterion=shown.criteria[one.criterion],
            left=cast("CaseText", shown.texts[0]),
            points=one.points,
        )
        for one in given.preferences
    )


def _write_report(reading: Reading, report: GivenReport, shown: Shown) -> None:
    text = as_kept(report.text)
    draft = cast("CaseText", shown.texts[0]) if shown.texts else None
    edits = edits_of(draft.text, text) if draft else None
    WrittenReport.objects.create(
        reading=reading,
        draft=draft,
        text=text,
        reasons=sorted(report.reasons, key=ReportReason.values.index),
        is_accepted=report.is_accepted,
        changed_characters=edits.characters if edits else None,
        changed_words=edits.words if edits else None,
    )
