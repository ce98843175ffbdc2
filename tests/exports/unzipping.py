"""Exports, unzipped."""

import zipfile
from pathlib import Path


def unzip_file(path: Path, folder: Path) -> Path:
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    return folder
