"""Where a request comes from."""

import re
from ipaddress import IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

WITH_PORT = re.compile(r"\[([^]]+)\](?::\d+)?|([\d.]+):\d+")


def client_address(request: HttpRequest) -> str | None:
    """Returns the client's address; proxies are believed only where TRUSTED_PROXIES lists them.

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


def counted_address(request: HttpRequest) -> str | None:
    """Returns the address by which failed logins are counted."""
    address = client_address(request)
    return counted(address) if address else None


def counted(address: str) -> str:
    """Returns an address as one of a household: of IPv6 its /64, all of which one customer has."""
    parsed = ip_address(address)
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ip_network((int(parsed), 64), strict=False).network_address)
    return str(parsed)


def _valid(text: str) -> str | None:
    """Returns the address alone, where proxies write a port behind it or IPv4 comes in IPv6's
    clothes.
    """
    found = WITH_PORT.fullmatch(text.strip())
    try:
        parsed = ip_address((found[1] or found[2]) if found else text.strip())
    except ValueError:
        return None
    return str((isinstance(parsed, IPv6Address) and parsed.ipv4_mapped) or parsed)


def _is_trusted(address: str) -> bool:
    return any(ip_address(address) in network for network in settings.TRUSTED_PROXIES)
