"""The benchmark as a task folder of lmms-eval, and its logs of samples as answers.

A document of the task is a question as it is asked, looking or blind, in the order of
``all_asked``; by its number in that order a line of the log (``--log_samples``) is known again.
Choices are answered in words: the harness's likelihoods do not reach a task of one's own.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from generation.errors import RemediableError
from generation.vlm.benchmark.items import Benchmark, Question, all_asked
from generation.vlm.benchmark.lines import read_line, text_of
from generation.vlm.instructions.looks import open_picture

TASK = "reading_room"
DOCUMENTS, PICTURES, TEMPLATE = "documents.jsonl", "pictures", "lmms_eval_task"
LONGEST_PX = 1_024
NUMBER, SAID = "doc_id", "filtered_resps"


def write_task(benchmark: Benchmark, sources: Mapping[str, Path], folder: Path) -> int:
    """Write YAML, functions, documents and pictures; how many documents."""
    if folder.exists() and any(folder.iterdir()):
        raise RemediableError(f"{folder} is not empty.", remedy="Choose an empty folder.")
    shutil.copytree(Path(__file__).parent / TEMPLATE, folder, dirs_exist_ok=True)
    (folder / PICTURES).mkdir()
    numbers: dict[str, str] = {}
    documents = [
        {
            "id": one.id,
            "blind": is_blind,
            "kind": one.kind,
            "question": one.question,
            "options": list(one.options),
            "answer": one.answer,
            "pictures": [_picture(name, sources, folder, numbers) for name in names],
        }
        for one, is_blind in all_asked(benchmark.questions)
        for names in [one.blind_images if is_blind else one.images]
    ]
    lines = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in documents)
    (folder / DOCUMENTS).write_text(lines, encoding="utf-8")
    return len(documents)


def is_log(text: str) -> bool:
    """Returns whether its first line is one of a log of samples."""
    try:
        row = read_line(text.lstrip("\ufeff \t\r\n").partition("\n")[0])
    except (ValueError, TypeError):
        return False
    return NUMBER in row and SAID in row


def answers_of(text: str, benchmark: Benchmark) -> str:
    """Returns a log of samples as the lines that ``read_answers`` reads; another task's is
    refused.
    """
    asked = all_asked(benchmark.questions)
    lines = text.lstrip("\ufeff").split("\n")  # a text may hold other ends of lines
    return "".join(
        json.dumps(_answer(line, asked, number=number), ensure_ascii=False) + "\n"
        for number, line in enumerate(lines, start=1)
        if line.strip()
    )


def _answer(line: str, asked: Sequence[tuple[Question, bool]], *, number: int) -> dict[str, Any]:
    try:
        row = read_line(line)
        one, is_blind = asked[int(row[NUMBER])]
        said = _text(row[SAID])
    except (ValueError, OverflowError, KeyError, IndexError, TypeError) as error:
        raise _refusal(number, f"is no sample of this task: {error!r}") from error
    if str(row.get("target")) != one.answer:
        raise _refusal(number, f"has another target than question {one.id!r}")
    return {"id": one.id, "blind": is_blind, "answer": said}


def _text(said: Any) -> str:
    """Returns one answer; the harness takes it out of lists of one, by version."""
    while isinstance(said, list) and len(said) == 1:
        said = said[0]
    if not isinstance(said, str):
        raise TypeError("several answers to one question")
    return text_of(said)


def _picture(name: str, sources: Mapping[str, Path], folder: Path, numbers: dict[str, str]) -> str:
    """Its name in the folder: a number, which tells nothing of the patient."""
    if name not in numbers:
        numbers[name] = f"{PICTURES}/{len(numbers)}.png"
        source, _, place = name.partition("/")
        picture = open_picture(sources[source] / place).convert("L")
        picture.thumbnail((LONGEST_PX, LONGEST_PX), Image.Resampling.BILINEAR)
        picture.save(folder / numbers[name])
    return numbers[name]


def _refusal(number: int, what: str) -> RemediableError:
    return RemediableError(
        f"Line {number} of the log {what}.",
        remedy="Bring the log of samples of the task folder that was written of this benchmark.",
    )
