"""Where the pictures of instructions lie."""

import json
from pathlib import Path

from generation.errors import RemediableError


def picture_folders(instructions: Path) -> dict[str, Path]:
    """Returns the folder of each source that the instructions were built from; some lie within
    theirs.
    """
    try:
        plan = json.loads((instructions / "plan.json").read_text(encoding="utf-8"))
        return {name: _found(instructions, folder) for name, folder in plan["folders"].items()}
    except (OSError, ValueError, KeyError, AttributeError) as error:
        raise RemediableError(
            f"{instructions} does not say where its pictures lie: {error!r}",
            remedy="Build the instructions with manage.py build_instructions.",
        ) from error


def _found(instructions: Path, folder: str) -> Path:
    within = instructions / folder
    return within if within.is_dir() else Path(folder)
