"""python -m generation.commands.write_drafts RUN_DIR: a VLM writes a report of each picture.

Each report is written down as it is there, so that a run that is stopped goes on behind it.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from generation.commands.run_folder import RunFolder, run_command
from generation.errors import RemediableError
from generation.specs import DraftsSpec
from generation.vlm.model.vlms import Asked, OwnVlm, load_vlm

LINES = "drafts.jsonl"


def write_drafts(folder: RunFolder) -> Mapping[str, Any]:
    """Returns a line a picture: its hash and what the VLM wrote, always its likeliest words."""
    spec = folder.spec(DraftsSpec)
    lines = folder.path / LINES
    known = _whole_lines(lines)
    missing = [sha256 for sha256 in spec.pictures if sha256 not in known]
    if missing:
        vlm = load_vlm(spec.vlm)
        if isinstance(vlm, OwnVlm):
            raise RemediableError(
                f"{spec.vlm} cannot write findings in sentences.",
                remedy="Name a VLM of the hub's size.",
            )
        with lines.open("a", encoding="utf-8") as written:
            for done, sha256 in enumerate(missing, start=len(known)):
                folder.report(done, len(spec.pictures), "Writing reports")
                asked = Asked(question=spec.question, pictures=(_read(spec.pictures[sha256]),))
                (text,) = vlm.write([asked], longest=spec.longest)
                written.write(json.dumps({"image": sha256, "text": text}) + "\n")
                written.flush()
    return {"written": len(spec.pictures)}


def _whole_lines(path: Path) -> set[str]:
    """Returns the pictures that were written about; a line that broke off is taken away."""
    if not path.is_file():
        return set()
    whole = list(_lines(path.read_text(encoding="utf-8")))
    path.write_text("".join(f"{json.dumps(line)}\n" for line in whole), encoding="utf-8")
    return {line["image"] for line in whole}


def _lines(content: str) -> Iterator[dict[str, str]]:
    """ASCII alone is written, so that a break is never within a character."""
    for line in content.splitlines(keepends=True):
        if line.endswith("\n"):
            yield json.loads(line)


def _read(path: str) -> np.ndarray[Any, Any]:
    with Image.open(Path(path)) as picture:
        return np.asarray(picture.convert("L"))


def main() -> int:
    return run_command(write_drafts, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
