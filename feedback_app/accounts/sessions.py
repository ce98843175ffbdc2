"""How long a login lasts: a sliding idle time within an absolute one."""

import time

from django.conf import settings
from django.contrib.sessions.backends.base import SessionBase

BEGAN_AT = "login_began_at"
ACTIVE_AT = "login_active_at"
WAY = "login_way"

PASSWORD, CODE, SINGLE_SIGN_ON = "password", "password and code", "single sign-on"
"""Ways to log in."""


def begin(session: SessionBase, *, way: str = PASSWORD) -> None:
    session[BEGAN_AT] = session[ACTIVE_AT] = time.time()
    session[WAY] = way


def extend(session: SessionBase) -> None:
    session[ACTIVE_AT] = time.time()


def extend_now_and_then(session: SessionBase) -> None:
    """Note that somebody is here, without writing the session at every request."""
    if time.time() - session[ACTIVE_AT] >= settings.SESSION_REFRESH_S:
        extend(session)


def remaining_s(session: SessionBase) -> int:
    """Whole seconds until the login ends; 0 where it has."""
    if BEGAN_AT not in session:  # of a login before there were limits
        begin(session)
    idle_end = float(session[ACTIVE_AT]) + settings.SESSION_IDLE_S
    absolute_end = float(session[BEGAN_AT]) + settings.SESSION_COOKIE_AGE
    return max(0, int(min(idle_end, absolute_end) - time.time()))
