"""How the project speaks: a person is "they"."""

import re

from feedback_app.local.homes import CHECKOUT
from tests.sources import files

PERSONS = re.compile(r"\b(?:she|he|hers?|his|him|herself|himself)\b", re.IGNORECASE)


def test_nobody_is_she_or_he() -> None:
    this = "tests/test_words.py"
    found = {
        f"{path}:{number}: {line.strip()}"
        for path in files(".py", ".js", ".html")
        if path != this
        for number, line in enumerate((CHECKOUT / path).read_text().splitlines(), 1)
        if PERSONS.search(line)
    }
    assert not found, "\n".join(['A person is "they":', *sorted(found)])
