"""python -m generation.commands.pretrain RUN_DIR: train a base model from nothing.

Under torchrun, the first process holds the run folder; the others help.
"""

import sys
from collections.abc import Mapping
from typing import Any

from generation.commands.run_folder import RunFolder, run_together
from generation.diffusion.pretraining import Pretraining
from generation.specs import PretrainSpec


def pretrain(folder: RunFolder) -> Mapping[str, Any]:
    training = Pretraining(folder.spec(PretrainSpec), folder.checkpoint, folder.report)
    model = folder.path / "model"
    training.run(model)
    return {"model": str(model), "steps": training.total}


def main() -> int:
    return run_together(pretrain, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
