"""Study modes: each is one class that says all by which its studies differ from others.

``mode_of(study.mode)`` is the one way from a study, or from a design, to its mode. Whoever
needs to know something of a mode asks it; nobody else asks which mode it is.
"""

from feedback_app.studies.modes.base import Mode
from feedback_app.studies.modes.compare import Compare
from feedback_app.studies.modes.compare_reports import CompareReports
from feedback_app.studies.modes.rate import Rate
from feedback_app.studies.modes.rate_k import RateSeveral
from feedback_app.studies.modes.real_or_synthetic import RealOrSynthetic
from feedback_app.studies.modes.write_report import WriteReport
from generation.errors import RemediableError

MODES: dict[str, Mode] = {
    mode.slug: mode
    for mode in (
        Rate(),
        RateSeveral(),
        Compare(),
        RealOrSynthetic(),
        WriteReport(),
        CompareReports(),
    )
}
"""Every mode by its slug, in the order in which a coordinator is offered them."""

DEFAULT_MODE = RateSeveral.slug

__all__ = [
    "DEFAULT_MODE",
    "MODES",
    "Compare",
    "CompareReports",
    "Mode",
    "Rate",
    "RateSeveral",
    "RealOrSynthetic",
    "WriteReport",
    "mode_choices",
    "mode_of",
]


def mode_of(slug: str) -> Mode:
    mode = MODES.get(slug)
    if mode is None:
        raise RemediableError(
            f"“{slug}” is no mode of a study.", remedy=f"Choose one of {', '.join(MODES)}."
        )
    return mode


def mode_choices() -> list[tuple[str, str]]:
    """Returns slugs and labels; migrations name this function, so that a new mode needs none."""
    return [(mode.slug, mode.label) for mode in MODES.values()]
