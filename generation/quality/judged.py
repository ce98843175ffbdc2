"""What somebody makes of images of both sides. Torch-free."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Values = Sequence[float]


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A judge, or what was trained on, gives each image of both sides a value; higher is better.

    ``source`` says what it rests on: a kind and an id, or nothing where it is a formula.
    """

    name: str
    about: str
    child: Values
    parent: Values
    source: Mapping[str, str] = field(default_factory=dict)
