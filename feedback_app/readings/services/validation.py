"""Whether what was given answers what was asked: all of it, and nothing else."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from feedback_app.readings.errors import InvalidReading
from feedback_app.readings.framing import Size
from feedback_app.readings.models import Grade, Shape, SkipReason, Strength, Verdict
from feedback_app.readings.services.given import (
    GivenChoice,
    GivenFlag,
    GivenReading,
    GivenRegion,
    GivenScore,
)
from feedback_app.readings.services.reports import validate_reports
from feedback_app.readings.services.shown import Shown
from feedback_app.studies.models import Criterion, CriterionKind
from feedback_app.studies.modes import mode_of
from feedback_app.text import problem_of_text

COMMENT_MAX = 2_000
ACTIVE_MS_MAX = 24 * 3600 * 1000
REGIONS_MAX = 32
POLYGON_POINTS = (3, 200)
WINDOWS_MAX = 64
ZOOM_MAX = 1_000
WINDOW_LIMIT = 100_000
"""Level and width stay below it, in grey values of the picture; no tool meets it."""
DISPLAY_KEYS = frozenset({"windows", "max_zoom", "inverted_ms"})
WINDOW_KEYS = frozenset({"level", "width", "ms"})


def validate(given: GivenReading, shown: Shown) -> None:
    """Raise ``InvalidReading`` for the first thing that is wrong."""
    _validate_rest(given)
    _validate_flags(given.flags, shown)
    if given.skip_reason:
        _validate_skip(given)
        return
    comparisons = _of_kinds(shown, {CriterionKind.COMPARISON})
    scales = _of_kinds(shown, {CriterionKind.ORDINAL, CriterionKind.CONFIDENCE})
    _validate_scores(given.scores, places=len(shown.images), criteria=scales)
    _validate_choices(given.choices, places=len(shown.images), criteria=comparisons)
    validate_reports(given, shown)
    if given.none_acceptable and not mode_of(shown.study.mode).asks_none_acceptable:
        raise InvalidReading(
            "“None acceptable” is asked only where several images are rated.",
            remedy="Reload the case.",
        )


def _of_kinds(shown: Shown, kinds: set[CriterionKind]) -> dict[str, Criterion]:
    return {slug: found for slug, found in shown.criteria.items() if found.kind in kinds}


def _validate_skip(given: GivenReading) -> None:
    if given.skip_reason not in SkipReason.values:
        raise InvalidReading(
            f"“{given.skip_reason}” is no reason to skip a case.",
            remedy=f"Choose one of {', '.join(value for value in SkipReason.values if value)}.",
        )
    answers = (given.scores, given.choices, given.none_acceptable, given.report)
    if any(answers) or given.preferences:
        raise InvalidReading(
            "The case is skipped and answered.", remedy="Take back the answers, or the skip."
        )
    if given.skip_reason == SkipReason.OTHER and not given.comment.strip():
        raise InvalidReading(
            "Another reason to skip is not named.", remedy="Say in the comment what it is."
        )


def _validate_scores(
    scores: Sequence[GivenScore], *, places: int, criteria: Mapping[str, Criterion]
) -> None:
    wanted = {(place, slug) for place in range(places) for slug in criteria}
    given = [(score.place, score.criterion) for score in scores]
    for place, slug in given:
        if (place, slug) not in wanted:
            raise InvalidReading(
                f"Image {place} has no criterion “{slug}” to be scored in this case.",
                remedy="Reload the case.",
            )
    if len(given) != len(set(given)):
        raise InvalidReading("An image is scored twice.", remedy="Give one score a criterion.")
    if missing := wanted - set(given):
        raise InvalidReading(
            f"{len(missing)} of {len(wanted)} scores are missing.",
            remedy="Score every image on every criterion.",
        )
    for score in scores:
        most = criteria[score.criterion].score_max
        if type(score.value) is not int or not 0 <= score.value <= most:
            raise InvalidReading(
                f"{score.value!r} is no score of “{score.criterion}”.",
                remedy=f"Score with whole numbers 0 to {most}.",
            )


def _validate_choices(
    choices: Sequence[GivenChoice], *, places: int, criteria: Mapping[str, Criterion]
) -> None:
    given = [choice.criterion for choice in choices]
    for slug in given:
        if slug not in criteria:
            raise InvalidReading(f"The case has no comparison “{slug}”.", remedy="Reload the case.")
    if len(given) != len(set(given)):
        raise InvalidReading(
            "A comparison is answered twice.", remedy="Give one choice a criterion."
        )
    if missing := len(criteria) - len(given):
        raise InvalidReading(
            f"{missing} of {len(criteria)} choices are missing.",
            remedy="Choose on every criterion.",
        )
    for choice in choices:
        _validate_choice(choice, places=places)


def _validate_choice(choice: GivenChoice, *, places: int) -> None:
    if choice.verdict not in Verdict.values:
        raise InvalidReading(
            f"“{choice.verdict}” is no verdict.",
            remedy=f"Choose one of {', '.join(Verdict.values)}.",
        )
    if choice.verdict != Verdict.BETTER:
        if choice.place is not None or choice.strength is not None:
            raise InvalidReading(
                f"The verdict “{choice.verdict}” names an image or a strength.",
                remedy="Leave both out, or choose one image as better.",
            )
        return
    if type(choice.place) is not int or not 0 <= choice.place < places:
        raise InvalidReading(
            f"Image {choice.place} is not in this case.", remedy="Choose one of its images."
        )
    if type(choice.strength) is not int or choice.strength not in Strength.values:
        raise InvalidReading(
            f"{choice.strength!r} is no strength of a preference.",
            remedy="Say how much better: 1 slightly, 2 clearly, 3 much.",
        )


def _validate_flags(flags: Sequence[GivenFlag], shown: Shown) -> None:
    for flag in flags:
        if flag.flag not in shown.kinds or not 0 <= flag.place < len(shown.images):
            raise InvalidReading(
                f"The study has no flag “{flag.flag}” for image {flag.place}.",
                remedy="Reload the case.",
            )
        if flag.grade not in Grade.values:
            raise InvalidReading(
                f"A flag is minor or major, not “{flag.grade}”.", remedy="Choose one of the two."
            )
        if len(flag.regions) > REGIONS_MAX:
            raise InvalidReading(
                f"A flag has {len(flag.regions)} regions.",
                remedy=f"Mark {REGIONS_MAX} at most.",
            )
        for region in flag.regions:
            _validate_region(region, size=shown.framings[flag.place].served)
    given = [(flag.place, flag.flag) for flag in flags]
    if len(given) != len(set(given)):
        raise InvalidReading("A flag is given twice.", remedy="Give each flag once an image.")


def _validate_region(region: GivenRegion, *, size: Size) -> None:
    points = region.points
    if region.shape not in Shape.values:
        raise InvalidReading(
            f"A region is a box or a polygon, not “{region.shape}”.", remedy="Draw it again."
        )
    for point in points:
        if len(point) != 2 or not all(_is_number(value) for value in point):
            raise InvalidReading(
                f"{list(point)!r} is no point.", remedy="Give every point as [x, y]."
            )
        x, y = point
        if not (0 <= x <= size.width and 0 <= y <= size.height):
            raise InvalidReading(
                f"The point ({x:g}, {y:g}) is outside the image, "
                f"which has {size.width} x {size.height} pixels.",
                remedy="Draw the region inside the image.",
            )
    if region.shape == Shape.BOX:
        _validate_box(points)
    else:
        _validate_polygon(points)


def _validate_box(points: Sequence[tuple[float, float]]) -> None:
    is_box = len(points) == 2 and all(
        first < second for first, second in zip(points[0], points[1], strict=True)
    )
    if not is_box:
        raise InvalidReading(
            "A box has two points: its top left and its bottom right corner.",
            remedy="Draw the box again.",
        )


def _validate_polygon(points: Sequence[tuple[float, float]]) -> None:
    least, most = POLYGON_POINTS
    if not least <= len(points) <= most:
        raise InvalidReading(
            f"A polygon of {len(points)} points was drawn.",
            remedy=f"Draw it with {least} to {most} points.",
        )
    if _area(points) == 0:
        raise InvalidReading(
            "A polygon has no area.", remedy="Draw it around what you want to mark."
        )


def _area(points: Sequence[tuple[float, float]]) -> float:
    """Returns twice the signed area, by the shoelace formula."""
    closed = [*points, points[0]]
    return sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in pairwise(closed))


def _validate_rest(given: GivenReading) -> None:
    if problem := problem_of_text(given.comment, most=COMMENT_MAX):
        said, remedy = problem
        raise InvalidReading(f"The comment {said}", remedy=remedy)
    if type(given.active_ms) is not int or not _is_duration(given.active_ms):
        raise InvalidReading(f"{given.active_ms} ms is no reading time.", remedy="Reload the case.")
    if given.display:
        _validate_display(given.display)


def _validate_display(display: Mapping[str, Any]) -> None:
    """``{"windows": [{"level", "width", "ms"}], "max_zoom", "inverted_ms"}``, or parts of it."""
    windows = display.get("windows", [])
    max_zoom = display.get("max_zoom", 1)
    is_valid = (
        set(display) <= DISPLAY_KEYS
        and isinstance(windows, list)
        and len(windows) <= WINDOWS_MAX
        and all(_is_window(window) for window in windows)
        and _is_number(max_zoom)
        and 0 <= max_zoom <= ZOOM_MAX
        and _is_duration(display.get("inverted_ms", 0))
    )
    if not is_valid:
        raise InvalidReading(
            "The display settings are not as the reading page sends them.",
            remedy=f"Send up to {WINDOWS_MAX} windows of level, width and ms, "
            "max_zoom and inverted_ms; or leave them out.",
        )


def _is_window(window: object) -> bool:
    if not isinstance(window, Mapping) or set(window) != WINDOW_KEYS:
        return False
    return (
        _are_numbers(window["level"], window["width"])
        and abs(window["level"]) <= WINDOW_LIMIT
        and 0 < window["width"] <= WINDOW_LIMIT
        and _is_duration(window["ms"])
    )


def _is_duration(value: object) -> bool:
    return _is_number(value) and 0 <= value <= ACTIVE_MS_MAX  # type: ignore[operator]


def _is_number(value: object) -> bool:
    return type(value) in {int, float} and math.isfinite(value)  # type: ignore[arg-type]


def _are_numbers(*values: object) -> bool:
    return all(map(_is_number, values))
