"""How the project speaks: docstrings are sentences, and a person is "they"."""

import ast
import re
from collections.abc import Iterator

from feedback_app.local.homes import CHECKOUT
from tests.sources import files

PERSONS = re.compile(
    r"(?<![^\W_])(?:she|he|hers?|his|him|herself|himself)(?![^\W_])", re.IGNORECASE
)


def docstrings(path: str) -> Iterator[str]:
    """Those of modules, classes and functions, and those below what they describe."""
    for node in ast.walk(ast.parse((CHECKOUT / path).read_text())):
        if isinstance(node, ast.Expr):
            text = getattr(node.value, "value", None)
            if isinstance(text, str):
                yield text.strip()


def test_no_docstring_begins_with_of() -> None:
    found = {
        f"{path}: {text.splitlines()[0]}"
        for path in files(".py")
        for text in docstrings(path)
        if text.startswith("Of ")
    }
    assert not found, "\n".join(["Say who does what:", *sorted(found)])


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
