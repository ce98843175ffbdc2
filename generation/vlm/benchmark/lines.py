"""Lines of JSON that people bring: one object each, of what can be kept."""

import json
import math
import re
from typing import Any

NO_TEXT = re.compile("[\x00\ud800-\udfff]")
"""NUL, and halves of characters that JSON's escapes leave behind."""


def read_line(line: str) -> dict[str, Any]:
    """Returns the object of a line; raises ValueError, in words, for whatever else stands there."""
    try:
        row = json.loads(line)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except ValueError as error:
        raise ValueError(f"it is no JSON ({error})") from error
    if not isinstance(row, dict):
        raise TypeError("it is no JSON object")
    return row


def text_of(value: object) -> str:
    """Returns the text that a value is, numbers among them; raises ValueError where it is none."""
    if value is None:
        return ""
    if not isinstance(value, str | int | float):
        raise TypeError("its answer is no text")
    if NO_TEXT.search(text := str(value)):
        raise ValueError("its answer has characters that no text has (NUL, or half of one)")
    return text


def number_of(value: object) -> float:
    """Returns a log likelihood, which may be minus infinity; raises ValueError for all other
    texts.
    """
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError("it has a score that is no number") from error
    if math.isnan(number) or number == math.inf:
        raise ValueError("it has a score that is no number, or without end")
    return number
