"""A CSV file of one's own, described by a mapping file in TOML.

table = "labels.csv"        # beside the mapping file
images = "images"           # the folder that file names start from; default: "."
file = "filename"           # columns of the table; all but `file` may be left out
patient = "patient_id"
sex = "gender"
age = "age"
race = "ethnicity"
view = "projection"
normal = "no_finding"       # 1 where nothing is wrong

[findings]                  # columns of 1, 0, -1 (not known) and empty (absent)
Effusion = "effusion"

[labels]                    # or one column of names
column = "labels"
separator = "|"
[labels.names]
"Pleural effusion" = "effusion"
"Normal" = ""               # none of the findings above
[values.sex]                # what the table's own words mean; likewise view and race
Frau = "F"

[[masks]]                   # PNGs of the images' names
kind = "lungs"
folder = "masks"

[[masks]]                   # or run-length code, in one row or several
kind = "pneumothorax"
column = "rle"
codec = "siim"
width = 1024
height = 1024
"""

import ast
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import field
from pathlib import Path
from typing import Literal, Self

from pydantic import ConfigDict, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass

from generation.conditioning.findings import FINDINGS
from generation.conditioning.masks import MASK_KINDS
from generation.datasets.attributes import parse_age, parse_race, parse_sex, parse_view
from generation.datasets.files import (
    find_file,
    find_place,
    is_plain_path,
    nfc,
)
from generation.datasets.labels import read_label
from generation.datasets.parsed import (
    SHOWN_CHARACTERS,
    RunLengthMask,
    Skip,
    Source,
    SourceImage,
    SourceMask,
    require_folder,
    unread,
)
from generation.datasets.patients import doubts, patient_or_none
from generation.datasets.rle import NOTHING, Codec
from generation.datasets.scattered import Scattered
from generation.datasets.tables import Row, drain, stream_table
from generation.errors import RemediableError

_STRICT = ConfigDict(extra="forbid")
ATTRIBUTES = ("patient", "sex", "age", "race", "view", "normal")
LIST_MAX_CHARACTERS = 10_000
Worded = Literal["sex", "view", "race"]
PARSERS: dict[Worded, Callable[[str], str | None]] = {
    "sex": parse_sex,
    "view": parse_view,
    "race": parse_race,
}


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class MaskColumn:
    """A kind of mask: PNGs in a folder, or run-length code in a column."""

    kind: str
    folder: str = ""
    column: str = ""
    codec: Codec = "siim"
    width: int = 0
    height: int = 0

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        if self.kind not in MASK_KINDS:
            raise ValueError(f"{self.kind!r} is none of {', '.join(MASK_KINDS)}")
        if bool(self.folder) == bool(self.column):
            raise ValueError(f"the mask {self.kind!r} needs a folder or a column")
        if self.column and not (self.width > 0 and self.height > 0):
            raise ValueError(f"the mask {self.kind!r} needs width and height")
        return self


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class LabelColumn:
    """A column of names, and which finding each of them is; empty where it is none."""

    column: str
    names: dict[str, str]
    separator: str = "|"


@dataclass(frozen=True, kw_only=True, config=_STRICT)
class Mapping:
    """What a mapping file says."""

    table: str
    file: str
    images: str = "."
    patient: str = ""
    sex: str = ""
    age: str = ""
    race: str = ""
    view: str = ""
    normal: str = ""
    findings: dict[str, str] = field(default_factory=dict)
    labels: LabelColumn | None = None
    values: dict[Worded, dict[str, str]] = field(default_factory=dict)
    masks: tuple[MaskColumn, ...] = ()

    @model_validator(mode="after")
    def _names_known_findings(self) -> Self:
        for finding in sorted(self.labelled - set(FINDINGS)):
            raise ValueError(f"{finding!r} is no finding of {', '.join(FINDINGS)}")
        return self

    @model_validator(mode="after")
    def _gives_known_values(self) -> Self:
        for what, meanings in self.values.items():
            for meaning in meanings.values():
                if PARSERS[what](meaning) is None:
                    raise ValueError(f"{meaning!r} is no {what} that is known")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """All that the table must have."""
        named = [self.file, *(getattr(self, name) for name in ATTRIBUTES), *self.findings]
        named += [self.labels.column] if self.labels else []
        named += [mask.column for mask in self.masks]
        return tuple(dict.fromkeys(name for name in named if name))

    @property
    def labelled(self) -> set[str]:
        """The findings that the table says something of."""
        return {*self.findings.values(), *self.named} - {""}

    @property
    def named(self) -> set[str]:
        """The findings that the column of names says something of."""
        return set(self.labels.names.values()) - {""} if self.labels else set()

    def read(self, what: Worded, row: Row) -> tuple[str, str | None]:
        """Returns a row's value of an attribute, and what it means; None if unknown."""
        column = getattr(self, what)
        text = row[column] if column else ""
        meaning = self.values.get(what, {}).get(nfc(text.strip()), text)
        return text, PARSERS[what](meaning)


def read_mapped(folder: Path, mapping_file: Path) -> Source:
    """Check mapping and table, then yield the images in the order of the table."""
    mapping = read_mapping(mapping_file)
    table = find_place(mapping_file.parent, mapping.table)
    if not table.is_file():
        raise RemediableError(
            f"There is no {table}, which {mapping_file.name} names.",
            remedy="Put the table beside the mapping file, or correct its name there.",
        )
    images = find_place(require_folder(folder), mapping.images)
    columns = mapping.columns
    total = len({name_of(row, mapping) for row in stream_table(table, columns=columns, skips=[])})
    merged = merge_rows(table, mapping)
    of_masks = [find_place(folder, mask.folder) for mask in mapping.masks if mask.folder]
    scattered = Scattered(images, but_for=of_masks)

    def rows() -> Iterator[SourceImage | Skip]:
        seen: set[str] = set()
        skips: list[Skip] = []
        for row in stream_table(table, columns=columns, skips=skips):
            yield from drain(skips)
            name = name_of(row, mapping)
            if name not in seen:
                seen.add(name)
                yield from parse_row(
                    row, mapping=mapping, folder=folder, pictures=scattered, merged=merged
                )
            else:
                yield from read_findings(row, mapping)[2]
                if name in merged.alike and not merged.codes:
                    reason = "is listed more than once: only the first row counts"
                    yield Skip(file=name, reason=reason)
        yield from drain(skips)

    warnings = doubts(merged.patients) if mapping.patient else ()
    return Source(total=total, rows=rows(), warnings=warnings)


def name_of(row: Row, mapping: Mapping) -> str:
    return nfc(row[mapping.file].strip()).replace("\\", "/")


def read_mapping(path: Path) -> Mapping:
    try:
        found = tomllib.loads(nfc(path.read_text(encoding="utf-8-sig")))
        return TypeAdapter(Mapping).validate_python(found)
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(map(str, problem['loc'])) or 'it'}: {problem['msg']}"
            for problem in error.errors()
        )
        raise _refusal(path, problems) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise _refusal(path, str(error)) from error


def _refusal(path: Path, problems: str) -> RemediableError:
    return RemediableError(
        f"{path.name} is no mapping that can be used: {problems}",
        remedy="Correct it; the head of generation/datasets/mapping.py shows what it may hold.",
    )


Codes = dict[str, dict[str, list[str]]]
"""The parts of each file's masks, by the kind of mask."""


@dataclass(kw_only=True)
class Merged:
    """What all rows of a table say together, where a file may have a row for each mask or label.

    ``patients`` counts files by patient. ``found`` has the findings that any later row of a
    file affirms, ``open`` those that one leaves open, ``differing`` the columns in which its
    rows differ, and ``alike`` are files of which some rows say the same; all only of files
    with several rows.
    """

    codes: Codes
    patients: Counter[str]
    found: dict[str, set[str]] = field(default_factory=dict)
    open: dict[str, set[str]] = field(default_factory=dict)
    differing: dict[str, list[str]] = field(default_factory=dict)
    alike: set[str] = field(default_factory=set)


def merge_rows(table: Path, mapping: Mapping) -> Merged:
    """Read all rows once; a finding of a second row is not lost."""
    columns = [mask for mask in mapping.masks if mask.column]
    merged = Merged(codes={mask.kind: {} for mask in columns}, patients=Counter())
    of_rows = {mapping.file, *(mask.column for mask in columns)}
    compared = [name for name in mapping.columns if name not in of_rows]
    labels = mapping.labels.column if mapping.labels else ""
    first_of: dict[str, tuple[str, ...]] = {}
    for row in stream_table(table, columns=mapping.columns, skips=[]):
        name = name_of(row, mapping)
        cells = tuple(row[column].strip() for column in compared)
        first = first_of.setdefault(name, cells)
        if first is cells and mapping.patient:
            merged.patients[row[mapping.patient].strip()] += 1
        if first is not cells:
            found, unknown, _ = read_findings(row, mapping)
            merged.found.setdefault(name, set()).update(found)
            merged.open.setdefault(name, set()).update(unknown)
        if first is not cells and first == cells:
            merged.alike.add(name)
        if first != cells:
            pairs = zip(compared, first, cells, strict=True)
            differ = [column for column, one, other in pairs if one != other and column != labels]
            known = merged.differing.setdefault(name, [])
            known += [column for column in differ if column not in known]
        for mask in columns:
            if (text := row[mask.column].strip()) not in {"", NOTHING}:
                merged.codes[mask.kind].setdefault(name, []).append(text)
    return merged


def parse_row(
    row: Row, *, mapping: Mapping, folder: Path, pictures: Scattered, merged: Merged
) -> Iterator[SourceImage | Skip]:
    name = name_of(row, mapping)
    if not is_plain_path(name):
        yield Skip(file=name, reason="is not the path of a file below the images folder")
        return
    path = pictures.find_listed(name)
    if path is None:
        yield Skip(file=name, reason=pictures.reason(name))
        return
    first, open_ones, skips = read_findings(row, mapping)
    open_ones |= merged.open.get(name, set())
    if differing := merged.differing.get(name):
        told = ", ".join(differing)
        reason = f"its rows differ in {told}: what any row affirms counts, else the first row"
        skips.append(Skip(file=name, what="label", reason=reason))
    found = {*first, *merged.found.get(name, ())}
    age = parse_age(row.get(mapping.age, ""))
    if mapping.age and age is None and row[mapping.age].strip():
        skips.append(
            Skip(file=name, what="label", reason=f"the age {row[mapping.age]!r} is not plausible")
        )
    is_normal = read_label(row.get(mapping.normal, ""))
    if is_normal is None:
        reason = f"its {mapping.normal} is none of 1, 0, -1 and empty"
        skips.append(Skip(file=name, what="label", reason=reason))
    worded = {what: mapping.read(what, row) for what in PARSERS}
    yield from (*skips, *unread(name, worded))
    is_labelled = bool(mapping.findings or mapping.labels or mapping.normal)
    yield SourceImage(
        source_id=name,
        path=path,
        patient=patient_or_none(row[mapping.patient]) if mapping.patient else None,
        findings=tuple(finding for finding in FINDINGS if finding in found),
        unknown_findings=tuple(
            finding for finding in FINDINGS if finding in open_ones and finding not in found
        ),
        is_normal=not found and not open_ones & mapping.labelled and is_normal == 1,
        source_labels=dict(row) if is_labelled else {},
        view=worded["view"][1] or "",
        sex=worded["sex"][1] or "",
        age_years=age,
        race=worded["race"][1] or "",
        masks=tuple(masks_of(name, mapping=mapping, folder=folder, codes=merged.codes)),
    )


def read_findings(row: Row, mapping: Mapping) -> tuple[set[str], set[str], list[Skip]]:
    """Returns the findings that a row affirms or leaves open, and labels that say neither."""
    found: set[str] = set()
    unknown = set(FINDINGS) - mapping.labelled
    skips: list[Skip] = []
    for column, finding in mapping.findings.items():
        value = read_label(row[column])
        if value == 1:
            found.add(finding)
        elif value == -1:
            unknown.add(finding)
        elif value is None:
            reason = f"its {column} is none of 1, 0, -1 and empty"
            skips.append(Skip(file=name_of(row, mapping), what="label", reason=reason))
            unknown.add(finding)
    if mapping.labels:
        known = {plain(name): finding for name, finding in mapping.labels.names.items()}
        for name in split_names(row[mapping.labels.column], mapping.labels.separator):
            if plain(name) in known:
                found.add(known[plain(name)])
                continue
            # It may be another spelling of a finding, which is then not absent.
            unknown |= mapping.named
            reason = f"the label {name[:SHOWN_CHARACTERS]!r} is not among the mapping's names"
            skips.append(Skip(file=name_of(row, mapping), what="label", reason=reason))
    return found - {""}, unknown - found, skips


def plain(name: str) -> str:
    return " ".join(nfc(name).split()).casefold()


def split_names(cell: str, separator: str) -> list[str]:
    """Returns the names in a cell: parted by the separator, or a list as Python and PadChest
    write it.
    """
    text = cell.strip()
    names: Sequence[object] = text.split(separator) if separator else [text]
    if text.startswith("[") and text.endswith("]") and len(text) < LIST_MAX_CHARACTERS:
        try:
            names = ast.literal_eval(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            inner = text[1:-1]
            names = inner.split(separator if separator and separator in inner else ",")
    stripped = (str(name).strip().strip("'\"").strip() for name in names)
    return [name for name in stripped if name]


def masks_of(
    name: str, *, mapping: Mapping, folder: Path, codes: Codes
) -> Iterator[SourceMask | RunLengthMask]:
    for mask in mapping.masks:
        png = f"{name.rpartition('.')[0] or name}.png"
        if mask.folder and (path := find_file(find_place(folder, mask.folder), png)):
            yield SourceMask(kind=mask.kind, path=path)
        elif texts := codes.get(mask.kind, {}).get(name):
            yield RunLengthMask(
                kind=mask.kind,
                codec=mask.codec,
                texts=tuple(texts),
                width=mask.width,
                height=mask.height,
            )
