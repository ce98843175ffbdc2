"""What the documents name is there."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
from django.core.management import get_commands

from feedback_app.local.homes import CHECKOUT
from tests.sources import documents, files

PATH = re.compile(r"(?<![\w/.<])[\w.-]*\w(?:/[\w.*-]+)+/?|\b[\w-]+\.(?:py|toml|md|js|html)\b")
ROOTS = ("", "feedback_app", "generation", "static", "templates", "docs", "benchmarks", "tests")
MADE = re.compile(r"OUT/.*|docker/\.env|docs/decisions/|nih/images/.*")
"""What is made in use, and files of a data set."""


def quoted(document: Path) -> str:
    """The words of a document that stand in backticks or in blocks of code."""
    text = document.read_text()
    blocks = re.findall(r"```.*?```", text, flags=re.DOTALL)
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return "\n".join([*inline, *blocks])


def linked(document: Path) -> list[str]:
    """Files that a document links to."""
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", document.read_text())
    return [link for link in links if "://" not in link]


def is_there(name: str, document: Path) -> bool:
    """Whether a path leads there from the document or a top folder; a bare name may be anywhere."""
    if "/" not in name:
        return (
            any(path.endswith(f"/{name}") for path in files(".py", ".js", ".html"))
            or (CHECKOUT / name).exists()
        )
    roots = [document.parent, *(CHECKOUT / root for root in ROOTS)]
    return any(any(root.glob(name.rstrip("/"))) for root in roots)


@pytest.mark.parametrize("document", documents(), ids=lambda path: path.name)
def test_the_files_that_a_document_names_are_there(document: Path) -> None:
    inline = re.findall(r"`([^`\n ]+)`", document.read_text())
    named = {name for name in inline if PATH.fullmatch(name) and not MADE.fullmatch(name)}
    missing = {name for name in named if not is_there(name, document)}
    missing |= {link for link in linked(document) if not (document.parent / link).exists()}
    assert not missing


@pytest.mark.parametrize("document", documents(), ids=lambda path: path.name)
def test_the_commands_that_a_document_names_are_there(document: Path) -> None:
    words = quoted(document)
    targets = set(re.findall(r"^([a-z]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))
    commands = set(re.findall(r"\bmanage\.py ([a-z_]+)", words)) - get_commands().keys()
    made = set(re.findall(r"(?<![\w-])make ([a-z]+)", words)) - targets
    modules = set(re.findall(r"\bpython -m ([\w.]+)", words))
    modules = {module for module in modules if not find_spec(module)}
    assert not commands | made | modules
