"""Who gave the right password and owes the code: nobody is logged in before both."""

import time

from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

from feedback_app.accounts.models import User

WAITING = "login_waits_for_code"
PATIENCE_S = 300


def begin(request: HttpRequest, person: User, *, then: str) -> None:
    request.session.cycle_key()
    request.session[WAITING] = {
        "person": person.pk,
        # With another password in the meantime the right one is not known any more.
        "hash": person.get_session_auth_hash(),
        "until": time.time() + PATIENCE_S,
        "then": then,
    }


def person_of(request: HttpRequest) -> User | None:
    """Whoever this browser gave the password of, for as long as we wait for the code."""
    waiting = request.session.get(WAITING)
    if not waiting or waiting["until"] < time.time():
        return None
    person = User.objects.filter(pk=waiting["person"], is_active=True).first()
    if person and constant_time_compare(person.get_session_auth_hash(), waiting["hash"]):
        return person
    return None


def end(request: HttpRequest) -> str:
    """Returns where they wanted to go."""
    waiting = request.session.pop(WAITING, None) or {}
    return str(waiting.get("then", ""))
