"""What is said before anything is erased, and how the database is told that it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection


@contextmanager
def erasing() -> Iterator[None]:
    """Lets append-only rows lose what an erasure takes, within the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL reading_room.erasing = 'on'")
    yield
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL reading_room.erasing = 'off'")


@dataclass(frozen=True)
class Plan:
    """``refusal`` is why it cannot be done yet; ``warnings`` are what somebody may want to do
    before.
    """

    name: str
    goes: tuple[str, ...]
    stays: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    refusal: str = ""

    def lines(self) -> list[str]:
        """Returns all of it for a terminal."""
        return [
            *(f"goes: {line}" for line in self.goes),
            *(f"stays: {line}" for line in self.stays),
            *self.warnings,
            *([self.refusal] if self.refusal else []),
        ]
