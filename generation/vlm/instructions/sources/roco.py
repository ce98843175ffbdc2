"""ROCO: figures of articles with their captions; of these, the chest X-rays.

``train/radiology/captions.txt`` (name, tab, caption) and ``train/radiology/images/``; likewise
``validation`` and ``test``.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from generation.datasets.files import is_plain_name
from generation.datasets.parsed import MISSING, Skip, require_folder
from generation.errors import RemediableError
from generation.vlm.instructions.families.text_generation import CAPTION
from generation.vlm.instructions.records import Exam
from generation.vlm.instructions.sources.common import SPLITS, Folders, picture_at

NAME = "roco"
PARTS = ("train", "validation", "test")
CHEST_XRAY = re.compile(
    r"\bchest (?:x-?ray|radiograph\w*|film|roentgenogra\w+)|\bCXR\b|\bradiograph\w* of the chest\b"
    r"|\b(?:postero-?anterior|PA|AP) (?:view of the )?chest\b",
    re.IGNORECASE,
)


def read(folders: Folders) -> Iterator[Exam | Skip]:
    """Its splits are by figure; figures that look alike are kept together all the same."""
    folder = require_folder(folders[NAME])
    for part in PARTS:
        place = folder / part / "radiology"
        for name, caption in captions_of(place / "captions.txt"):
            if not CHEST_XRAY.search(caption):
                yield Skip(file=name, reason="has a caption that tells of no chest X-ray")
                continue
            path = place / "images" / f"{name}.jpg"
            if not is_plain_name(path.name) or not path.is_file():
                yield Skip(file=name, reason=MISSING)
                continue
            yield Exam(
                source=NAME,
                key=name,
                patient=f"{NAME}:{name}",
                given_split=SPLITS[part],
                pictures=(picture_at(NAME, folder, path),),
                sections={CAPTION: caption},
            )


def captions_of(path: Path) -> Iterator[tuple[str, str]]:
    """Name and caption, on one line, of each figure that has both."""
    try:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                name, _, caption = line.partition("\t")
                if text := " ".join(caption.split()):
                    yield name.strip(), text
    except (OSError, UnicodeDecodeError) as error:
        raise RemediableError(
            f"{path} cannot be read: {error}",
            remedy="Give the folder of ROCO that holds train, validation and test.",
        ) from error
