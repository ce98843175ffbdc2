"""Questions of clinicians on pictures: VQA-RAD and SLAKE."""

import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from generation.datasets.files import is_plain_path
from generation.datasets.parsed import MISSING, Skip
from generation.errors import RemediableError
from generation.vlm.instructions.families.question_answering import ask
from generation.vlm.instructions.records import Exam
from generation.vlm.instructions.sources.common import SPLITS, Folders, picture_at, require_file

VQA_RAD, SLAKE = "vqa_rad", "slake"
QUESTIONS = "questions.json"
SLAKE_PARTS = ("train", "validate", "test")
ENGLISH, RADIOGRAPH, CHEST = "en", "x-ray", {"lung", "chest"}


def read_vqa_rad(folders: Folders) -> Iterator[Exam | Skip]:
    """Split by picture: the official test questions are all on pictures of training."""
    folder = folders[VQA_RAD]
    rows = read_rows(require_file(folder, QUESTIONS))
    rows.sort(key=lambda row: (str(row["image_name"]), int(row["qid"])))
    for name, of_picture in groupby(rows, key=lambda row: str(row["image_name"])):
        yield _exam(VQA_RAD, folder, f"images/{name}", list(of_picture))


def read_slake(folders: Folders) -> Iterator[Exam | Skip]:
    """Yields the questions in English on chest X-rays; its own splits are by picture."""
    folder = folders[SLAKE]
    for part in SLAKE_PARTS:
        rows = [row for row in read_rows(folder / f"{part}.json") if _is_chest(row)]
        rows.sort(key=lambda row: (str(row["img_name"]), int(row["qid"])))
        for name, of_picture in groupby(rows, key=lambda row: str(row["img_name"])):
            yield _exam(SLAKE, folder, f"imgs/{name}", list(of_picture), part=part)


def read_rows(path: Path) -> list[dict[str, Any]]:
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        return [dict(row) for row in rows]
    except (OSError, ValueError, TypeError) as error:
        raise RemediableError(
            f"{path} is not a list of questions: {error}", remedy="Fetch the file again."
        ) from error


def _is_chest(row: Mapping[str, Any]) -> bool:
    where = str(row.get("location", "")).lower()
    modality = str(row.get("modality", "")).lower()
    return row.get("q_lang") == ENGLISH and modality == RADIOGRAPH and where in CHEST


def _exam(
    source: str, folder: Path, name: str, rows: list[dict[str, Any]], *, part: str = ""
) -> Exam | Skip:
    if not is_plain_path(name) or not (folder / name).is_file():
        return Skip(file=name, reason=MISSING)
    picture = picture_at(source, folder, folder / name)
    return Exam(
        source=source,
        key=name,
        patient=f"{source}:{name}",
        given_split=SPLITS.get(part),
        pictures=(picture,),
        asked=tuple(
            ask(str(row["question"]).strip(), str(row["answer"]).strip(), key=str(row["qid"]),
                pictures=(picture,))
            for row in rows
        ),
    )  # fmt: skip
