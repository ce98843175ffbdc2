"""The formats that curated sets are exported in: a module and a line here each."""

from typing import Literal, get_args

from feedback_app.exports.formats import chexpert, imagefolder
from feedback_app.exports.formats.base import Format

FormatName = Literal["imagefolder", "chexpert"]
FORMATS: dict[str, Format] = {
    "imagefolder": imagefolder.FORMAT,
    "chexpert": chexpert.FORMAT,
}
NAMES: tuple[FormatName, ...] = get_args(FormatName)

__all__ = ["FORMATS", "NAMES", "Format", "FormatName", "format_choices"]


def format_choices() -> list[tuple[str, str]]:
    return [(name, FORMATS[name].label) for name in NAMES]
