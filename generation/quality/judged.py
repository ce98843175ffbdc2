"""What somebody makes of images of both sides. Torch-free."""

from collections.abc import Sequence
from dataclasses import dataclass

Values = Sequence[float]


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What a judge, or what was trained on, makes of each image of both sides; higher is better."""

    name: str
    about: str
    child: Values
    parent: Values
