"""Building an instruction set in its folder: sources, instructions, card, benchmark, samples."""

import json
import zipfile
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from PIL import Image as Pictures

from feedback_app.images.blobs.places import put
from feedback_app.images.blobs.services import naming_a_full_disk
from feedback_app.images.cohorts.services import find_cohort
from feedback_app.images.versions.folders import path_of
from feedback_app.vlms.asking import ARCHIVE, BENCHMARK, SAMPLES
from feedback_app.vlms.models import InstructionSet
from feedback_app.vlms.reading_source import NAME as READINGS
from feedback_app.vlms.reading_source import write_readings
from feedback_app.vlms.set_files import SOURCES as WRITTEN
from feedback_app.vlms.set_files import content_of
from feedback_app.vlms.sources import source_of, write_cohort
from generation.errors import RemediableError
from generation.vlm.benchmark.items import MANIFEST, freeze, with_hashes
from generation.vlm.benchmark.items import build as build_questions
from generation.vlm.instructions.build import SPLITS, Request, build
from generation.vlm.instructions.card import make_card
from generation.vlm.instructions.looks import open_picture
from generation.vlm.instructions.sources.catalogue import SOURCES

SAMPLES_A_TASK = 2
THUMBNAIL = 320
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every member of an archive, so that the same content has the same bytes."""

Tell = Callable[[str], None]


def build_set(row: InstructionSet, *, tell: Tell) -> dict[str, Any]:
    """Fill the folder and the row; what was done before is taken up where it was left."""
    folder = row.path
    with naming_a_full_disk("the instructions"):
        request = Request(
            folders=_folders(row),
            seed=row.seed,
            read=content_of,
            moves=Path(settings.DATA_ROOT),
        )
        built = build(request, folder, report=tell)
        card = make_card(request, folder, parts=built.parts, sides=built.sides)
        benchmark: dict[str, Any] = {}
        if card["splits"]["test"]:
            tell("Freezing the benchmark")
            asked = build_questions(folder, seed=row.seed)
            questions = with_hashes(asked, request.folders, read=content_of)
            freeze(questions, folder / BENCHMARK)
            benchmark = json.loads((folder / BENCHMARK / MANIFEST).read_text(encoding="utf-8"))
        tell("Choosing samples")
        samples = _samples(folder, request)
        _pack(folder)
    put(folder)
    row.card, row.benchmark, row.samples = card, benchmark, samples
    row.save(update_fields=["card", "benchmark", "samples", "rests_on"])
    return {"instructions": row.count, "questions": row.question_count}


def _folders(row: InstructionSet) -> dict[str, Path]:
    """Returns the folder of each source; what the database holds is written out into the set's
    own.
    """
    folders = {}
    if row.data:
        data = path_of(row.data)
        if not data.is_dir():
            raise RemediableError(
                f"The folder {data} is not on this host.",
                remedy="Let all workers reach it under this path, or build of cohorts alone.",
            )
        folders = {name: data / name for name in SOURCES if (data / name).is_dir()}
    for name in row.cohorts:
        cohort = find_cohort(name)
        folder = row.path / WRITTEN / source_of(cohort)
        write_cohort(cohort, folder)
        folders[source_of(cohort)] = folder
    if row.has_readings:
        folder = row.path / WRITTEN / READINGS
        row.rests_on = write_readings(folder)
        folders[READINGS] = folder
    return folders


def _samples(folder: Path, request: Request) -> list[dict[str, Any]]:
    """Returns a few records of each task and source, with their pictures as thumbnails."""
    chosen: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for split in SPLITS:
        for path in sorted((folder / split).glob("*.jsonl")):
            with path.open(encoding="utf-8") as lines:
                for row in map(json.loads, lines):
                    kept = chosen[row["source"], row["task"]]
                    if len(kept) < SAMPLES_A_TASK:
                        kept.append(row)
    rows = [row for kept in chosen.values() for row in kept]
    thumbnails = Thumbnails(folder / SAMPLES, request.folders)
    return [
        {name: row[name] for name in ("source", "task", "split", "question", "answer")}
        | {"pictures": thumbnails.of(row["images"])}
        for row in rows
    ]


class Thumbnails:
    """Small copies of pictures, in a folder, by number: so that a page needs no other file."""

    def __init__(self, folder: Path, sources: Mapping[str, Path]) -> None:
        self.folder, self.sources = folder, sources
        self.numbers: dict[str, int] = {}
        folder.mkdir(parents=True, exist_ok=True)

    def of(self, names: list[str]) -> list[int]:
        return [self._of(name) for name in names]

    def _of(self, name: str) -> int:
        if name not in self.numbers:
            number = self.numbers[name] = len(self.numbers)
            source, _, place = name.partition("/")
            picture = open_picture(self.sources[source] / place, read=content_of).convert("L")
            picture.thumbnail((THUMBNAIL, THUMBNAIL), Pictures.Resampling.BILINEAR)
            picture.save(self.folder / f"{number}.png")
        return self.numbers[name]


def _pack(folder: Path) -> None:
    """What is downloaded: questions, card and benchmark; no picture."""
    paths = [path for split in SPLITS for path in sorted((folder / split).glob("*.jsonl"))]
    paths += [folder / "README.md", folder / "card.json", *sorted((folder / BENCHMARK).glob("*"))]
    partial = folder / f"{ARCHIVE}.part"
    with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in paths:
            member = zipfile.ZipInfo(path.relative_to(folder).as_posix(), EPOCH)
            member.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(member, "w") as target, path.open("rb") as source:
                while chunk := source.read(1 << 20):
                    target.write(chunk)
    partial.replace(folder / ARCHIVE)
