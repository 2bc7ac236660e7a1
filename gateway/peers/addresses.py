"""Which URLs may be called: none that leads into the network of whoever runs the gateway.

A name is resolved once; the address that was checked is the one that is connected to, so a name that
resolves differently a moment later changes nothing.
"""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from gateway.errors import Refused

__all__ = ["AddressRefused", "Target", "addresses", "read_target"]

URL_CHARACTERS_MAX: Final = 2000
_PORTS: Final = {"http": 80, "https": 443}
_NAT64: Final = IPv6Network("64:ff9b::/96")
_METADATA: Final = frozenset({ip_address("100.100.100.200"), ip_address("fd00:ec2::254")})
"""Cloud metadata that is not link-local: it gives out credentials, so no setting allows it."""


class AddressRefused(Refused):
    """A URL is none that this gateway calls."""

    code = "address-refused"
    remedy = "give an https URL whose name resolves to public addresses"


class Target(NamedTuple):
    """A URL, taken apart. ``resource`` is path and query."""

    scheme: str
    host: str
    port: int
    resource: str

    @property
    def authority(self) -> str:
        """Return host and port as the header Host has them."""
        host = _bracketed(self.host)
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def at(self, address: str) -> str:
        """Return the URL with an address in place of the name."""
        return f"{self.scheme}://{_bracketed(address)}:{self.port}{self.resource}"


def read_target(url: str, *, private: bool) -> Target:
    """Take a URL apart; plain http only where private networks are allowed.

    Raises:
        AddressRefused: it is none that may be called.
    """
    plain = url.isascii() and url.isprintable() and not set(url) & set(' "<>\\^`{|}')
    if not plain or len(url) > URL_CHARACTERS_MAX:
        raise AddressRefused(
            f"expected a URL of at most {URL_CHARACTERS_MAX} ASCII characters, others percent-encoded",
            field="/url",
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise AddressRefused(f"not a URL: {error}", field="/url") from error
    if parts.scheme not in (("https", "http") if private else ("https",)):
        raise AddressRefused("expected a URL with https", field="/url")
    if not parts.hostname or "@" in parts.netloc or parts.fragment or port == 0:
        raise AddressRefused(
            "expected a URL with a host, without a user, a password or a fragment", field="/url"
        )
    resource = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, parts.hostname, port or _PORTS[parts.scheme], resource)


def addresses(target: Target, *, private: bool) -> list[str]:
    """Resolve a target's name, which may take seconds; all of its addresses must be allowed.

    Raises:
        AddressRefused: there is no such name, or an address of it may not be called.
    """
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise AddressRefused(f"the name {target.host} cannot be resolved", field="/url") from error
    resolved = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in resolved:
        if not _allowed(ip_address(address.partition("%")[0]), private=private):
            raise AddressRefused(f"{target.host} leads to an address that is not public", field="/url")
    return resolved


def _allowed(address: IPv4Address | IPv6Address, *, private: bool) -> bool:
    inner = _embedded(address)
    if inner is not None:
        return _allowed(inner, private=private)
    never = address.is_link_local or address.is_multicast or address.is_unspecified or address in _METADATA
    return not never and (address.is_global or private)


def _embedded(address: IPv4Address | IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address to which a network would translate an IPv6 address."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo[1] if address.teredo else None
    return address.ipv4_mapped or address.sixtofour or teredo


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
