"""Reading settings from the environment; a bad value names itself and stops the start."""

import os
from ipaddress import IPv4Network, IPv6Network, ip_network
from urllib.parse import quote, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str | None = None) -> str:
    value = os.environ.get(name, "").strip() or default
    if value is None:
        raise ImproperlyConfigured(f"Set {name} in the environment (see docker/.env.example).")
    return value


def flag(name: str, *, default: bool) -> bool:
    value = os.environ.get(name, str(default)).strip().lower()
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name}={value!r} is neither true nor false.")


def number(name: str, *, default: int) -> int:
    value = os.environ.get(name, str(default))
    try:
        return int(value)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}={value!r} is not a whole number.") from error


def words(name: str, default: str = "") -> list[str]:
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


def amounts(name: str) -> dict[str, int]:
    """Returns whole numbers by name, as in ``finetune=24,train_vlm=40``."""
    pairs = [entry.partition("=") for entry in words(name)]
    wrong = [f"{key}{sign}{value}" for key, sign, value in pairs if not value.strip().isdecimal()]
    if wrong:
        raise ImproperlyConfigured(f"{name}: {', '.join(wrong)} is not NAME=WHOLE NUMBER.")
    return {key.strip(): int(value) for key, _, value in pairs}


def one_of(name: str, known: tuple[str, ...], *, default: str) -> str:
    value = text(name, default).lower()
    if value not in known:
        raise ImproperlyConfigured(f"{name}={value!r} is none of {', '.join(known)}.")
    return value


ROLES = ("reader", "coordinator", "admin")


def roles(name: str, listed: list[str]) -> list[str]:
    """Returns the roles that are listed; another word stops the start."""
    if unknown := set(listed) - set(ROLES):
        raise ImproperlyConfigured(f"{name}: {min(unknown)!r} is none of {', '.join(ROLES)}.")
    return listed


def roles_of_groups(name: str, written: str) -> dict[str, str]:
    """``GROUP=ROLE; GROUP=ROLE``: names of groups may have commas and signs of equality."""
    found = {}
    for entry in filter(str.strip, written.split(";")):
        group, _, role = (part.strip() for part in entry.rpartition("="))
        if not group or role not in ROLES:
            raise ImproperlyConfigured(
                f"{name}: {entry.strip()!r} is not GROUP=ROLE with one of {', '.join(ROLES)}."
            )
        found[group] = role
    return found


def issuer(name: str, value: str) -> str:
    """Returns the address of a provider of OpenID Connect; without TLS only on this machine."""
    parts = urlsplit(value)
    is_here = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if value and parts.scheme != "https" and not (parts.scheme == "http" and is_here):
        raise ImproperlyConfigured(f"{name}={value!r} does not begin with https:// .")
    return value


def networks(name: str, listed: list[str]) -> list[IPv4Network | IPv6Network]:
    """Returns addresses such as ``10.0.0.7`` and networks such as ``172.16.0.0/12``."""
    try:
        return [ip_network(entry.strip()) for entry in listed]
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}: {error}.") from error


def with_quoted_password(name: str, url: str) -> str:
    """Returns the address with a password that may hold ``/``, ``#``, ``?`` or ``@`` as it is
    typed.

    What stands before the last ``@`` is name and password.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        raise ImproperlyConfigured(f"{name} is no address: it has no “://”.")
    login, at, place = rest.rpartition("@")
    user, colon, password = login.partition(":")
    quoted = f"{quote(unquote(user), safe='')}{colon}{quote(unquote(password), safe='')}"
    return f"{scheme}://{quoted}{at}{place}"


def database(url: str) -> dict[str, object]:
    """``postgresql://user:password@host:port/name?host=SOCKET-FOLDER&sslmode=require``."""
    parts = urlsplit(with_quoted_password("DATABASE_URL", url))
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ImproperlyConfigured("DATABASE_URL must begin with postgresql:// .")
    try:
        port = str(parts.port or "")
    except ValueError as error:
        raise ImproperlyConfigured(f"DATABASE_URL has a port that is none: {error}.") from error
    query = dict(pair.split("=", 1) for pair in parts.query.split("&") if "=" in pair)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(query.get("host", parts.hostname or "")),
        "PORT": query.get("port", port),
        "OPTIONS": {name: unquote(query[name]) for name in query.keys() - {"host", "port"}},
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


def bucket(
    url: str, *, endpoint: str, region: str, access_key: str, secret_key: str
) -> dict[str, object]:
    """``s3://bucket/prefix``; what is not given the client finds in its own places.

    A key without its secret, or the other way round, stops the start.
    """
    parts = urlsplit(url)
    if parts.scheme != "s3" or not parts.netloc:
        raise ImproperlyConfigured(f"STORAGE_URL={url!r} is not s3://bucket or s3://bucket/prefix.")
    if bool(access_key) != bool(secret_key):
        raise ImproperlyConfigured("Set both of STORAGE_ACCESS_KEY and STORAGE_SECRET_KEY.")
    return {
        "BACKEND": "feedback_app.images.blobs.bucket.BucketStorage",
        "OPTIONS": {
            "bucket_name": parts.netloc,
            "location": parts.path.strip("/"),
            "endpoint_url": endpoint or None,
            "region_name": region or None,
            "access_key": access_key or None,
            "secret_key": secret_key or None,
            "signature_version": "s3v4",
            "addressing_style": "path" if endpoint else "auto",
            "file_overwrite": True,
            "default_acl": None,
        },
    }
