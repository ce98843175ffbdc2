"""python -m generation.commands.convert_checkpoint RUN_DIR: make a folder of a single file."""

import shutil
import sys
from collections.abc import Mapping
from typing import Any

from generation.commands.run_folder import RunFolder, run_command
from generation.diffusion.single_file import convert
from generation.specs import ConversionSpec


def convert_checkpoint(folder: RunFolder) -> Mapping[str, Any]:
    model, partial = folder.path / "model", folder.path / "model.part"
    shutil.rmtree(partial, ignore_errors=True)  # what a killed attempt left
    if not model.is_dir():
        convert(folder.spec(ConversionSpec), partial)
        partial.rename(model)
    return {"model": str(model)}


def main() -> int:
    return run_command(convert_checkpoint, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
