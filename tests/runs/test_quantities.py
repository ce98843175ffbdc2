"""How quantities read."""

import pytest

from feedback_app.runs.templatetags.quantities import duration, figure, rate, roughly


@pytest.mark.parametrize(
    ("seconds", "text"), [(7.6, "8 s"), (185, "3 min 05 s"), (7_805, "2 h 10 min"), (None, "–")]
)
def test_durations(seconds: float | None, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("per_s", "text"),
    [
        (8_842.3, "8,842 / s"),
        (12.34, "12.3 / s"),
        (0.5, "30 / min"),
        (0.001, "3.6 / h"),
        (None, "–"),
    ],
)
def test_rates(per_s: float | None, text: str) -> None:
    assert rate(per_s) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.123456, "0.1235"), (12_000, "12,000"), ([1, 2], "2 entries"), (True, "yes"), ("a", "a")],
)
def test_figures(value: object, text: str) -> None:
    assert figure(value) == text


def test_estimates_read_in_minutes_below_an_hour_and_a_half() -> None:
    assert [roughly(hours) for hours in (0, 0.4, 1.49, 1.5)] == [
        "1 min",
        "24 min",
        "89 min",
        "1.5 h",
    ]
