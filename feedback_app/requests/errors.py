"""What is wrong with a request, and at which of its fields."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from generation.errors import RemediableError

WHOLE = "non_field_errors"
"""The name under which the API tells what is wrong with a request as a whole."""
OWN_WORDS = {"extra_forbidden": "There is no such field.", "missing": "This field is required."}


@dataclass(frozen=True)
class Problem:
    """``place`` leads to the value, as in ``("masks", "seed")``; ``shown`` is the value."""

    place: tuple[str | int, ...]
    said: str
    shown: str = ""

    def __str__(self) -> str:
        name = ".".join(map(str, self.place))
        return f"{name}{self.shown and f' = {self.shown}'}: {self.said}" if name else self.said


class RequestError(RemediableError):
    """A request that cannot be met; ``problems`` are told at their fields where there are any."""

    def __init__(self, problems: Sequence[Problem], *, message: str = "", remedy: str) -> None:
        super().__init__(message or "\n".join(map(str, problems)), remedy=remedy)
        self.problems = tuple(problems)

    @classmethod
    def of(cls, error: ValidationError) -> "RequestError":
        problems = [_problem_of(each) for each in error.errors(include_url=False)]
        places = [problem.place for problem in problems]
        # Of a list with a bad item pydantic also says that an item is missing.
        deepest = [
            one for one in problems if not any(_is_within(each, one.place) for each in places)
        ]
        return cls(deepest, remedy="Choose other values.")

    @property
    def fields(self) -> dict[str, Any]:
        """The problems nested as the values are: ``{"masks": {"seed": ["..."]}}``."""
        fields: dict[str, Any] = {}
        for problem in self.problems:
            *parents, last = map(str, problem.place or (WHOLE,))
            inner = fields
            for name in parents:
                inner = inner.setdefault(name, {})
            inner.setdefault(last, []).append(problem.said)
        return fields


def _is_within(place: tuple[str | int, ...], other: tuple[str | int, ...]) -> bool:
    return len(place) > len(other) and place[: len(other)] == other


def _problem_of(found: Any) -> Problem:
    said = OWN_WORDS.get(found["type"], found["msg"].removeprefix("Value error, "))
    said = said if said.endswith((".", "?")) else f"{said}."
    said = said if found["loc"] else said[:1].upper() + said[1:]
    is_there = found["type"] != "missing" and found["loc"]
    return Problem(tuple(found["loc"]), said, repr(found["input"])[:80] if is_there else "")


@contextmanager
def at(*place: str | int) -> Iterator[None]:
    """Tell what is raised here at the field of a request that it comes from."""
    try:
        yield
    except RequestError:
        raise
    except RemediableError as error:
        said = str(error)
        raise RequestError([Problem(place, said)], message=said, remedy=error.remedy) from error
