"""Folders of NIH ChestX-ray14 as it is distributed, made up."""

from pathlib import Path

from generation.datasets.nih import read_nih
from generation.datasets.parsed import Skip, SourceImage

HEADER = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position"
)


BOX_HEADER = "Image Index,Finding Label,Bbox [x,y,w,h],Unnamed: 6"


def lay_out(
    folder: Path, *rows: str, files: tuple[str, ...] = (), boxes: tuple[str, ...] = ()
) -> Path:
    (folder / "images").mkdir()
    (folder / "Data_Entry_2017_v2020.csv").write_text("\n".join([HEADER, *rows]) + "\n")
    if boxes:
        (folder / "BBox_List_2017.csv").write_text("\n".join([BOX_HEADER, *boxes]) + "\n")
    for name in files:
        (folder / "images" / name).write_bytes(b"not looked at")
    return folder


def parse_with(folder: Path, *, rsna: Path | None) -> tuple[list[SourceImage], list[Skip]]:
    rows = list(read_nih(folder, rsna=rsna).rows)
    images = [row for row in rows if isinstance(row, SourceImage)]
    return images, [row for row in rows if isinstance(row, Skip)]
