"""Where a request comes from."""

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest


def client_address(request: HttpRequest) -> str | None:
    """The client's address; proxies are believed only where TRUSTED_PROXIES lists them.

    Every proxy appends whom it heard from to X-Forwarded-For, so the header is read from its
    end for as long as the one who wrote the entry is trusted. What stands before was written
    by the client, who may write anything.
    """
    address = _valid(request.META.get("REMOTE_ADDR", ""))
    forwarded = request.headers.get("X-Forwarded-For", "").split(",")
    while address is not None and _is_trusted(address) and forwarded:
        before = _valid(forwarded.pop())
        if before is None:
            break
        address = before
    return address


def _valid(text: str) -> str | None:
    try:
        return str(ip_address(text.strip()))
    except ValueError:
        return None


def _is_trusted(address: str) -> bool:
    return any(ip_address(address) in network for network in settings.TRUSTED_PROXIES)
