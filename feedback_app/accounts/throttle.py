"""Locks against guessed passwords, kept by django-axes in the database."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Max, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from feedback_app.accounts.addresses import counted, counted_address
from feedback_app.accounts.models import AuditEvent


class LoginThrottle(AxesDatabaseHandler):  # axes has no types
    """Counts failures by name and address together, and by either alone at a higher limit.

    A name that is guessed at from many addresses is locked, but not for where its owner logged
    in before: nobody can lock somebody out of their own desk from afar.
    """

    def get_failures(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> int:
        """Failures by name and address, or those by one of them in proportion to its own limit."""
        by_both, by_address, by_name = (
            attempts.aggregate(sum=Sum("failures_since_start"))["sum"] or 0
            for attempts in self.get_user_attempts(request, credentials)
        )
        if by_name >= settings.LOGIN_FAILURES_PER_NAME:
            name = (credentials or {}).get("username") or ""
            by_name = 0 if is_known_at(name, counted_address(request)) else by_name
        limit = settings.LOGIN_FAILURES
        return max(
            by_both,
            by_address * limit // settings.LOGIN_FAILURES_PER_ADDRESS,
            by_name * limit // settings.LOGIN_FAILURES_PER_NAME,
        )

    def reset_user_attempts(
        self, request: HttpRequest, credentials: dict[str, Any] | None = None
    ) -> int:
        """Forget a name's failures when it logs in, but not the others' from its address.

        Whoever has one password could otherwise go on guessing those of other people.
        """
        by_both, _, _ = self.filter_user_attempts(request, credentials)
        count, _ = by_both.delete()
        return int(count)


def is_known_at(username: str, address: str | None) -> bool:
    """Returns whether somebody of this name has logged in from this address lately."""
    since = timezone.now() - timedelta(days=settings.LOGIN_KNOWN_DAYS)
    logins = AuditEvent.objects.filter(
        action="login.succeeded", target=username, at__gte=since, address__isnull=False
    )
    seen = logins.order_by().values_list("address", flat=True).distinct()
    return any(counted(one) == address for one in seen if one)


@dataclass(frozen=True, kw_only=True)
class Lock:
    """``username`` is empty where the whole address is locked.

    ``is_everywhere``: the name is locked wherever its owner has not logged in before.
    """

    username: str
    address: str
    failures: int
    until: datetime
    is_everywhere: bool = False

    @property
    def remaining_min(self) -> int:
        """Minutes to wait, rounded up."""
        return max(1, -int((timezone.now() - self.until).total_seconds() // 60))


def current_locks() -> list[Lock]:
    """Returns what is locked now, the longest first."""
    return sorted(_locks(_recent()), key=lambda lock: lock.until, reverse=True)


def lock_on(username: str, address: str | None) -> Lock | None:
    """Returns the lock that this name meets at this address; of two, the one that lasts longer."""
    here = _locks(_recent().filter(ip_address=address))
    everywhere = _locks(_recent().filter(username=username))
    met = [lock for lock in here if lock.username in {"", username} and not lock.is_everywhere]
    met += [lock for lock in everywhere if lock.is_everywhere]
    return max(met, key=lambda lock: lock.until, default=None)


def unlock(*, username: str = "", address: str | None = None) -> int:
    """Forget the failures of a name, of an address, or of both together; how many."""
    wanted = {"username": username, "ip_address": address}
    filters = {field: value for field, value in wanted.items() if value}
    assert filters
    return int(AccessAttempt.objects.filter(**filters).delete()[0])


def locked_response(
    request: HttpRequest, _original: HttpResponse, credentials: dict[str, Any] | None
) -> HttpResponse:
    """Shows a page in place of the login that says how long to wait."""
    name = (credentials or {}).get("username") or ""
    lock = lock_on(name, request.axes_ip_address)  # type: ignore[attr-defined]
    minutes = lock.remaining_min if lock else 1
    response = render(request, "accounts/locked.html", {"minutes": minutes}, status=429)
    response["Retry-After"] = str(minutes * 60)
    return response


def _recent() -> QuerySet[Any]:
    attempts: QuerySet[Any] = AccessAttempt.objects.filter(
        attempt_time__gte=timezone.now() - settings.AXES_COOLOFF_TIME
    )
    return attempts


def _locks(attempts: QuerySet[Any]) -> list[Lock]:
    by_both = _counted(attempts, "username", "ip_address", limit=settings.LOGIN_FAILURES)
    by_address = _counted(attempts, "ip_address", limit=settings.LOGIN_FAILURES_PER_ADDRESS)
    by_name = _counted(attempts, "username", limit=settings.LOGIN_FAILURES_PER_NAME)
    return [
        Lock(
            username=row.get("username") or "",
            address=row.get("ip_address") or "",
            failures=row["failures"],
            until=row["last"] + settings.AXES_COOLOFF_TIME,
            is_everywhere="ip_address" not in row,
        )
        for row in (*by_both, *by_address, *by_name)
    ]


def _counted(attempts: QuerySet[Any], *fields: str, limit: int) -> QuerySet[Any]:
    counted = attempts.order_by().values(*fields)
    return counted.annotate(failures=Sum("failures_since_start"), last=Max("attempt_time")).filter(
        failures__gte=limit
    )
