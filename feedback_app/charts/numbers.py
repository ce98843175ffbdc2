"""Figures in words."""

import numpy as np

from feedback_app.statistics.bootstrap import Estimate

DASH = "–"


def figure(value: float, *, digits: int = 2) -> str:
    """Returns no minus before a zero, which what is rounded may leave."""
    return DASH if np.isnan(value) else f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def signed(value: float, *, digits: int = 2) -> str:
    return DASH if np.isnan(value) else f"{value:+.{digits}f}".replace("-", "−")


def percent(value: float) -> str:
    return DASH if np.isnan(value) else f"{100 * value:.0f} %"


def interval(estimate: Estimate, *, digits: int = 2) -> str:
    if not estimate.has_interval:
        return ""
    return f"{figure(estimate.low, digits=digits)} to {figure(estimate.high, digits=digits)}"


def percent_interval(estimate: Estimate) -> str:
    if not estimate.has_interval:
        return ""
    return f"{100 * estimate.low:.0f} to {100 * estimate.high:.0f} %"


def with_interval(estimate: Estimate, *, digits: int = 2) -> str:
    """Returns ``0.41 (0.32 to 0.50)``, or the dash with its reason."""
    if not estimate.is_known:
        return f"{DASH} ({estimate.reason})" if estimate.reason else DASH
    within = interval(estimate, digits=digits)
    return figure(estimate.value, digits=digits) + (f" ({within})" if within else "")


def p_value(value: float) -> str:
    if np.isnan(value):
        return DASH
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"
