"""python -m generation.commands.train_vlm RUN_DIR: train a vision-language model in stages.

Under torchrun, the first process holds the run folder; the others help.
"""

import sys
from collections.abc import Mapping
from typing import Any

from generation.commands.run_folder import RunFolder, run_together
from generation.specs import VlmSpec
from generation.vlm.model.training import VlmTraining


def train(folder: RunFolder) -> Mapping[str, Any]:
    """Write the VLM to RUN_DIR/model."""
    training = VlmTraining(folder.spec(VlmSpec), folder.checkpoint, folder.report)
    model = folder.path / "model"
    training.run(model)
    return {"model": str(model), "steps": training.total}


def main() -> int:
    return run_together(train, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
