"""A second factor by time-based codes (RFC 6238), with recovery codes for who lost it."""

import re
import time
from hashlib import sha256
from hmac import compare_digest
from typing import Any

import pyotp
import segno
from django.contrib.auth.backends import BaseBackend
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from feedback_app.accounts.audit import record
from feedback_app.accounts.models import RecoveryCode, SecondFactor, User
from feedback_app.accounts.services import temporary_password
from generation.errors import RemediableError

STEP_S = 30
DRIFT_STEPS = 1
"""A clock may be wrong by so many steps either way."""
RECOVERY_CODES = 10
ISSUER = "Reading Room"

TIMED = re.compile(r"\d{6}")


class CodeBackend(BaseBackend):
    """Says whether a code is right, to who knows the password already.

    As a backend, so that wrong codes are counted, and locked, like wrong passwords.
    """

    def authenticate(
        self, request: HttpRequest | None, username: str = "", code: str = "", **_: Any
    ) -> User | None:
        person = User.objects.filter(username=username, is_active=True).first() if code else None
        return person if person and accepts(person, code) else None


def is_set_up(person: User) -> bool:
    return SecondFactor.objects.filter(person=person).exists()


@transaction.atomic
def accepts(person: User, code: str) -> bool:
    """Returns whether this is a code of now or an unused recovery code; either is used up by it."""
    factor = SecondFactor.objects.select_for_update().filter(person=person).first()
    if factor is None:
        return False
    code = code.replace(" ", "").lower()
    if not TIMED.fullmatch(code):
        unused = RecoveryCode.objects.filter(person=person, digest=_digest(code), used_at=None)
        return bool(unused.update(used_at=timezone.now()))
    step = step_of(factor.secret, code)
    if step is None or step <= factor.last_step:
        return False
    factor.last_step = step
    factor.save(update_fields=["last_step"])
    return True


def step_of(secret: str, code: str) -> int | None:
    """Returns the time step, among those near now, of which this is the code."""
    now, codes = int(time.time()) // STEP_S, pyotp.TOTP(secret, interval=STEP_S)
    near = range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1)
    return next((one for one in near if compare_digest(codes.generate_otp(one), code)), None)


def new_secret() -> str:
    """160 random bits in base32, as RFC 4226 advises."""
    return pyotp.random_base32()


def picture_of(secret: str, person: User) -> str:
    """Returns a QR code for authenticators, as SVG that stands in a page; light around it, as
    they need.
    """
    address = pyotp.TOTP(secret).provisioning_uri(name=person.username, issuer_name=ISSUER)
    code = segno.make(address, error="m", micro=False)
    drawn: str = code.svg_inline(scale=5, dark="#000", light="#fff")
    return drawn


@transaction.atomic
def set_up(person: User, *, secret: str, code: str, address: str | None) -> list[str]:
    """Take the secret, which ``code`` shows to be in the authenticator; its recovery codes."""
    step = step_of(secret, code.replace(" ", ""))
    if step is None:
        raise RemediableError(
            "This is not the code of now.",
            remedy="Check that your authenticator's clock is right, and type the newest code.",
        )
    _, is_new = SecondFactor.objects.get_or_create(
        person=person, defaults={"secret": secret, "last_step": step}
    )
    if not is_new:
        raise RemediableError("You have a second factor already.", remedy="Remove that one first.")
    _record("user.second_factor_added", person, address)
    return _new_codes(person)


@transaction.atomic
def renew_codes(person: User, *, address: str | None) -> list[str]:
    """New recovery codes; those before open nothing any more."""
    _record("user.recovery_codes_made", person, address)
    return _new_codes(person)


@transaction.atomic
def remove(person: User, *, address: str | None) -> None:
    SecondFactor.objects.filter(person=person).delete()
    RecoveryCode.objects.filter(person=person).delete()
    _record("user.second_factor_removed", person, address)


def codes_left(person: User) -> int:
    return RecoveryCode.objects.filter(person=person, used_at=None).count()


def _new_codes(person: User) -> list[str]:
    codes = [temporary_password() for _ in range(RECOVERY_CODES)]
    RecoveryCode.objects.filter(person=person).delete()
    RecoveryCode.objects.bulk_create(
        RecoveryCode(person=person, digest=_digest(code)) for code in codes
    )
    return codes


def _digest(code: str) -> str:
    """A plain hash will do: a code has as many random bits as nobody can try."""
    return sha256(code.encode()).hexdigest()


def _record(action: str, person: User, address: str | None) -> None:
    record(action, actor=person, target=person.username, target_id=person.pk, address=address)
