"""What a line of the table of access says: who is answered how, by which method."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.world import World

Statuses = tuple[int, int, int, int, int, int]


def answers(*statuses: int) -> Statuses:
    nobody, rosa, ravi, otto, cora, ada = statuses
    return nobody, rosa, ravi, otto, cora, ada


LOGGED_IN = answers(302, 200, 200, 200, 200, 200)
COORDINATORS = answers(302, 403, 403, 403, 200, 200)
ADMINS = answers(302, 403, 403, 403, 403, 200)
ADMINS_BY_API = answers(403, 403, 403, 403, 403, 200)
COORDINATORS_BY_API = answers(403, 403, 403, 403, 200, 200)
LOGGED_IN_BY_API = answers(403, 200, 200, 200, 200, 200)
THE_SLOTS_READER = answers(302, 200, 404, 404, 404, 404)
THE_SLOTS_READER_BY_API = answers(403, 200, 404, 404, 404, 404)


def does(allowed: Statuses, status: int = 302) -> Statuses:
    """The same people, who are answered with another status than 200."""
    nobody, *others = allowed
    return answers(nobody, *(status if answer == 200 else answer for answer in others))


@dataclass(frozen=True)
class Line:
    """What a request by this method is answered; ``args`` and ``body`` come from the world."""

    expected: Statuses
    method: str = "get"
    args: Callable[[World], list[Any]] = field(default=lambda _: [])
    body: Callable[[World], dict[str, Any]] = field(default=lambda _: {})


def get(expected: Statuses, args: Callable[[World], list[Any]] = lambda _: []) -> Line:
    return Line(expected, args=args)


def post(
    expected: Statuses,
    args: Callable[[World], list[Any]] = lambda _: [],
    body: Callable[[World], dict[str, Any]] = lambda _: {},
) -> Line:
    return Line(expected, method="post", args=args, body=body)
