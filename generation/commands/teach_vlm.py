"""python -m generation.commands.teach_vlm RUN_DIR: teach a VLM what readers prefer."""

import sys
from collections.abc import Mapping
from typing import Any

from generation.commands.run_folder import RunFolder, run_command
from generation.specs import VlmPreferenceSpec
from generation.vlm.model.preferring import teach


def work(folder: RunFolder) -> Mapping[str, Any]:
    """Write the child to RUN_DIR/model; a run that was stopped goes on from its checkpoint."""
    spec = folder.spec(VlmPreferenceSpec)

    def report(step: int, figures: Mapping[str, float]) -> None:
        folder.report(step, spec.steps, "Learning what readers prefer", figures)

    model = folder.path / "model"
    curves = teach(spec, checkpoint=folder.checkpoint, model=model, report=report)
    return {"model": str(model), "steps": spec.steps, "curves": curves}


def main() -> int:
    return run_command(work, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
