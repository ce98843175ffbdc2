"""NIH ChestX-ray14 (Wang et al. 2017) as the NIH Clinical Center distributes it.

``Data_Entry_2017*.csv``, ``BBox_List_2017.csv`` (optional) and the images, either in
``images/`` or in ``images_001/images/`` to ``images_012/images/``.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from generation.conditioning.findings import FINDINGS
from generation.datasets.attributes import parse_age, parse_sex, parse_view
from generation.datasets.files import is_plain_name, list_pictures, nfc, without_suffix
from generation.datasets.parsed import (
    MISSING,
    Skip,
    Source,
    SourceBox,
    SourceImage,
    place_box,
    require_folder,
    unread,
)
from generation.datasets.rsna import read_opacity_boxes
from generation.datasets.spellings import NIH as SPELLED
from generation.datasets.spellings import Found, as_spelled, find_spelled
from generation.datasets.tables import Row, count_rows, drain, find_table, read_table, stream_table
from generation.errors import RemediableError

FILE, LABELS, PATIENT = "Image Index", "Finding Labels", "Patient ID"
AGE, SEX, VIEW = "Patient Age", "Patient Gender", "View Position"
BOX_LABEL, BOX_PLACE = "Finding Label", ("Bbox [x", "y", "w", "h]")
BOX_SIDE_PX = 1024
"""Boxes are given in pixels of the distributed images, which are squares of this side."""

BOXES, IMAGES = "BBox_List_2017.csv", "images"
NAME = "nih"
"""Other data sets name their pictures and patients by this one's."""
NO_FINDING = "No Finding"
SPELLINGS = {"infiltrate": "infiltration"}
"""The boxes' spellings that differ from the labels'."""
NOT_LABELLED = ("lung opacity", "fracture", "support devices")
"""Findings of the vocabulary that nobody looked for."""


def read_nih(folder: Path, *, rsna: Path | None = None) -> Source:
    """Check the layout, then yield the images in the order of the data entry file.

    ``rsna`` is a folder of the RSNA Pneumonia Detection Challenge, whose images are some
    of these: its boxes come in too.
    """
    table = find_spelled(require_folder(folder), SPELLED)
    listed = {name_of(entry) for entry in stream_entries(table, skips=[])}
    pictures, others = find_pictures(table.path.parent)
    if not pictures and folder != table.path.parent:  # the tables lie in a folder of their own
        pictures, others = find_pictures(folder)
    rename_converted(pictures, listed=listed)
    boxes, skipped_boxes = read_boxes(folder, listed=listed)
    if rsna is not None:
        opacities, skipped_opacities = read_opacity_boxes(rsna)
        for name, found in opacities.items():
            boxes[name] += found
        skipped_boxes += skipped_opacities

    def rows() -> Iterator[SourceImage | Skip]:
        yield from others
        yield from skipped_boxes
        seen: set[str] = set()
        skips: list[Skip] = []
        for entry in stream_entries(table, skips=skips):
            yield from parse_entry(entry, pictures=pictures, boxes=boxes, seen=seen)
            yield from drain(skips)
        yield from drain(skips)
        for name in sorted(pictures.keys() - seen):
            yield Skip(file=name, reason="has no row in the data entry file")

    total = count_rows(table.path, columns=tuple(table.columns.values()))
    return Source(total=total, rows=rows(), patients_of=NAME)


def patient_of(entry: Row) -> str:
    """Returns the patient's number as most copies write it, without zeros before it."""
    told = entry[PATIENT].strip()
    return str(int(told)) if told.isascii() and told.isdecimal() else told


def name_of(entry: Row) -> str:
    return nfc(entry[FILE].strip())


def stream_entries(table: Found, *, skips: list[Skip]) -> Iterator[Row]:
    columns = tuple(table.columns.values())
    for row in stream_table(table.path, columns=columns, skips=skips):
        yield as_spelled(row, table.columns)


def find_pictures(folder: Path) -> tuple[dict[str, Path], list[Skip]]:
    """Returns the pictures by name, of two of one name the first, and what else lies there.

    Copies have them in ``images``, in ``images_001`` and so on, or anywhere below the table.
    """
    folders = [
        path
        for path in sorted(folder.iterdir())
        if path.name.casefold().startswith(IMAGES) and path.is_dir()
    ]
    if not folders:
        below, _ = list_pictures(folder)
        return {name.rpartition("/")[2]: path for name, path in below.items()}, []
    pictures: dict[str, Path] = {}
    others: list[Skip] = []
    for path in folders:
        below, rest = list_pictures(path)
        found = {name.rpartition("/")[2]: file for name, file in below.items()}
        others += rest
        others += [
            Skip(file=str(found[name].relative_to(folder)), reason="is in another folder too")
            for name in sorted(found.keys() & pictures.keys())
        ]
        pictures = found | pictures
    return pictures, others


def rename_converted(pictures: dict[str, Path], *, listed: set[str]) -> None:
    """Let pictures that a copy has in another format stand under the names of the table."""
    stems = {without_suffix(name): name for name in pictures.keys() - listed}
    for name in listed - pictures.keys():
        if (found := stems.get(without_suffix(name))) is not None:
            pictures[name] = pictures.pop(found)


def parse_entry(
    entry: Row, *, pictures: dict[str, Path], boxes: dict[str, list[SourceBox]], seen: set[str]
) -> Iterator[SourceImage | Skip]:
    name, patient = name_of(entry), patient_of(entry)
    problem = find_problem(name, patient=patient, pictures=pictures, seen=seen)
    seen.add(name)
    if problem:
        yield Skip(file=name, reason=problem)
        return
    findings, unknown = map_findings(entry[LABELS].split("|"))
    for label in unknown:
        yield Skip(file=name, what="label", reason=f"the finding {label!r} is not known")
    if not entry[LABELS].strip():
        yield Skip(file=name, what="label", reason=f"has no {LABELS}")
    is_read = bool(entry[LABELS].strip()) and not unknown
    view, age, sex = parse_view(entry[VIEW]), parse_age(entry[AGE]), parse_sex(entry[SEX])
    yield from unread(name, {"view": (entry[VIEW], view or None), "sex": (entry[SEX], sex)})
    if age is None:
        yield Skip(file=name, what="label", reason=f"the age {entry[AGE]!r} is not plausible")
    yield SourceImage(
        source_id=name,
        path=pictures[name],
        patient=patient,
        findings=findings,
        unknown_findings=tuple(
            finding
            for finding in FINDINGS
            if finding in NOT_LABELLED or not (is_read or finding in findings)
        ),
        is_normal=entry[LABELS].strip() == NO_FINDING,
        source_labels=entry,
        view=view or "",
        sex=sex or "",
        age_years=age,
        known_as=f"{NAME}:{name}",
        boxes=tuple(boxes.get(name, ())),
    )


def find_problem(
    name: str, *, patient: str, pictures: dict[str, Path], seen: set[str]
) -> str | None:
    """Why a row cannot be used, or None."""
    if name in seen:
        return "is listed more than once: only the first row counts"
    if not is_plain_name(name):
        return "is not the name of a file in the images folder"
    if name not in pictures:
        return MISSING
    if not patient:
        return f"has no {PATIENT}"
    return None


def map_finding(label: str) -> str | None:
    """Returns a label in the vocabulary, or None where there is no such finding."""
    finding = label.strip().lower().replace("_", " ")
    finding = SPELLINGS.get(finding, finding)
    return finding if finding in FINDINGS else None


def map_findings(labels: Iterable[str]) -> tuple[tuple[str, ...], list[str]]:
    """Labels in the vocabulary and its order, and those that are not in it."""
    names = [label for label in labels if label.strip() and label.strip() != NO_FINDING]
    known = {map_finding(name) for name in names}
    unknown = [name for name in names if map_finding(name) is None]
    return tuple(finding for finding in FINDINGS if finding in known), unknown


def read_boxes(folder: Path, *, listed: set[str]) -> tuple[dict[str, list[SourceBox]], list[Skip]]:
    """Returns the boxes of each listed image, and those that cannot be used."""
    boxes: dict[str, list[SourceBox]] = defaultdict(list)
    skipped: list[Skip] = []
    try:
        path = find_table(folder, BOXES)
    except RemediableError:  # not every copy has it
        return boxes, skipped
    for row in read_table(path, columns=(FILE, BOX_LABEL, *BOX_PLACE), skips=skipped, what="box"):
        box = parse_box(row) if name_of(row) in listed else "its image is not listed"
        if isinstance(box, str):
            skipped.append(Skip(file=row[FILE], what="box", reason=box))
        else:
            boxes[name_of(row)].append(box)
    return boxes, skipped


def parse_box(row: Row) -> SourceBox | str:
    """Returns the row's box in fractions of the image, or why it cannot be used."""
    finding = map_finding(row[BOX_LABEL])
    if finding is None:
        return f"the finding {row[BOX_LABEL]!r} of its box is not known"
    return place_box(row, columns=BOX_PLACE, side_px=BOX_SIDE_PX, finding=finding)
