"""python -m generation.commands.own_generator RUN_DIR: a cell's own generator and its images."""

import sys
import time
from collections.abc import Mapping
from typing import Any

from generation.commands.run_folder import RunFolder, run_command
from generation.diffusion.own_generator import OwnGenerator
from generation.specs import OwnGeneratorSpec


def make(folder: RunFolder) -> Mapping[str, Any]:
    """Leave images and RUN_DIR/pool.jsonl, which names them with what they are to show."""
    started_s = time.monotonic()
    spec = folder.spec(OwnGeneratorSpec)
    OwnGenerator(spec, folder.path, folder.checkpoint, folder.report).run()
    return {"images": spec.count, "seconds": time.monotonic() - started_s}


def main() -> int:
    return run_command(make, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
