"""python -m generation.commands.continue_training RUN_DIR: train a model further on a cohort.

Under torchrun, the first process holds the run folder; the others help.
"""

import sys
from collections.abc import Mapping
from typing import Any

from generation.commands.run_folder import RunFolder, run_together
from generation.diffusion.continuing import ContinuedTraining
from generation.specs import ContinueSpec


def continue_training(folder: RunFolder) -> Mapping[str, Any]:
    training = ContinuedTraining(folder.spec(ContinueSpec), folder.checkpoint, folder.report)
    model = folder.path / "model"
    training.run(model)
    return {"model": str(model), "steps": training.total}


def main() -> int:
    return run_together(continue_training, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
