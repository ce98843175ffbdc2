"""Builds the instructions of all sources: two passes over each, resumed where it was stopped.

The first pass looks at every picture and counts; from it follow groups of patients, splits and
what is thinned. The second drafts, words and writes, one source after the other: a source that
is written is not written again. The same request gives the same bytes.
"""

import fcntl
import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

from generation.datasets.parsed import Skip
from generation.errors import RemediableError
from generation.specs import Split
from generation.vlm.instructions.census import Census
from generation.vlm.instructions.families import (
    coarse_perception,
    fine_perception,
    other,
    text_generation,
)
from generation.vlm.instructions.grouping import Sides, take_sides
from generation.vlm.instructions.looks import Looks
from generation.vlm.instructions.pool import Pool
from generation.vlm.instructions.records import Draft, Exam, Instruction, Read
from generation.vlm.instructions.sources.catalogue import SOURCES, facts_of
from generation.vlm.instructions.sources.common import Folders
from generation.vlm.instructions.sources.written import is_written
from generation.vlm.instructions.tasks import word

SPLITS: tuple[Split, ...] = get_args(Split)
VERSION = 1
"""Raised when the same sources and seed give other instructions."""

Report = Callable[[str], None]
"""Told what has been done, one line at a time."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """``folders`` by the name of the source; ``read`` gives the content of a picture's file.

    ``moves`` is what may be moved as a whole.
    """

    folders: Folders
    seed: str = "0"
    read: Read = Path.read_bytes
    moves: Path | None = None

    def as_plan(self, folder: Path) -> dict[str, Any]:
        """Returns what is built; folders that move with ``folder`` by the way from there."""
        around = self.moves or folder
        return {
            "version": VERSION,
            "seed": self.seed,
            "folders": {
                name: os.path.relpath(path, folder) if path.is_relative_to(around) else str(path)
                for name, path in sorted(self.folders.items())
            },
        }

    @property
    def names(self) -> list[str]:
        """The sources in the order that they are read in."""
        others = sorted(name for name in self.folders if name not in SOURCES)
        return [*(name for name in SOURCES if name in self.folders), *others]


@dataclass(frozen=True, kw_only=True)
class FirstPass:
    """What one source holds, and the pictures of it that cannot be read."""

    census: Census
    patients: list[str]
    given: dict[str, Split]
    pictures: list[tuple[str, bytes]]
    unreadable: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Part:
    """What was written of one source: records by task and split, and what was left out."""

    source: str
    records: Mapping[str, Mapping[str, int]]
    exams: int
    pictures: int
    patients: Mapping[str, int]
    thinned: Mapping[str, int]
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Built:
    """What was written, source by source, and who is on which side."""

    parts: list[Part]
    sides: Sides


class Tally:
    """Counts what is written of one source, and what is left out."""

    def __init__(self) -> None:
        self._records: dict[str, Counter[str]] = {split: Counter() for split in SPLITS}
        self._patients: dict[str, set[str]] = {split: set() for split in SPLITS}
        self._left_out: Counter[str] = Counter()
        self._exams = self._pictures = 0

    def add(self, row: Instruction | Exam | Skip) -> None:
        if isinstance(row, Instruction):
            self._records[row.split][row.task] += 1
            self._patients[row.split].add(row.patient)
        elif isinstance(row, Exam):
            self._exams += 1
            self._pictures += len(row.pictures)
        else:
            self._left_out[row.reason] += 1

    def as_part(self, source: str, *, thinned: Mapping[str, int]) -> Part:
        return Part(
            source=source,
            records={split: dict(sorted(tasks.items())) for split, tasks in self._records.items()},
            exams=self._exams,
            pictures=self._pictures,
            patients={split: len(found) for split, found in self._patients.items()},
            thinned=dict(sorted(thinned.items())),
            left_out=dict(sorted(self._left_out.items())),
        )


def build(request: Request, folder: Path, *, report: Report = lambda _: None) -> Built:
    """Write the instructions of all sources into a folder."""
    require_sources(request.folders)
    names = request.names
    with locked(folder):
        keep_plan(request, folder)
        passes = {}
        for name in names:
            passes[name] = look_through(name, request, looks=folder / "looks" / f"{name}.jsonl")
            report(f"{name}: {len(passes[name].pictures):,} pictures looked at")
        sides = decide_sides(passes, request)
        parts = []
        for name in names:
            parts.append(write_source(name, request, folder, first=passes[name], sides=sides))
            written = sum(sum(of_split.values()) for of_split in parts[-1].records.values())
            report(f"{name}: {written:,} instructions")
        return Built(parts=parts, sides=sides)


def require_sources(folders: Folders) -> None:
    for name, folder in folders.items():
        if name not in SOURCES:
            if is_written(folder):
                continue
            raise RemediableError(
                f"There is no source {name!r}.", remedy=f"Use some of: {', '.join(SOURCES)}."
            )
        for needed in SOURCES[name].needs:
            if needed not in folders:
                raise RemediableError(
                    f"{SOURCES[name].title} is read with the folder of {SOURCES[needed].title}.",
                    remedy=f"Name the source {needed} as well.",
                )
    if not folders:
        raise RemediableError("No source is named.", remedy=f"Name some of: {', '.join(SOURCES)}.")


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One build at a time writes into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RemediableError(
                f"Another build is writing into {folder}.", remedy="Wait for it, or end it."
            ) from error
        yield


def keep_plan(request: Request, folder: Path) -> None:
    """A folder goes on with the request that it was begun with, and with no other."""
    path, plan = folder / "plan.json", request.as_plan(folder)
    if path.is_file() and _resolved(json.loads(path.read_text()), folder) != _resolved(
        plan, folder
    ):
        raise RemediableError(
            f"{folder} was begun with other sources or another seed.",
            remedy="Choose an empty folder.",
        )
    write_whole(path, json.dumps(plan, indent=2) + "\n")


def _resolved(plan: dict[str, Any], folder: Path) -> dict[str, Any]:
    places = {name: str((folder / place).resolve()) for name, place in plan["folders"].items()}
    return {**plan, "folders": places}


def look_through(name: str, request: Request, *, looks: Path) -> FirstPass:
    census = Census(seed=request.seed)
    patients: dict[str, None] = {}
    given: dict[str, Split] = {}
    pictures, unreadable = [], {}
    with Looks(looks, read=request.read) as seen:
        for exam in facts_of(name, request.folders).read(request.folders):
            if isinstance(exam, Skip):
                continue
            patients[exam.patient] = None
            if exam.given_split:
                given[exam.patient] = exam.given_split
            for picture in exam.pictures:
                look = seen.of(picture)
                pictures.append((exam.patient, look.bits))
                if look.problem:
                    unreadable[picture.name] = look.problem
            census.add(_readable(exam, unreadable))
    return FirstPass(
        census=census,
        patients=list(patients),
        given=given,
        pictures=pictures,
        unreadable=unreadable,
    )


def decide_sides(passes: Mapping[str, FirstPass], request: Request) -> Sides:
    """Sources that are derived from others come after these, as their patients do.

    A derived source names patients of others, which need not be among those asked for.
    """
    known = dict.fromkeys([*SOURCES, *request.names])
    ordered = sorted(known, key=lambda name: facts_of(name, request.folders).is_derived)
    return take_sides(
        (patient for one in passes.values() for patient in one.patients),
        pictures=[picture for one in passes.values() for picture in one.pictures],
        given={patient: split for one in passes.values() for patient, split in one.given.items()},
        precedence={name: place for place, name in enumerate(ordered)},
    )


def write_source(
    name: str, request: Request, folder: Path, *, first: FirstPass, sides: Sides
) -> Part:
    """Returns the lines of one source in a file a split; what stands there already is kept."""
    summary = folder / "parts" / f"{name}.json"
    if summary.is_file():
        return Part(**json.loads(summary.read_text()))
    tally = Tally()
    with ExitStack() as stack:
        files = {}
        for split in SPLITS:
            path = folder / split / f"{name}.jsonl.part"
            path.parent.mkdir(exist_ok=True)
            files[split] = stack.enter_context(path.open("w", encoding="utf-8"))
        for row in instruct(name, request, first=first, sides=sides):
            tally.add(row)
            if isinstance(row, Instruction):
                files[row.split].write(json.dumps(row.as_row(), ensure_ascii=False) + "\n")
    for split in SPLITS:
        _keep(folder / split / f"{name}.jsonl.part")
    part = tally.as_part(name, thinned=first.census.thinned)
    write_whole(summary, json.dumps(asdict(part), indent=2, ensure_ascii=False) + "\n")
    return part


def instruct(
    name: str, request: Request, *, first: FirstPass, sides: Sides
) -> Iterator[Instruction | Exam | Skip]:
    """Yields each exam and then its instructions, and the reason for what was left out."""
    pools = {split: Pool() for split in SPLITS}
    for row in facts_of(name, request.folders).read(request.folders):
        if isinstance(row, Skip):
            yield row
            continue
        split = sides.split_of[row.patient]
        exam = replace(_readable(row, first.unreadable), patient=sides.group_of[row.patient])
        opaque = hashlib.sha256(f"{request.seed}:{exam.patient}".encode()).hexdigest()[:16]
        yield exam
        for picture in row.pictures:
            if problem := first.unreadable.get(picture.name):
                yield Skip(file=picture.name, reason=problem)
        for draft in draft_all(exam, census=first.census, pool=pools[split], seed=request.seed):
            if any(picture.name in first.unreadable for picture in draft.pictures):
                yield Skip(file=exam.key, reason="is a question on a picture that cannot be read")
            else:
                yield word(draft, exam, split=split, patient=opaque, seed=request.seed)
        pools[split].add(exam)


def draft_all(exam: Exam, *, census: Census, pool: Pool, seed: str) -> Iterator[Draft]:
    yield from coarse_perception.drafts(exam, census=census, pool=pool, seed=seed)
    yield from fine_perception.drafts(exam, census=census, seed=seed)
    yield from text_generation.drafts(exam)
    yield from other.drafts(exam, pool=pool, seed=seed)
    yield from (draft for draft in exam.asked if census.keeps_asked(exam, draft))


def write_whole(path: Path, text: str) -> None:
    """A file is there whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.new")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)


def _readable(exam: Exam, unreadable: Mapping[str, str]) -> Exam:
    if not unreadable:
        return exam
    pictures = tuple(picture for picture in exam.pictures if picture.name not in unreadable)
    return replace(exam, pictures=pictures)


def _keep(path: Path) -> None:
    """Give a file its name; one without lines is taken away, which readers of JSON refuse."""
    if path.stat().st_size:
        os.replace(path, path.with_suffix(""))
    else:
        path.unlink()
