"""Which addresses webhooks may be sent to, and connecting to one that was looked up once."""

import socket
import ssl
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

import urllib3
from django.conf import settings

from generation.errors import RemediableError

PUBLIC_IPV6 = ip_network("2000::/3")
TUNNELS = (ip_network("2002::/16"), ip_network("2001::/32"))
"""IPv6 addresses that stand for IPv4 ones, which may be anybody's."""
TIMEOUT_S = 10
READ_MAX = 64 * 1024
REMEDY = "Choose a public https address; an admin of the server lists others in WEBHOOK_NETWORKS."


@dataclass(frozen=True)
class Place:
    """An address as it was looked up: it is what is connected to, whatever the name says later."""

    host: str
    port: int
    path: str
    address: str
    is_tls: bool


def find(url: str) -> Place:
    """Look the host up, once; raises RemediableError where it may not be sent to."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        raise RemediableError(f"{url} is no address for a webhook.", remedy=REMEDY)
    is_tls = parts.scheme == "https"
    port = parts.port or (443 if is_tls else 80)
    found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    addresses = {str(entry[4][0]).partition("%")[0] for entry in found}
    for address in addresses:
        if not is_allowed(ip_address(address), is_tls=is_tls):
            raise RemediableError(f"{url} leads to {address}.", remedy=REMEDY)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Place(parts.hostname, port, path, min(addresses), is_tls)


def is_allowed(address: IPv4Address | IPv6Address, *, is_tls: bool) -> bool:
    """Public addresses by TLS; of others those that the installation names."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if any(address in network for network in settings.WEBHOOK_NETWORKS):
        return True
    if isinstance(address, IPv6Address):
        is_tunnel = any(address in network for network in TUNNELS)
        return is_tls and address in PUBLIC_IPV6 and address.is_global and not is_tunnel
    return is_tls and address.is_global and not address.is_multicast


def post(place: Place, body: str, headers: dict[str, str]) -> int:
    """Returns the status of the answer; whoever the name leads to by now, the address is asked."""
    with _pool(place) as pool:
        response = pool.urlopen(
            "POST",
            place.path,
            body=body.encode(),
            headers={"Host": _host_of(place), "Content-Type": "application/json", **headers},
            redirect=False,
            preload_content=False,
        )
        response.read(READ_MAX)
        response.close()
        return int(response.status)


def _pool(place: Place) -> urllib3.HTTPConnectionPool:
    timeout = urllib3.Timeout(total=TIMEOUT_S)
    if not place.is_tls:
        return urllib3.HTTPConnectionPool(place.address, place.port, timeout=timeout, retries=False)
    return urllib3.HTTPSConnectionPool(
        place.address,
        place.port,
        timeout=timeout,
        retries=False,
        server_hostname=place.host,
        assert_hostname=place.host,
        ssl_context=ssl.create_default_context(),
    )


def _host_of(place: Place) -> str:
    host = f"[{place.host}]" if ":" in place.host else place.host
    usual = 443 if place.is_tls else 80
    return host if place.port == usual else f"{host}:{place.port}"
