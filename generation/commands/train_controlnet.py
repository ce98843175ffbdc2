"""python -m generation.commands.train_controlnet RUN_DIR: make a model follow masks.

Under torchrun, the first process holds the run folder; the others help.
"""

import sys
from collections.abc import Mapping
from typing import Any

from generation.commands.run_folder import RunFolder, run_together
from generation.diffusion.controlnet_training import ControlNetTraining
from generation.specs import ControlNetSpec


def train_controlnet(folder: RunFolder) -> Mapping[str, Any]:
    training = ControlNetTraining(folder.spec(ControlNetSpec), folder.checkpoint, folder.report)
    model = folder.path / "model"
    training.run(model)
    return {"model": str(model), "steps": training.total}


def main() -> int:
    return run_together(train_controlnet, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
