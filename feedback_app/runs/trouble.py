"""Telling trouble that passes from errors of the work.

A run that the database, the disk, the network or a killed process stopped is put back and
tried again after a pause; one whose work is wrong fails, since it would fail again.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import redis.exceptions
from django.db import InterfaceError, OperationalError
from kombu.exceptions import OperationalError as BrokerError

from generation.errors import RemediableError, is_of_surroundings

FIRST_PAUSE_S = 5
LONGEST_PAUSE_S = 600
MAX_SETBACKS = 60
"""In a row, some nine hours: what has not passed by then does not pass by itself."""

DATABASE_GONE = (OperationalError, InterfaceError)
REDIS_GONE = (BrokerError, redis.exceptions.RedisError)
SERVERS_GONE = (*DATABASE_GONE, *REDIS_GONE)


class ChildKilledError(RemediableError):
    """Somebody or the system killed a training child; it can go on from its last checkpoint."""


class ChildFailedBySurroundingsError(RemediableError):
    """A training child says that the disk or the host failed it, not its work."""


@dataclass(frozen=True)
class Trouble:
    """Why a run is put back, in words; ``is_crash`` counts among the workers that died of it."""

    why: str
    remedy: str = "Look at the database, Redis, the disk or the network that it names."
    is_crash: bool = False


def trouble_of(error: BaseException) -> Trouble | None:
    """Return what passes by itself behind an error; None where the work is at fault."""
    for cause in causes_of(error):
        if isinstance(cause, ChildKilledError):
            return Trouble(str(cause), remedy=cause.remedy, is_crash=True)
        is_server = isinstance(cause, (*SERVERS_GONE, ChildFailedBySurroundingsError))
        if is_server or is_of_surroundings(cause):
            if isinstance(error, RemediableError):
                return Trouble(str(error), remedy=error.remedy)
            return Trouble(_words(cause))
    return None


def causes_of(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and what it was raised from, or while."""
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def pause_s(setbacks: int) -> int:
    """Return how long a run waits that was put back so often before: 5 s, 10 s ... 10 minutes."""
    return int(min(FIRST_PAUSE_S * 2 ** min(setbacks, 16), LONGEST_PAUSE_S))


def _words(error: BaseException) -> str:
    first = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {first[0]}"
