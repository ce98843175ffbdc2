"""JSRT with SCR's outlines: a nodule or none; heart, lungs and clavicles."""

from collections.abc import Iterator

from generation.datasets.files import list_pictures
from generation.datasets.parsed import Skip, require_folder
from generation.vlm.instructions.families.fine_perception import ANATOMY
from generation.vlm.instructions.records import Exam
from generation.vlm.instructions.sources.common import Folders, around, mask_at, picture_at

NAME = "jsrt"
STRUCTURES = {
    "heart": "heart",
    "left_lung": "left lung",
    "right_lung": "right lung",
    "left_clavicle": "left clavicle",
    "right_clavicle": "right clavicle",
}
"""By the folder of its masks."""
FINDING, WITH_NODULE, WITHOUT = "nodule", "JPCLN", "JPCNN"


def read(folders: Folders) -> Iterator[Exam | Skip]:
    """The name of a file says whether there is a nodule."""
    folder = folders[NAME]
    pictures, others = list_pictures(require_folder(folder / "images"))
    yield from others
    for name, path in pictures.items():
        regions = tuple(
            region
            for kind, label in STRUCTURES.items()
            if (mask := folder / kind / f"{path.stem}.png").is_file()
            for region in around(mask_at(mask), label=label, task=ANATOMY)
        )
        yield Exam(
            source=NAME,
            key=name,
            patient=f"{NAME}:{path.stem}",
            pictures=(picture_at(NAME, folder, path),),
            present=(FINDING,) if name.startswith(WITH_NODULE) else (),
            absent=(FINDING,) if name.startswith(WITHOUT) else (),
            regions=regions,
        )
