"""Figures in words: what the page says first, and what a plot says to who cannot see it."""

from feedback_app.charts.numbers import DASH, p_value, percent, percent_interval, with_interval
from feedback_app.results.figures import Figures
from feedback_app.results.score_figures import ScoreFigures
from feedback_app.results.sources import DetectionFigures
from feedback_app.statistics.proportions import Equivalence

AGREEMENT_WORDS = (
    (0.0, "less than by chance"),
    (0.2, "slightly"),
    (0.4, "fairly"),
    (0.6, "moderately"),
    (0.8, "substantially"),
    (1.01, "almost perfectly"),
)
"""Landis and Koch, Biometrics 33 (1977) 159-174; the upper end of each."""


def in_words(alpha: float) -> str:
    return next(word for end, word in AGREEMENT_WORDS if alpha <= end)


def agreement_sentence(figures: ScoreFigures) -> str:
    alpha = figures.agreement.alpha
    if not alpha.is_known:
        return f"agreement is not known: {alpha.reason}."
    cases = f"{alpha.count} shared case{'' if alpha.count == 1 else 's'}"
    return f"readers agree {in_words(alpha.value)}: alpha {with_interval(alpha)} over {cases}."


def detection_sentence(figures: DetectionFigures) -> str:
    """Readers together: told apart, equivalent to chance, or neither shown."""
    auc, accuracy = figures.overall.auc, figures.overall.accuracy
    if not auc.is_known:
        return f"whether readers tell real from synthetic is not known: {auc.reason}."
    said = (
        f"accuracy {percent(accuracy.value)} ({percent_interval(accuracy)}), "
        f"AUC {with_interval(auc)}"
    )
    if auc.has_interval and auc.low > 0.5:
        return f"readers tell synthetic from real: {said}."
    if figures.overall.equivalence and figures.overall.equivalence.is_shown:
        return f"readers do no better than guessing, shown by an equivalence test: {said}."
    return (
        f"neither shown to tell real from synthetic nor to be guessing: {said}. "
        "More readings would decide it."
    )


def equivalence(tested: Equivalence | None) -> str:
    if tested is None:
        return DASH
    verdict = "like guessing" if tested.is_shown else "not shown"
    return f"{verdict} ({p_value(tested.p_value)})"


def agreement_advice(figures: Figures, *, can_be_shared: bool) -> str:
    """Returns what to do where no case is shared; empty where some are."""
    if any(one.shared for one in figures.scores) or not figures.scores:
        return ""
    if can_be_shared:
        return (
            "No case has been read by two readers yet. Agreement and leniency appear as soon "
            "as readers meet on the same cases."
        )
    return (
        "No case goes to two readers in this design, so agreement and leniency cannot be told "
        "from differences between images. Give 15 to 20 % of the cases to two readers or more, "
        "or set shared anchor cases, in the next study’s design."
    )


def simulated_note(figures: Figures) -> str:
    """Returns which kind of reader is being shown, where that is not plainly people alone."""
    if figures.is_simulated:
        return "All of these readings are simulated: no person has read these cases."
    if figures.left_out:
        return f"{figures.left_out} simulated readings are left out: these are figures of people."
    return ""
