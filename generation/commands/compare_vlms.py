"""python -m generation.commands.compare_vlms RUN_DIR: a VLM and its parent on held-out reports."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from generation.commands.run_folder import RunFolder, run_command
from generation.specs import VlmComparisonSpec
from generation.vlm.model.preference_answers import answer_lessons
from generation.vlm.model.preferring import read_lessons
from generation.vlm.model.vlms import load_vlm


def work(folder: RunFolder) -> Mapping[str, Any]:
    """Write RUN_DIR/child.jsonl and RUN_DIR/parent.jsonl, a line a lesson."""
    spec = folder.spec(VlmComparisonSpec)
    lessons = read_lessons(Path(spec.lessons))
    for number, (side, name) in enumerate((("child", spec.child), ("parent", spec.parent))):
        vlm = load_vlm(name)

        def report(done: int, *, before: int = number * len(lessons), side: str = side) -> None:
            folder.report(before + done, 2 * len(lessons), f"Asking the {side}")

        answer_lessons(vlm, lessons, folder.path / f"{side}.jsonl", report=report)
    return {"lessons": len(lessons)}


def main() -> int:
    return run_command(work, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
