"""How lengths of time, rates and figures read on a page."""

from django import template

UNKNOWN = "\N{EN DASH}"

register = template.Library()


@register.filter
def duration(seconds: float | None) -> str:
    """Returns ``8 s``, ``3 min 05 s``, ``2 h 10 min``."""
    if seconds is None:
        return UNKNOWN
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


@register.filter
def roughly(hours: float) -> str:
    """Returns ``1 min``, ``24 min``, ``3.2 h``: as exactly as an estimate is."""
    return f"{hours:.1f} h" if hours >= 1.5 else f"{max(1, round(60 * hours))} min"


@register.filter
def rate(per_s: float | None) -> str:
    """Per second, or where that is slow per minute or hour."""
    if per_s is None:
        return UNKNOWN
    for factor, unit in ((1, "s"), (60, "min"), (3600, "h")):
        if (count := per_s * factor) >= 1 or unit == "h":
            return f"{count:,.0f} / {unit}" if count >= 100 else f"{count:.3g} / {unit}"
    raise AssertionError


@register.filter
def figure(value: object) -> str:
    """Returns a number short, a list or a mapping by its length."""
    match value:
        case bool() | None:
            return {True: "yes", False: "no", None: UNKNOWN}[value]
        case float():
            return f"{value:.4g}"
        case int():
            return f"{value:,}"
        case list() | dict():
            return f"{len(value):,} entries"
    return str(value)
