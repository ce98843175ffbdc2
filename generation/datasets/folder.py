"""A plain folder: ``images/``, ``masks/`` of the same file names, optional ``groups.csv``.

Images may lie in folders below ``images/``; their names are paths from there.

``groups.csv`` has the columns ``file_name`` and ``group``: images of one group (a
patient, a published case) stay in one split. Without it each image is its own group, but that
DICOM files of one patient are one.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from generation.datasets.files import Pictures, list_pictures, nfc
from generation.datasets.parsed import (
    MISSING,
    Skip,
    Source,
    SourceImage,
    SourceMask,
    require_folder,
)
from generation.datasets.patients import doubts, doubts_of_headers, patient_or_none
from generation.datasets.tables import read_table
from generation.errors import RemediableError

FILE, GROUP = "file_name", "group"


def read_folder(folder: Path, *, mask_kind: str = "lungs") -> Source:
    """Check the layout, then yield the images by name with the masks that belong to them."""
    images = require_folder(folder) / "images"
    if not images.is_dir():
        raise RemediableError(
            f"{folder} has no folder images.",
            remedy="Put the images into images/, and masks of the same names into masks/.",
        )
    groups, group_skips = read_groups(folder)
    pictures, skips = list_pictures(images)
    masks, mask_skips = list_masks(folder, pictures=pictures)
    skips += group_skips + mask_skips

    def rows() -> Iterator[SourceImage | Skip]:
        yield from skips
        for name, path in pictures.items():
            if groups is not None and name not in groups:
                yield Skip(file=name, reason="has no row in groups.csv")
                continue
            yield SourceImage(
                source_id=name,
                path=path,
                patient=groups[name] if groups is not None else None,
                masks=(SourceMask(kind=mask_kind, path=masks[name]),) if name in masks else (),
            )
        for name in sorted((groups or {}).keys() - pictures.keys()):
            yield Skip(file=name, reason=MISSING)

    if groups is None:
        warnings = doubts_of_headers(list(pictures.values()))
    else:
        warnings = doubts(Counter(groups[name] for name in pictures if name in groups))
    return Source(total=len(pictures), rows=rows(), warnings=warnings)


def read_groups(folder: Path) -> tuple[dict[str, str] | None, list[Skip]]:
    """Returns the group of each file name (None where there is no file), and rows of no use."""
    path = folder / "groups.csv"
    if not path.is_file():
        return None, []
    groups: dict[str, str] = {}
    skips: list[Skip] = []
    for row in read_table(path, columns=(FILE, GROUP), skips=skips, what="label"):
        name, group = nfc(row[FILE].strip()).replace("\\", "/"), nfc(row[GROUP].strip())
        if patient_or_none(group) is None:
            skips.append(Skip(file=name, what="label", reason="its row has no group"))
        elif groups.setdefault(name, group) != group:
            skips.append(
                Skip(file=name, what="label", reason=f"is listed again with the group {group!r}")
            )
    return groups, skips


def list_masks(folder: Path, *, pictures: Pictures) -> tuple[Pictures, list[Skip]]:
    """Returns the mask of each image that has one, and masks without an image."""
    path = folder / "masks"
    if not path.is_dir():
        return {}, []
    masks, others = list_pictures(path)
    skips = [Skip(file=f"masks/{skip.file}", what="mask", reason=skip.reason) for skip in others]
    skips += [
        Skip(file=f"masks/{name}", what="mask", reason="has no image of the same name")
        for name in masks
        if name not in pictures
    ]
    return masks, skips
