"""The formats that curated sets are exported in: a module and a line here each."""

from typing import Literal, get_args

from feedback_app.exports.formats import chexpert, coco, dicom, imagefolder, parquet, webdataset
from feedback_app.exports.formats.base import Format, Layout

FormatName = Literal["imagefolder", "parquet", "webdataset", "coco", "chexpert", "dicom"]
FORMATS: dict[str, Format] = {
    one.name: one
    for one in (
        imagefolder.FORMAT,
        parquet.FORMAT,
        webdataset.FORMAT,
        coco.FORMAT,
        chexpert.FORMAT,
        dicom.FORMAT,
    )
}
NAMES: tuple[FormatName, ...] = get_args(FormatName)

__all__ = ["FORMATS", "NAMES", "Format", "FormatName", "Layout", "format_choices"]


def format_choices() -> list[tuple[str, str]]:
    return [(name, FORMATS[name].label) for name in NAMES]
