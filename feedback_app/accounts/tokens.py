"""Tokens: how programs log in to the API, and to nothing else."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from knox.auth import TokenAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from feedback_app.accounts.audit import record
from feedback_app.accounts.models import Role, Token, User
from feedback_app.accounts.requests import TokenRequest
from feedback_app.requests import at
from generation.errors import RemediableError

NOTED_EVERY = timedelta(minutes=1)


class TokenLogin(TokenAuthentication):
    """``Authorization: Bearer TOKEN``; what it may do is in its row, read anew each time."""

    def authenticate(self, request: Request) -> tuple[User, Token] | None:
        if "Authorization" not in request.headers:
            return None
        found: tuple[User, Token] | None = super().authenticate(request)
        if found is None:
            return None
        user, token = found
        if token.is_read_only and request.method not in SAFE_METHODS:
            raise PermissionDenied("This token is for reading alone.")
        user.token_role = Role(token.role)
        _note_use(token)
        return user, token

    def authenticate_credentials(self, token: bytes) -> tuple[User, Token]:
        if not token.isalnum() and not token.replace(b"_", b"").isalnum():
            raise AuthenticationFailed("Invalid token.")
        known: tuple[User, Token] = super().authenticate_credentials(token)
        return known

    def authenticate_header(self, request: Request) -> str | None:
        """Returns what a refusal names as the way in; whoever sent no token came with a session."""
        return "Bearer" if "Authorization" in request.headers else None

    def validate_user(self, auth_token: Token) -> tuple[User, Token]:
        if not auth_token.user.is_active:
            raise AuthenticationFailed("Its owner's account is closed.")
        if auth_token.user.must_change_password:
            raise AuthenticationFailed("Its owner has to choose a password of their own first.")
        return auth_token.user, auth_token

    def _cleanup_token(self, auth_token: Token) -> bool:
        """Returns whether it is over; its row stays, so that its owner sees what there was."""
        return not auth_token.is_live


def _note_use(token: Token) -> None:
    now = timezone.now()
    if token.last_used_at is None or token.last_used_at < now - NOTED_EVERY:
        Token.objects.filter(pk=token.pk).update(last_used_at=now)


@transaction.atomic
def make_token(
    request: TokenRequest, *, owner: User, by: User | None, address: str | None = None
) -> tuple[Token, str]:
    """Returns the row, and the token itself, which is kept nowhere: a hash of it is."""
    role = Role(request.role)
    with at("role"):
        if role.rank > owner.held_role.rank:
            raise RemediableError(
                f"{owner.username} is a {owner.held_role}, and no {role}.",
                remedy="Choose their own role, or one below it.",
            )
    with at("name"):
        if Token.objects.live().filter(user=owner, name=request.name).exists():
            raise RemediableError(
                f"There is a token “{request.name}” already.",
                remedy="Choose another name, or revoke that one first.",
            )
    token, text = Token.objects.create(
        owner,
        expiry=timedelta(days=request.days),
        name=request.name,
        role=role,
        is_read_only=request.is_read_only,
    )
    _record("token.made", token, by=by, address=address)
    return token, text


@transaction.atomic
def revoke_token(token: Token, *, by: User | None, address: str | None = None) -> Token:
    """It opens nothing from now on; its row stays."""
    changed = Token.objects.live().filter(pk=token.pk).update(revoked_at=timezone.now())
    if not changed:
        raise RemediableError(f"The token “{token.name}” is over.", remedy="Nothing is left to do.")
    token.refresh_from_db()
    _record("token.revoked", token, by=by, address=address)
    return token


def _record(action: str, token: Token, *, by: User | None, address: str | None) -> None:
    details: dict[str, Any] = {
        "owner": token.user.username,
        "role": token.role,
        "is_read_only": token.is_read_only,
    }
    record(
        action,
        actor=by,
        target=token.name,
        target_id=token.public_id,
        details=details,
        address=address,
    )
