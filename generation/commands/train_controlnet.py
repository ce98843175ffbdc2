"""python -m generation.commands.train_controlnet RUN_DIR: make a model follow masks.

Under torchrun, the first process holds the run folder; the others help.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from generation.commands.run_folder import RunFolder, run_command
from generation.diffusion import processes
from generation.diffusion.controlnet_training import ControlNetTraining
from generation.specs import ControlNetSpec


def train_controlnet(folder: RunFolder) -> Mapping[str, Any]:
    training = ControlNetTraining(folder.spec(ControlNetSpec), folder.checkpoint, folder.report)
    model = folder.path / "model"
    training.run(model)
    return {"model": str(model), "steps": training.total}


def main() -> int:
    with processes.joined():
        if processes.rank() == 0:
            return run_command(train_controlnet, sys.argv[1:])
        train_controlnet(RunFolder(Path(sys.argv[1])))
        return 0


if __name__ == "__main__":
    sys.exit(main())
