"""Runs whose handler is a function of the test."""

from collections.abc import Callable, Iterator

import pytest

from feedback_app.caching import redis_breaker
from feedback_app.runs import kinds, workers
from feedback_app.runs.kinds import Handler
from feedback_app.runs.models import Run


@pytest.fixture
def handle(monkeypatch: pytest.MonkeyPatch) -> Callable[[Handler], Handler]:
    """Makes a function the handler of imports, which need no torch."""

    def register(handler: Handler) -> Handler:
        monkeypatch.setitem(kinds._handlers, "import_cohort", handler)
        return handler

    return register


@pytest.fixture
def queued(db: None) -> Run:
    return Run.objects.create(kind="import_cohort", queue="cpu", title="Import the cohort")


@pytest.fixture(autouse=True)
def not_stopping() -> Iterator[None]:
    yield
    workers.stopping.clear()
    redis_breaker.close()
