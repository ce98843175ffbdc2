"""Logins and logouts, as Django and axes tell of them, written into the audit log."""

from typing import Any

from axes.signals import user_locked_out
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.http import HttpRequest

from feedback_app.accounts import sessions
from feedback_app.accounts.addresses import client_address
from feedback_app.accounts.audit import record
from feedback_app.accounts.models import User

UNKNOWN_NAME = "unknown name"
"""People type passwords into the field for the name, so a name that nobody has is not kept."""


def connect() -> None:
    for signal, receiver in (
        (user_logged_in, logged_in),
        (user_login_failed, login_failed),
        (user_locked_out, locked_out),
        (user_logged_out, logged_out),
    ):
        signal.connect(receiver, dispatch_uid=f"audit {receiver.__name__}")


def logged_in(*, request: HttpRequest, user: User, **_: Any) -> None:
    way = getattr(request, "login_way", sessions.PASSWORD)
    sessions.begin(request.session, way=way)
    details = {} if way == sessions.PASSWORD else {"by": way}
    _record("login.succeeded", request=request, actor=user, about=user, details=details)


def login_failed(
    *, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any
) -> None:
    """A wrong name, password or code; where it locked, or met a lock, ``locked_out`` has the word.

    The receiver of axes runs before this one, since the import above connects it.
    """
    if not getattr(request, "axes_locked_out", False):
        details = {"at": "the second factor"} if "code" in credentials else {}
        about = _named(credentials.get("username"))
        _record("login.failed", request=request, about=about, details=details)


def locked_out(*, request: HttpRequest, username: str | None, **_: Any) -> None:
    """The failure that locked; axes sends this again for every try that is refused after it."""
    if request.axes_failures_since_start is not None:  # type: ignore[attr-defined]
        _record("login.locked", request=request, about=_named(username))


def logged_out(*, request: HttpRequest, user: User | None, **_: Any) -> None:
    if user is not None:
        reason = getattr(request, "session_ended_by", "")
        details = {"because": reason} if reason else {}
        _record("logout", request=request, actor=user, about=user, details=details)


def _named(username: str | None) -> User | None:
    return User.objects.filter(username=username or "").first()


def _record(
    action: str,
    *,
    request: HttpRequest | None,
    about: User | None,
    actor: User | None = None,
    details: dict[str, Any] | None = None,
) -> None:
    record(
        action,
        actor=actor,
        target=about.username if about else UNKNOWN_NAME,
        target_id=about.pk if about else "",
        details=details,
        address=client_address(request) if request else None,
    )
