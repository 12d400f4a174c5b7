"""Who is really calling, when trusted proxies stand in between."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

import structlog

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
log = structlog.get_logger("peers")


def client_address(meta: Mapping[str, Any], trusted: Iterable[str]) -> str | None:
    """The nearest address that is no trusted proxy (addresses or CIDRs); None if the server does not know its peer.

    X-Forwarded-For is read from the right and only as far as trusted proxies wrote it: what a caller puts into it
    himself is never looked at.
    """
    networks = _networks(tuple(trusted))
    address = _address(str(meta.get("REMOTE_ADDR") or ""))
    hops = str(meta.get("HTTP_X_FORWARDED_FOR") or "").split(",")
    if address and meta.get("HTTP_X_FORWARDED_FOR") and not _inside(address, networks):
        _warn_of(str(address))
    while address and hops and _inside(address, networks):
        before = _address(hops.pop())
        if before is None:
            break
        address = before
    return str(address) if address else None


@lru_cache(maxsize=256)  # once for each peer in a process
def _warn_of(peer: str) -> None:
    """A proxy that TRUSTED_PROXIES does not name makes all its callers look like one."""
    log.warning("X-Forwarded-For of a peer that TRUSTED_PROXIES does not name", peer=peer)


def is_within(address: str | None, networks: Iterable[str]) -> bool:
    """Whether an address lies in one of these networks; none does not."""
    return address is not None and _inside(ip_address(address), _networks(tuple(networks)))


@lru_cache(maxsize=8)
def _networks(trusted: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(entry.strip(), strict=False) for entry in trusted if entry.strip())


def _inside(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks)


def _address(text: str) -> Address | None:
    """An address with or without port, quotes, brackets or a zone; an IPv4 one inside IPv6 counts as itself."""
    text = text.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
