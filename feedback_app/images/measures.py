"""The measures of candidates, a row each: pages, policies and workers take theirs from here.

A measure that needs no trained weights is a row with a ``function`` of a picture; workers
then measure every candidate by it as it is made, and ``manage.py measure`` those before.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from generation.measures.sharpness import sharpness

NEAREST_TRAINING_IMAGE = "nearest-training-image"


@dataclass(frozen=True, kw_only=True)
class MeasureKind:
    """``name`` is that of ``Measure.scorer``; values go up to ``most`` where they end.

    ``more_is_better`` is None where a value says how an image is, and not how good. A
    ``version`` belongs to a ``function``, and changes with it.
    """

    name: str
    label: str
    more_is_better: bool | None
    most: float | None = None
    function: Callable[[np.ndarray[Any, Any]], float] | None = None
    version: str = ""


MEASURES = {
    kind.name: kind
    for kind in (
        MeasureKind(name="mask-agreement", label="Mask agreement", more_is_better=True, most=1),
        MeasureKind(name="label-agreement", label="Label agreement", more_is_better=True, most=1),
        MeasureKind(name="predicted-score", label="Predicted score", more_is_better=True, most=5),
        *(
            MeasureKind(
                name=f"visible-{what}", label=f"Visible {what}", more_is_better=True, most=1
            )
            for what in ("finding", "view", "sex", "age", "side")
        ),
        MeasureKind(
            name="visible-absence", label="No other finding visible", more_is_better=True, most=1
        ),
        MeasureKind(
            name=NEAREST_TRAINING_IMAGE,
            label="Nearest training image",
            more_is_better=False,
            most=1,
        ),
        MeasureKind(
            name="sharpness",
            label="Sharpness",
            more_is_better=None,
            function=sharpness,
            version="1",
        ),
    )
}
OF_PICTURES = tuple(kind for kind in MEASURES.values() if kind.function)
"""Those that need nothing but the picture."""
BETTER = {name: kind for name, kind in MEASURES.items() if kind.more_is_better}
"""Those of which a policy may ask at least so much."""


def label_of(name: str) -> str:
    """Returns what a measure is called on pages, also one that is not made any more."""
    return MEASURES[name].label if name in MEASURES else name.replace("-", " ").capitalize()
