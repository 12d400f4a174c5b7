"""Where a webhook may go: not into our own network, whatever its URL or the name in it says.

A URL is read strictly, its name looked up, every address checked, and the connection made to a checked address: at
each attempt anew, so a name that changes its mind gains nothing.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NoReturn
from urllib.parse import SplitResult, urlsplit

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from messaging.errors import Refused

Address = IPv4Address | IPv6Address

# IANA's special-purpose registries (RFC 6890 and its successors). Of IPv6 only 2000::/3 is given out as global
# unicast, so the three blocks around it hold the loopback, mapped and compatible IPv4, both NAT64 prefixes
# (64:ff9b::/96, 64:ff9b:1::/48), 100::/64, 5f00::/16, unique local, link-local, site-local fec0::/10 and multicast.
FORBIDDEN = tuple(
    ip_network(block)
    for block in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "::/3", "4000::/2", "8000::/1",
        "2001::/23",  # protocol assignments, with Teredo and ORCHID
        "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20",
    )
)  # fmt: skip

PORTS = {"https": 443, "http": 80}
LONGEST = 500
_PRINTABLE = re.compile(r"[!-~]+")
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_NAME = re.compile(rf"(?=.{{1,253}}\Z)(?:{_LABEL}\.)*(?![0-9]+\Z|0x[0-9a-f]*\Z){_LABEL}", re.IGNORECASE)


class BadAddress(Refused):
    """A URL that no webhook goes to."""

    code = "bad_url"


@dataclass(frozen=True, slots=True)
class Target:
    """A URL as we use it; `host` is an ASCII name, or an address without brackets."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"


def read_url(url: str) -> Target:
    """Raises BadAddress with what is wrong, in words. Looks nothing up."""
    if not _PRINTABLE.fullmatch(url) or len(url) > LONGEST or "\\" in url:
        _refuse(_("Write the URL in ASCII, without blanks, in at most 500 characters."))
    try:
        parts, port = urlsplit(url), urlsplit(url).port
    except ValueError:
        _refuse(_("This is no URL."))
    if parts.scheme not in PORTS or (parts.scheme == "http" and not settings.WEBHOOKS_ALLOW_HTTP):
        _refuse(_("The URL must begin with https://."))
    if "@" in parts.netloc:
        _refuse(_("The URL must have no user name or password in it."))
    port = PORTS[parts.scheme] if port is None else port
    if settings.WEBHOOKS_PORTS and port not in settings.WEBHOOKS_PORTS:
        _refuse(_("This port is not allowed; use 443 or 8443."))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(parts.scheme, _host(parts), port, path)


def check_url(url: str) -> Target:
    """Read it and look it up once, to tell whoever writes it. Raises BadAddress."""
    target = read_url(url)
    resolve(target)
    return target


def resolve(target: Target) -> list[Address]:
    """The addresses behind the host, every one of them checked. Raises BadAddress, also if one alone is forbidden."""
    try:
        found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        _refuse(_("The name in the URL cannot be looked up."))
    addresses = [ip_address(entry[4][0]) for entry in found]
    if not addresses or any(is_forbidden(address) for address in addresses):
        _refuse(_("The URL leads into a network that webhooks must not reach."))
    return list(dict.fromkeys(addresses))


def is_forbidden(address: Address) -> bool:
    """Whether an address is inside FORBIDDEN and in none of the setting's exceptions."""
    if any(address in ip_network(block) for block in settings.WEBHOOKS_ALLOWED_NETWORKS):
        return False
    return any(address in block for block in FORBIDDEN)


def _host(parts: SplitResult) -> str:
    """A name, or an address in its one canonical spelling: no octal, hex or short IPv4, no zone, no final dot."""
    host = parts.hostname or ""
    if "%" in host or not (_NAME.fullmatch(host) or _is_canonical(host)):
        _refuse(_("The host in the URL is neither a name nor an address in its usual form."))
    return host


def _is_canonical(host: str) -> bool:
    try:
        return ip_address(host).compressed == host or ip_address(host).version == 6
    except ValueError:
        return False


def _refuse(words: str | Promise) -> NoReturn:
    raise BadAddress(words)
