"""Telling trouble that passes from errors of the work.

A run that the database, the disk, the network or a killed process stopped is put back and
tried again after a pause; one whose work is wrong fails, since it would fail again.
"""

from dataclasses import dataclass

import redis.exceptions
from django.db import DatabaseError, InterfaceError, InternalError, OperationalError
from kombu.exceptions import OperationalError as BrokerError

from generation.errors import (
    RemediableError,
    SurroundingsError,
    causes_of,
    is_of_memory,
    is_of_surroundings,
)

FIRST_PAUSE_S = 5
LONGEST_PAUSE_S = 600
OF_MEMORY = "See what else uses the memory; give the worker more, or the run less to do."
MAX_SETBACKS = 60
"""In a row, some nine hours: what has not passed by then does not pass by itself."""

DATABASE_GONE = (OperationalError, InterfaceError, InternalError)
"""The last also of a database that can only be read for now, after a failover or a full disk."""
REDIS_GONE = (BrokerError, redis.exceptions.RedisError)
BEYOND_LIMITS, READ_ONLY, IN_FAILED = "54", "25", "25P02"
"""How codes of PostgreSQL's errors begin: of a statement that is always too large, of a database
or transaction that cannot be written to now, and of one that had failed before.
"""
WRONG_KIND = "WRONGTYPE"


class ChildKilledError(RemediableError):
    """Somebody or the system killed a training child; it can go on from its last checkpoint."""


class ChildFailedBySurroundingsError(SurroundingsError):
    """A training child says that the disk or the host failed it, not its work."""


@dataclass(frozen=True)
class Trouble:
    """Why a run is put back, in words; ``is_crash`` counts among the workers that died of it.

    So does memory that ran out: others give theirs back, or the work wants too much each time.
    """

    why: str
    remedy: str = "Look at the database, Redis, the disk or the network that it names."
    is_crash: bool = False


def trouble_of(error: BaseException) -> Trouble | None:
    """Return what passes by itself behind an error; None where the work is at fault."""
    for cause in causes_of(error):
        if isinstance(cause, ChildKilledError):
            return Trouble(str(cause), remedy=cause.remedy, is_crash=True)
        if _is_of_database(cause) or _is_of_redis(cause) or is_of_surroundings(cause):
            is_crash = is_of_memory(cause)
            if isinstance(error, RemediableError):
                return Trouble(str(error), remedy=error.remedy, is_crash=is_crash)
            remedy = OF_MEMORY if is_crash else Trouble.remedy
            return Trouble(_words(cause), remedy=remedy, is_crash=is_crash)
    return None


def _is_of_database(error: BaseException) -> bool:
    """Returns whether PostgreSQL is away, or cannot do now what it can do at other times."""
    code = getattr(error.__cause__, "pgcode", None) or ""
    if isinstance(error, InternalError):  # also of our own triggers
        return code.startswith(READ_ONLY) and code != IN_FAILED
    if isinstance(error, DATABASE_GONE):
        return not code.startswith(BEYOND_LIMITS)
    return type(error) is DatabaseError  # of a connection that broke in the middle


def _is_of_redis(error: BaseException) -> bool:
    is_of_value = isinstance(error, redis.exceptions.DataError) or str(error).startswith(WRONG_KIND)
    return isinstance(error, REDIS_GONE) and not is_of_value


def pause_s(setbacks: int) -> int:
    """Return how long a run waits that was put back so often before: 5 s, 10 s ... 10 minutes."""
    return int(min(FIRST_PAUSE_S * 2 ** min(setbacks, 16), LONGEST_PAUSE_S))


def _words(error: BaseException) -> str:
    first = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {first[0] or 'it says no more'}"
