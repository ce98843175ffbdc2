"""python -m generation.commands.ask_vlm RUN_DIR: one question of one picture, and of others."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from generation.commands.run_folder import RunFolder, run_command
from generation.specs import QuestionSpec
from generation.vlm.model.vlms import Asked, load_vlm


def ask(folder: RunFolder) -> Mapping[str, Any]:
    """Returns the answer in words, or each option's probability and its mean over the other
    pictures.
    """
    spec = folder.spec(QuestionSpec)
    vlm = load_vlm(spec.vlm)
    asked = [
        Asked(question=spec.question, options=spec.options, pictures=(_read(path),))
        for path in (spec.picture, *spec.others)
    ]
    if not spec.options:
        return {"text": vlm.write(asked)[0]}
    first, *others = vlm.choose(asked)
    blind = np.mean([one.probabilities for one in others], axis=0).tolist() if others else []
    return {"probabilities": list(first.probabilities), "blind": blind,
            "is_stable": first.is_stable}  # fmt: skip


def _read(path: str) -> np.ndarray[Any, Any]:
    with Image.open(Path(path)) as picture:
        return np.asarray(picture.convert("L"))


def main() -> int:
    return run_command(ask, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
