"""Prompts that commands are given in a file."""

from pathlib import Path

from generation.conditioning.prompt_files import require_prompts
from generation.errors import RemediableError


def read_prompt_file(path: Path) -> list[str]:
    """Returns one prompt a line, or a table; a file with a row of no use is refused, naming it."""
    try:
        return require_prompts(path.read_text(encoding="utf-8-sig"), name=path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise RemediableError(
            f"{path} cannot be read: {error}",
            remedy="Name a text file in UTF-8 with one prompt a line.",
        ) from error
