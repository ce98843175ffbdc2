"""The files of the project, for tests that read them."""

from pathlib import Path

from feedback_app.local.homes import CHECKOUT

FOLDERS = ("benchmarks", "feedback_app", "generation", "static/js", "templates", "tests")


def files(*suffixes: str) -> list[str]:
    """Paths of what people wrote; migrations stay as they were made."""
    found = (path for folder in FOLDERS for path in (CHECKOUT / folder).rglob("*"))
    return sorted(
        str(path.relative_to(CHECKOUT))
        for path in found
        if path.suffix in suffixes and "migrations" not in path.parts
    )


def code() -> list[str]:
    return files(".py", ".js")


def documents() -> list[Path]:
    """What a newcomer reads; the decisions and changes tell of what was."""
    return [CHECKOUT / "README.md", *CHECKOUT.glob("CONTRIBUTING.md"), *CHECKOUT.glob("docs/*.md")]
