"""What can and cannot be concluded from a gain, in words."""

from enum import StrEnum

from feedback_app.experiments.statistics.gains import Gain
from feedback_app.experiments.statistics.predictions import MIN_PATIENTS, MIN_SEEDS

ALPHA = 0.05


class Finding(StrEnum):
    GAIN = "gain"
    LOSS = "loss"
    NOT_SHOWN = "not shown"
    TOO_FEW = "too few"


LABELS = {
    Finding.GAIN: "gain",
    Finding.LOSS: "worse",
    Finding.NOT_SHOWN: "no gain shown",
    Finding.TOO_FEW: "too few to tell",
}


def finding_of(gain: Gain, *, p_value: float) -> Finding:
    """By a p-value that is corrected already; worse where the whole interval lies below zero."""
    if not gain.is_enough or not gain.is_known or gain.low != gain.low:
        return Finding.TOO_FEW
    if p_value < ALPHA:
        return Finding.GAIN
    return Finding.LOSS if gain.high < 0 else Finding.NOT_SHOWN


def conclude(gain: Gain, *, p_value: float, arm: str, reference: str, metric: str) -> str:
    """Returns one or two sentences; ``arm`` and ``reference`` as they are named on screen."""
    found = finding_of(gain, p_value=p_value)
    if found == Finding.TOO_FEW:
        return f"{_lack(gain)} Nothing can be concluded about “{arm}” against “{reference}”."
    between = f"between {signed(gain.low)} and {signed(gain.high)}"
    about = f"{metric} of “{arm}” against “{reference}”: {signed(gain.value)}"
    match found:
        case Finding.GAIN:
            return (
                f"{about}. It is better: the gain lies {between} with 95 % confidence, for "
                "other patients and other seeds too."
            )
        case Finding.LOSS:
            return f"{about}. It is worse: the difference lies {between} with 95 % confidence."
    return (
        f"{about}. Neither a gain nor its absence is shown: the true difference may lie anywhere "
        f"{between}. {_ruled_out(gain)}"
    )


def with_others(*, p_corrected: float, comparisons: int) -> str:
    """Returns what the primary comparison would be worth if it were one among all."""
    if comparisons < 2:
        return ""
    if p_corrected < ALPHA:
        return f"It stands, too, corrected for all {comparisons} comparisons."
    return (
        f"Named before the run, it is judged by itself; corrected for all {comparisons} "
        f"comparisons, it would not stand (p = {p_corrected:.3f})."
    )


def _lack(gain: Gain) -> str:
    if gain.seeds < MIN_SEEDS:
        return f"{gain.seeds} seed{'s' * (gain.seeds != 1)}, and {MIN_SEEDS} are the least."
    if gain.patients < MIN_PATIENTS:
        return f"{gain.patients} test patients, and {MIN_PATIENTS} are the least."
    return "The figure is not defined on these test images."


def _ruled_out(gain: Gain) -> str:
    if gain.high <= 0:
        return "A gain of any size can be ruled out."
    return f"A gain above {gain.high:.3f} can be ruled out."


def signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "\N{MINUS SIGN}")
