"""A VLM answers a frozen benchmark, looking and blind; its answers are lines like anybody's."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from generation.vlm.benchmark.items import Question, all_asked
from generation.vlm.model.seen import read_picture
from generation.vlm.model.vlms import Asked, Vlm

AT_ONCE = 32
KEPT_PICTURES = 256

Report = Callable[[int, int], None]
"""Called with answers written, and answers in all."""


def answer(
    vlm: Vlm,
    questions: Sequence[Question],
    folders: Mapping[str, Path],
    *,
    known: Collection[tuple[str, bool]] = (),
) -> Iterator[dict[str, Any]]:
    """Yields a line a question, and one more where it can be asked with another patient's pictures.

    Choices are answered by likelihood in every order of their options, all else in words; what
    is ``known`` is not asked again.
    """

    @lru_cache(KEPT_PICTURES)
    def look(name: str) -> np.ndarray[Any, Any]:
        return read_picture(name, folders)

    asked = [pair for pair in all_asked(questions) if (pair[0].id, pair[1]) not in known]
    for start in range(0, len(asked), AT_ONCE):
        part = asked[start : start + AT_ONCE]
        choices = [pair for pair in part if pair[0].kind == "choice"]
        scores = iter(vlm.scores([_worded(*pair, look=look) for pair in choices]))
        for one, is_blind in part:
            line: dict[str, Any] = {"id": one.id, "blind": is_blind}
            if one.kind == "choice":
                yield line | {"scores": next(scores)}
            else:
                yield line | {"answer": vlm.write([_worded(one, is_blind, look=look)])[0]}


def write_answers(
    vlm: Vlm,
    questions: Sequence[Question],
    folders: Mapping[str, Path],
    path: Path,
    *,
    report: Report = lambda *_: None,
) -> int:
    """Write JSON lines as ``read_answers`` reads them; how many.

    What a process that was killed has written is kept, and asked no more.
    """
    known = _take_up(path)
    total, count = len(all_asked(questions)), len(known)
    with path.open("a", encoding="utf-8") as lines:
        for line in answer(vlm, questions, folders, known=known):
            lines.write(json.dumps(line, ensure_ascii=False) + "\n")
            count += 1
            if count % AT_ONCE == 0:
                lines.flush()
                report(count, total)
    report(total, total)
    return count


def _take_up(path: Path) -> set[tuple[str, bool]]:
    """Returns the answers that are there already, without what was left of a line."""
    whole = []
    if path.is_file():
        whole = [line for line in path.read_text(encoding="utf-8").splitlines(keepends=True)
                 if line.endswith("\n")]  # fmt: skip
    path.write_text("".join(whole), encoding="utf-8")
    rows = [json.loads(line) for line in whole]
    return {(row["id"], row["blind"]) for row in rows}


def _worded(one: Question, is_blind: bool, *, look: Any) -> Asked:
    names = one.blind_images if is_blind else one.images
    return Asked(question=one.question, options=one.options,
                 pictures=tuple(look(name) for name in names))  # fmt: skip
