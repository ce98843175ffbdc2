"""Networks of the experiments, each trained once by the command of the product."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from generation.commands.run_folder import run_command
from generation.specs import write_spec


def trained(folder: Path, command: Any, spec_of: Callable[[Path], Any]) -> Path:
    """Returns the model in a run folder; ``spec_of`` gives the spec of ``command`` for that folder.

    A folder that has its result is not trained again, one that was cut short goes on.
    """
    if not (folder / "result.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        write_spec(spec_of(folder), folder / "spec.json")
        if run_command(command, [str(folder)]):
            raise SystemExit(f"the training in {folder} failed")
    return folder / "model"
