"""What a reader is told after an answer: the reference answer, and whether theirs meets it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from feedback_app.readings.locks import teaches
from feedback_app.readings.models import Strength, Verdict
from feedback_app.readings.services.given import (
    GivenChoice,
    GivenPreference,
    GivenReading,
    GivenReport,
    GivenScore,
)
from feedback_app.readings.services.shown import Shown
from feedback_app.studies.models import Criterion, CriterionKind, Slot
from feedback_app.studies.report_answers import compare_findings
from feedback_app.studies.services import KnownAnswer, known_answers_of

LETTERS = "ABCDEF"
CLEARLY_POINTS = 5
"""By which a simulated reader prefers the better of two reports."""


@dataclass(frozen=True)
class Compared:
    """One reference answer beside what was given, in words; ``image`` is its letter, or empty."""

    criterion: str
    image: str
    given: str
    expected: str
    is_right: bool


def compare(given: GivenReading, shown: Shown, references: Sequence[KnownAnswer]) -> list[Compared]:
    """Returns a reference answer a line, in the order of the questions and the images as shown."""
    places = {image.pk: place for place, image in enumerate(shown.images)}
    order = list(shown.criteria)
    lines = sorted(
        references, key=lambda one: (order.index(one.criterion.slug), places[one.image.pk])
    )
    return [
        line
        for one in lines
        for line in _lines_of(given, shown, one, place=places[one.image.pk], count=len(places))
    ]


def feedback(compared: Sequence[Compared], *, reason: str = "") -> dict[str, Any]:
    """Returns what the reading page is answered, once the answer is stored."""
    return {
        "right": sum(one.is_right for one in compared),
        "asked": len(compared),
        "reason": reason,
        "answers": [asdict(one) for one in compared],
    }


def reference_reading(shown: Shown, references: Sequence[KnownAnswer]) -> GivenReading:
    """Returns a whole answer that meets the references; what they leave open is answered in the
    middle.
    """
    known = {(one.criterion.slug, one.image.pk): one for one in references}
    scores, choices = [], []
    for slug, criterion in shown.criteria.items():
        named = [place for place, image in enumerate(shown.images) if (slug, image.pk) in known]
        if criterion.is_of_reports:
            continue
        if criterion.kind == CriterionKind.COMPARISON:
            choices.append(
                GivenChoice(slug, Verdict.BETTER, named[0], Strength.CLEARLY)
                if named
                else GivenChoice(slug, Verdict.EQUAL)
            )
            continue
        for place, image in enumerate(shown.images):
            one = known.get((slug, image.pk))
            least = one.least or 0 if one else criterion.score_max // 2
            scores.append(GivenScore(place, slug, least))
    of_reports = {one.criterion.slug: one for one in references}
    return GivenReading(
        scores=scores,
        choices=choices,
        report=_reference_report(shown, of_reports),
        preferences=[
            GivenPreference(slug, _points(shown, of_reports[slug]) if slug in of_reports else 0)
            for slug, criterion in shown.criteria.items()
            if criterion.kind == CriterionKind.PREFERENCE
        ],
    )


def _reference_report(shown: Shown, known: Mapping[str, KnownAnswer]) -> GivenReport | None:
    """Returns the reference itself; where none is known the draft is accepted."""
    asked = [one.slug for one in shown.criteria.values() if one.kind == CriterionKind.REPORT]
    if not asked:
        return None
    draft = shown.texts[0].text if shown.texts else ""
    text = known[asked[0]].text if asked[0] in known else draft or "No finding."
    if text == draft:
        return GivenReport(text, is_accepted=True)
    return GivenReport(text, reasons=["other"] if draft else [])


def _points(shown: Shown, reference: KnownAnswer) -> int:
    """Clearly for the better report, on the side where it stands."""
    towards_right = -1 if shown.texts[0].position == 0 else 1
    return CLEARLY_POINTS * towards_right * (reference.sign or 0)


def gold_feedback(slot: Slot, given: GivenReading) -> dict[str, Any] | None:
    """Returns the known answers of a gold case that was read, where the study wants them told."""
    if not teaches(slot) or given.skip_reason:
        return None
    shown = Shown.of(slot)
    references = [
        answer for answer in known_answers_of(slot.case) if answer.criterion.slug in shown.criteria
    ]
    return feedback(compare(given, shown, references)) if references else None


def _lines_of(
    given: GivenReading, shown: Shown, reference: KnownAnswer, *, place: int, count: int
) -> list[Compared]:
    """Returns one line; of a report one a finding."""
    kind = reference.criterion.kind
    if kind == CriterionKind.REPORT:
        text = given.report.text if given.report else ""
        found = compare_findings(reference.text, text)
        return [Compared(one.finding, "", one.given, one.expected, one.is_right) for one in found]
    if kind == CriterionKind.PREFERENCE:
        return [_compared_points(given, shown, reference)]
    return [_compared(given, reference, place=place, count=count)]


def _compared_points(given: GivenReading, shown: Shown, reference: KnownAnswer) -> Compared:
    """Only which report is better counts, and not by how much."""
    slug = reference.criterion.slug
    points = next((one.points for one in given.preferences if one.criterion == slug), None)
    wanted = _points(shown, reference)
    return Compared(
        criterion=reference.criterion.name,
        image="",
        given="–" if points is None else _side(points),
        expected=_side(wanted),
        is_right=points is not None and _sign(points) == _sign(wanted),
    )


def _side(points: int) -> str:
    return ("the left is better", "equal", "the right is better")[_sign(points) + 1]


def _sign(points: int) -> int:
    return (points > 0) - (points < 0)


def _compared(given: GivenReading, reference: KnownAnswer, *, place: int, count: int) -> Compared:
    criterion = reference.criterion
    if criterion.kind == CriterionKind.COMPARISON:
        choice = next((one for one in given.choices if one.criterion == criterion.slug), None)
        is_better = choice is not None and choice.verdict == Verdict.BETTER
        said = choice.place if choice and is_better else None
        verdict = choice.verdict if choice else None
        return Compared(
            criterion=criterion.name,
            image="",
            given=_better(said) if said is not None else _neither(verdict),
            expected=_better(place),
            is_right=said == place,
        )
    scores = {(one.place, one.criterion): one.value for one in given.scores}
    value = scores.get((place, criterion.slug))
    least, most = reference.least or 0, reference.most or 0
    return Compared(
        criterion=criterion.name,
        image=LETTERS[place] if count > 1 else "",
        given="–" if value is None else _in_words(criterion, value),
        expected=" or ".join(_in_words(criterion, step) for step in range(least, most + 1)),
        is_right=value is not None and least <= value <= most,
    )


def _in_words(criterion: Criterion, value: int) -> str:
    """As the scale shows it: confidence counts from 1."""
    first = 1 if criterion.kind == CriterionKind.CONFIDENCE else 0
    return f"{value + first} {criterion.anchors[value]}"


def _better(place: int) -> str:
    return f"{LETTERS[place]} is better"


def _neither(verdict: str | None) -> str:
    return Verdict(verdict).label if verdict else "–"
