"""Whether this installation can work: what load balancers and container hosts ask."""

import time
from collections.abc import Callable
from threading import Lock
from uuid import uuid4

import redis
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse
from redis.exceptions import RedisError

LIVE, READY = "/healthz", "/readyz"
OK = "ok"
KEPT_S = 2.0
"""An answer holds for so long: whoever asks more often makes no work."""

GetResponse = Callable[[HttpRequest], HttpResponse]


def answer_health_checks(get_response: GetResponse) -> GetResponse:
    """Whoever watches the process asks it by any name and without TLS."""
    readiness = Readiness()

    def answering(request: HttpRequest) -> HttpResponse:
        if request.path_info == LIVE:
            return HttpResponse("ok", content_type="text/plain")
        if request.path_info == READY:
            return answer_with(readiness.now())
        return get_response(request)

    return answering


def answer_with(found: dict[str, str]) -> JsonResponse:
    """Without Redis the product is slower, and ready; without anything else it is not."""
    is_ready = all(word == OK for name, word in found.items() if name != "redis")
    body = {"ready": is_ready, **found}
    return JsonResponse(
        body, status=200 if is_ready else 503, headers={"Cache-Control": "no-store"}
    )


class Readiness:
    """What was found last, for as long as it holds; one request at a time looks anew."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._found: dict[str, str] = {}
        self._until = 0.0

    def now(self) -> dict[str, str]:
        with self._lock:
            if time.monotonic() >= self._until:
                self._found = look()
                self._until = time.monotonic() + KEPT_S
            return self._found


def look() -> dict[str, str]:
    """Returns a word for each part; never an address, a name or an error's text."""
    database = _database()
    return {
        "database": database,
        "migrations": _migrations() if database == OK else "unknown",
        "redis": _redis(),
        "storage": _storage(),
    }


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        connection.close()
        return "away"
    return OK


def _migrations() -> str:
    """Returns whether the database has the tables that this code is for."""
    try:
        applied = MigrationRecorder(connection).applied_migrations().keys()
    except DatabaseError:
        return "unknown"
    return OK if newest_migrations() <= applied else "to be applied"


def newest_migrations() -> set[tuple[str, str]]:
    """Returns the last migration of each app, as it lies here."""
    if not _newest:
        _newest.update(MigrationLoader(None, ignore_no_migrations=True).graph.leaf_nodes())
    return set(_newest)


_newest: set[tuple[str, str]] = set()


def _redis() -> str:
    options = settings.CACHES["default"]["OPTIONS"]
    server = redis.Redis.from_url(settings.CACHES["default"]["LOCATION"], **options)
    try:
        server.ping()
    except (RedisError, OSError):
        return "away, done without"
    finally:
        server.close()
    return OK


def _storage() -> str:
    """Returns whether a file can be written where pictures lie."""
    try:
        written = default_storage.save(f"readyz/{uuid4().hex}", ContentFile(b"ok"))
        default_storage.delete(written)
    except Exception:  # noqa: BLE001  each storage has errors of its own
        return "cannot be written"
    return "is being moved" if settings.STORAGE_URL and _is_half_moved() else OK


def _is_half_moved() -> bool:
    from feedback_app.operations.buckets.marks import is_half_moved  # the client of buckets

    return is_half_moved()
