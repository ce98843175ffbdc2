"""Lines of the log: plain, or JSON with the request or the run that they are of."""

import logging
import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponse

REQUEST_HEADER = "X-Request-ID"
GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")

request_id: ContextVar[str] = ContextVar("request_id", default="")
run_id: ContextVar[str] = ContextVar("run_id", default="")

logger = logging.getLogger("feedback_app.requests")


class WithIds(logging.Filter):
    """Gives every line the ids of what is being done; empty ones where nothing is."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        record.run_id = run_id.get()
        return True


@contextmanager
def within_run(run: object) -> Iterator[None]:
    """Lines that are written meanwhile, in this thread, carry the id of this run."""
    token = run_id.set(str(run))
    try:
        yield
    finally:
        run_id.reset(token)


def log_requests(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Writes a line a request, and lets what is logged meanwhile carry its id.

    A proxy may have given the request its id already; the answer carries it too.
    """

    def logging_it(request: HttpRequest) -> HttpResponse:
        given = request.headers.get(REQUEST_HEADER, "")
        name = given if GIVEN_ID.fullmatch(given) else uuid.uuid4().hex
        token, began = request_id.set(name), time.perf_counter()
        try:
            response = get_response(request)
            response.headers[REQUEST_HEADER] = name
            _log(request, response, seconds=time.perf_counter() - began)
        finally:
            request_id.reset(token)
        return response

    return logging_it


def _log(request: HttpRequest, response: HttpResponse, *, seconds: float) -> None:
    """The query stays out: what somebody searched for is nobody else's business."""
    match = request.resolver_match
    user = getattr(request, "user", None)
    logger.info(
        "%s %s %s",
        request.method,
        request.path,
        response.status_code,
        extra={
            "method": request.method,
            "path": request.path,
            "status": response.status_code,
            "view": match.view_name if match else "",
            "user": user.pk if user else None,
            "ms": round(seconds * 1000, 1),
        },
    )
