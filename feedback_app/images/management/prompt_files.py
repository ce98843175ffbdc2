"""Prompts that commands are given in a file."""

from pathlib import Path

from feedback_app.images.candidates.batches import split_prompts
from generation.errors import RemediableError


def read_prompt_file(path: Path) -> list[str]:
    """One prompt a line."""
    try:
        return split_prompts(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise RemediableError(
            f"{path} cannot be read: {error}",
            remedy="Name a text file in UTF-8 with one prompt a line.",
        ) from error
