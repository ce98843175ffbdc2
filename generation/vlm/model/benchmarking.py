"""A VLM answers a frozen benchmark, looking and blind; its answers are lines like anybody's."""

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from generation.vlm.benchmark.items import Question
from generation.vlm.model.seen import read_picture
from generation.vlm.model.vlms import Asked, Vlm

AT_ONCE = 32
KEPT_PICTURES = 256


def answer(
    vlm: Vlm, questions: Sequence[Question], folders: Mapping[str, Path]
) -> Iterator[dict[str, Any]]:
    """A line a question, and one more where it can be asked with another patient's pictures.

    Choices are answered by likelihood in every order of their options, all else in words.
    """

    @lru_cache(KEPT_PICTURES)
    def look(name: str) -> np.ndarray[Any, Any]:
        return read_picture(name, folders)

    asked = [(one, is_blind) for one in questions
             for is_blind in ((False, True) if one.blind_images else (False,))]  # fmt: skip
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
    vlm: Vlm, questions: Sequence[Question], folders: Mapping[str, Path], path: Path
) -> int:
    """Write JSON lines as ``read_answers`` reads them; how many."""
    count = 0
    with path.open("w", encoding="utf-8") as lines:
        for line in answer(vlm, questions, folders):
            lines.write(json.dumps(line, ensure_ascii=False) + "\n")
            count += 1
    return count


def _worded(one: Question, is_blind: bool, *, look: Any) -> Asked:
    names = one.blind_images if is_blind else one.images
    return Asked(question=one.question, options=one.options,
                 pictures=tuple(look(name) for name in names))  # fmt: skip
