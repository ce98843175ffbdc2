"""Single sign-on by OpenID Connect: what a provider says of a person, and who that is here."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse

from feedback_app.accounts import services
from feedback_app.accounts.audit import record
from feedback_app.accounts.models import Identity, Role, User
from generation.errors import RemediableError

TIMEOUT_S = 10
ASK_AN_ADMIN = "Ask an admin of this site."

Claims = Mapping[str, Any]


class SignOnRefusedError(RemediableError):
    """Nobody is logged in; ``because`` says why in the audit log, without a name."""

    def __init__(self, message: str, *, remedy: str, because: str, person: User | None = None):
        super().__init__(message, remedy=remedy)
        self.because, self.person = because, person


def send_away(request: HttpRequest, *, back_to: str) -> HttpResponse:
    """Leads to the provider, with state, nonce and PKCE kept in the session."""
    with _provider_errors():
        answer: HttpResponse = _provider().authorize_redirect(request, back_to)
    return answer


def claims_of(request: HttpRequest) -> Claims:
    """Returns what the provider says of whoever comes back, signed by it and made for this request.

    Groups are often told by its UserInfo endpoint alone, which must speak of the same subject.
    """
    provider = _provider()
    options = {
        "iss": {"essential": True, "values": [settings.OIDC_ISSUER]},
        "aud": {"essential": True, "values": [settings.OIDC_CLIENT_ID]},
    }
    with _provider_errors():
        token = provider.authorize_access_token(request, claims_options=options)
        claims = dict(token.get("userinfo") or {})
        if "userinfo_endpoint" in provider.load_server_metadata():
            told = provider.userinfo(token=token)
            if told.get("sub") != claims.get("sub"):
                raise _unreadable("it speaks of two people")
            claims = {**told, **claims}
    if "sub" not in claims:
        raise _unreadable("nobody is named in it")
    return claims


@transaction.atomic
def person_for(claims: Claims, *, address: str | None) -> User:
    """Returns the person of these claims, with the role that their groups give them now."""
    identity = Identity.objects.filter(issuer=claims["iss"], subject=claims["sub"]).first()
    person = identity.person if identity else _linked(claims, address=address)
    if not person.is_active or person.is_simulated:
        raise SignOnRefusedError(
            f"The account {person.username} is closed.",
            remedy=ASK_AN_ADMIN, because="account closed", person=person,
        )  # fmt: skip
    if not settings.OIDC_ROLES:
        return person
    followed = services.follow_groups(person, role=role_of(claims), address=address)
    if followed is None:
        raise _without_role(person)
    return followed


def role_of(claims: Claims) -> Role | None:
    """Returns the widest role that one of their groups gives."""
    groups = claims.get(settings.OIDC_GROUPS_CLAIM) or []
    groups = [groups] if isinstance(groups, str) else groups
    given = [Role(settings.OIDC_ROLES[one]) for one in groups if one in settings.OIDC_ROLES]
    return max(given, key=lambda role: role.rank, default=None)


def _linked(claims: Claims, *, address: str | None) -> User:
    """Returns the account of this name, or a new one; from now on it is the subject's."""
    name = str(claims.get(settings.OIDC_LOGIN_CLAIM) or "")
    person = User.objects.filter(username=name).first() if name else None
    if person and (not person.is_active or person.is_simulated):
        return person
    if person and person.identities.filter(issuer=claims["iss"]).exists():
        raise SignOnRefusedError(
            f"The account {name} belongs to somebody else there.",
            remedy=f"{ASK_AN_ADMIN} They can have it linked anew.",
            because="linked to another subject", person=person,
        )  # fmt: skip
    person = person or _added(name, claims, address=address)
    if person.must_change_password:  # a first password that nobody used is none any more
        person.set_unusable_password()
        person.must_change_password = False
        person.save(update_fields=["password", "must_change_password"])
    Identity.objects.create(person=person, issuer=claims["iss"], subject=claims["sub"])
    record(
        "user.sign_on_linked",
        actor=person, target=person.username, target_id=person.pk,
        details={"issuer": claims["iss"], "subject": claims["sub"]}, address=address,
    )  # fmt: skip
    return person


def _added(name: str, claims: Claims, *, address: str | None) -> User:
    if not settings.OIDC_ADDS_PEOPLE:
        raise SignOnRefusedError(
            f"Nobody here is called {name!r}.",
            remedy=f"{ASK_AN_ADMIN} They add people by this name.", because="unknown name",
        )  # fmt: skip
    role = role_of(claims)
    if settings.OIDC_ROLES and role is None:
        raise _without_role(None)
    try:
        return services.add_signed_on(
            name,
            role=role or Role.READER,
            first_name=str(claims.get("given_name") or ""),
            last_name=str(claims.get("family_name") or ""),
            email=str(claims.get("email") or "") if claims.get("email_verified") else "",
            address=address,
        )
    except ValidationError as error:
        raise SignOnRefusedError(
            f"No account can be made for {name!r}: {' '.join(error.messages)}",
            remedy=f"{ASK_AN_ADMIN} OIDC_LOGIN_CLAIM names the claim that is the login name.",
            because="unfit name",
        ) from error


def _without_role(person: User | None) -> SignOnRefusedError:
    return SignOnRefusedError(
        "None of your groups has a role here.",
        remedy="Ask whoever keeps your groups, or an admin of this site.",
        because="no role", person=person,
    )  # fmt: skip


def _unreadable(reason: str) -> SignOnRefusedError:
    return SignOnRefusedError(
        f"The answer of {settings.OIDC_NAME} cannot be used: {reason}.",
        remedy="Log in again; if it stays so, ask an admin of this site.",
        because=f"answer refused: {reason}"[:200],
    )


def _provider() -> Any:
    return _client_of(
        settings.OIDC_ISSUER,
        settings.OIDC_CLIENT_ID,
        settings.OIDC_CLIENT_SECRET,
        settings.OIDC_SCOPES,
    )


@lru_cache(maxsize=8)
def _client_of(issuer: str, client_id: str, client_secret: str, scopes: str) -> Any:
    """Authlib's client, which keeps what the provider publishes; loaded by who uses it alone."""
    from authlib.integrations.django_client import OAuth

    return OAuth().register(
        "provider",
        client_id=client_id,
        client_secret=client_secret,
        server_metadata_url=f"{issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={
            "scope": scopes,
            "code_challenge_method": "S256",
            "default_timeout": TIMEOUT_S,
        },
    )


@contextmanager
def _provider_errors() -> Iterator[None]:
    """Says in our words what went wrong at the provider, or with what it answered."""
    from authlib.common.errors import AuthlibBaseError
    from joserfc.errors import JoseError
    from requests import RequestException

    try:
        yield
    except RequestException as error:
        raise SignOnRefusedError(
            f"{settings.OIDC_NAME} does not answer.",
            remedy="Try again in a moment, or log in with a password if you have one.",
            because=f"provider away: {type(error).__name__}",
        ) from error
    except (AuthlibBaseError, JoseError) as error:
        raise _unreadable(error.description or error.error) from error
