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

import tomllib
from collections.abc import Iterator
from dataclasses import field
from pathlib import Path
from typing import Self

from pydantic import ConfigDict, TypeAdapter, ValidationError, model_validator
from pydantic.dataclasses import dataclass

from generation.conditioning.findings import FINDINGS
from generation.conditioning.masks import MASK_KINDS
from generation.datasets.attributes import parse_age, parse_race, parse_sex, parse_view
from generation.datasets.labels import read_label
from generation.datasets.parsed import (
    MISSING,
    RunLengthMask,
    Skip,
    Source,
    SourceImage,
    SourceMask,
    is_plain_path,
    require_folder,
)
from generation.datasets.rle import NOTHING, Codec
from generation.datasets.tables import Row, stream_table
from generation.errors import RemediableError

_STRICT = ConfigDict(extra="forbid")
ATTRIBUTES = ("patient", "sex", "age", "race", "view", "normal")


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
    """A column of names, and which finding each of them is."""

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
    masks: tuple[MaskColumn, ...] = ()

    @model_validator(mode="after")
    def _names_known_findings(self) -> Self:
        for finding in sorted(self.labelled - set(FINDINGS)):
            raise ValueError(f"{finding!r} is no finding of {', '.join(FINDINGS)}")
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
        names = self.labels.names if self.labels else {}
        return {*self.findings.values(), *names.values()}


def read_mapped(folder: Path, mapping_file: Path) -> Source:
    """Check mapping and table, then yield the images in the order of the table."""
    mapping = read_mapping(mapping_file)
    table = mapping_file.parent / mapping.table
    if not table.is_file():
        raise RemediableError(
            f"There is no {table}, which {mapping_file.name} names.",
            remedy="Put the table beside the mapping file, or correct its name there.",
        )
    images = require_folder(folder) / mapping.images
    total = len({row[mapping.file] for row in stream_table(table, columns=mapping.columns)})
    codes = read_code_columns(table, mapping)

    def rows() -> Iterator[SourceImage | Skip]:
        seen: set[str] = set()
        for row in stream_table(table, columns=mapping.columns):
            name = row[mapping.file]
            if name not in seen:
                seen.add(name)
                yield from parse_row(
                    row, mapping=mapping, folder=folder, images=images, codes=codes
                )
            elif not codes:
                reason = "is listed more than once: only the first row counts"
                yield Skip(file=name, reason=reason)

    return Source(total=total, rows=rows())


def read_mapping(path: Path) -> Mapping:
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
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


def read_code_columns(table: Path, mapping: Mapping) -> Codes:
    """Run-length code of all rows: a mask may be spread over several of them."""
    columns = [mask for mask in mapping.masks if mask.column]
    codes: Codes = {mask.kind: {} for mask in columns}
    for row in stream_table(table, columns=mapping.columns) if columns else ():
        for mask in columns:
            if (text := row[mask.column].strip()) not in {"", NOTHING}:
                codes[mask.kind].setdefault(row[mapping.file], []).append(text)
    return codes


def parse_row(
    row: Row, *, mapping: Mapping, folder: Path, images: Path, codes: Codes
) -> Iterator[SourceImage | Skip]:
    name = row[mapping.file]
    if not is_plain_path(name):
        yield Skip(file=name, reason="is not the path of a file below the images folder")
        return
    if not (images / name).is_file():
        yield Skip(file=name, reason=MISSING)
        return
    found, unknown, skips = read_findings(row, mapping)
    yield from skips
    age = parse_age(row.get(mapping.age, ""))
    if mapping.age and age is None:
        yield Skip(file=name, what="label", reason=f"the age {row[mapping.age]!r} is not plausible")
    is_labelled = bool(mapping.findings or mapping.labels or mapping.normal)
    yield SourceImage(
        source_id=name,
        path=images / name,
        patient=row[mapping.patient].strip() or None if mapping.patient else None,
        findings=found,
        unknown_findings=unknown,
        is_normal=not found and read_label(row.get(mapping.normal, "")) == 1,
        source_labels=dict(row) if is_labelled else {},
        view=parse_view(row.get(mapping.view, "")),
        sex=parse_sex(row.get(mapping.sex, "")),
        age_years=age,
        race=parse_race(row.get(mapping.race, "")),
        masks=tuple(masks_of(name, mapping=mapping, folder=folder, codes=codes)),
    )


def read_findings(
    row: Row, mapping: Mapping
) -> tuple[tuple[str, ...], tuple[str, ...], list[Skip]]:
    """The findings that a row affirms, those that it leaves open, and labels that say neither."""
    found, unknown, skips = set(), set(FINDINGS) - mapping.labelled, []
    for column, finding in mapping.findings.items():
        value = read_label(row[column])
        if value == 1:
            found.add(finding)
        elif value == -1:
            unknown.add(finding)
        elif value is None:
            reason = f"its {column} is none of 1, 0, -1 and empty"
            skips.append(Skip(file=row[mapping.file], what="label", reason=reason))
            unknown.add(finding)
    if mapping.labels:
        texts = row[mapping.labels.column].split(mapping.labels.separator)
        names = {text.strip() for text in texts}
        found |= {finding for name, finding in mapping.labels.names.items() if name in names}
    return (
        tuple(finding for finding in FINDINGS if finding in found),
        tuple(finding for finding in FINDINGS if finding in unknown - found),
        skips,
    )


def masks_of(
    name: str, *, mapping: Mapping, folder: Path, codes: Codes
) -> Iterator[SourceMask | RunLengthMask]:
    for mask in mapping.masks:
        path = (folder / mask.folder / name).with_suffix(".png")
        if mask.folder and path.is_file():
            yield SourceMask(kind=mask.kind, path=path)
        elif texts := codes.get(mask.kind, {}).get(name):
            yield RunLengthMask(
                kind=mask.kind,
                codec=mask.codec,
                texts=tuple(texts),
                width=mask.width,
                height=mask.height,
            )
