"""What every spec is held to: a setting that a spec does not know is refused."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pydantic import ConfigDict, ValidationError

from generation.errors import RemediableError

STRICT = ConfigDict(extra="forbid", allow_inf_nan=False)


@contextmanager
def naming_the_setting() -> Iterator[None]:
    """Say which setting of a spec that is made here cannot be used, and why."""
    try:
        yield
    except ValidationError as error:
        raise RemediableError(
            _said_of(error.errors()[0]), remedy="Choose another value."
        ) from error


def _said_of(problem: Mapping[str, Any]) -> str:
    """Say it in words; a problem of several settings together has no name or value of its own."""
    if not problem["loc"]:
        return f"{problem['msg'].removeprefix('Value error, ')}."
    return f"{'.'.join(map(str, problem['loc']))} = {problem['input']!r}: {problem['msg']}."
