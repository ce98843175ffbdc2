"""What neither PostgreSQL nor UTF-8 can hold, told at one place for pages, API and commands."""

import re

from generation.errors import RemediableError

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""NUL, and halves of characters that JSON escapes or file names of other codes leave behind."""

UNSTORABLE = "This holds characters that no text has (NUL, or half of a character)."


def is_storable(text: str) -> bool:
    return _UNSTORABLE.search(text) is None


def as_kept(text: str) -> str:
    """Returns a text with the line ends of browsers and without blank ends, so that two can be
    equal.
    """
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def problem_of_text(text: str, *, most: int) -> tuple[str, str] | None:
    """Returns what keeps a text from being kept, in words after its name, and what to do about
    it.
    """
    if not is_storable(text):
        return "holds characters that no text has.", "Remove NUL and halves of characters."
    if len(text) > most:
        return f"has {len(text):,} characters.", f"Shorten it to {most:,}."
    return None


def require_storable_arguments(arguments: list[str]) -> None:
    """Refuse a command line that could not be kept, naming the argument."""
    for argument in arguments:
        if not is_storable(argument):
            raise RemediableError(
                f"The argument {argument!r} is no UTF-8 text.",
                remedy="Rename the file, or write the argument in UTF-8.",
            )
