"""python -m generation.commands.pretrain RUN_DIR: train a base model from nothing.

Under torchrun, the first process holds the run folder; the others help.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from generation.commands.run_folder import RunFolder, run_command
from generation.diffusion import processes
from generation.diffusion.pretraining import Pretraining
from generation.specs import PretrainSpec


def pretrain(folder: RunFolder) -> Mapping[str, Any]:
    training = Pretraining(folder.spec(PretrainSpec), folder.checkpoint, folder.report)
    model = folder.path / "model"
    training.run(model)
    return {"model": str(model), "steps": training.total}


def main() -> int:
    with processes.joined():
        if processes.rank() == 0:
            return run_command(pretrain, sys.argv[1:])
        pretrain(RunFolder(Path(sys.argv[1])))
        return 0


if __name__ == "__main__":
    sys.exit(main())
