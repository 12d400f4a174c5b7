"""Who may come through the door now: what is asked of every call before anybody looks at what it wants."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from messaging.doorkeeping.refusals import NOT_ENABLED, SUSPENDED, CallRefused
from messaging.models import Connection, DoorClient

State = Connection.State


def refuse_disabled(client: DoorClient) -> None:
    """412 "Account suspended / Terminated / Not activated": staff ended this client."""
    if client.disabled_at is not None:
        raise CallRefused(SUSPENDED)


def refuse_strangers(client: DoorClient, peer: str | None) -> None:
    """403 "requested IP not whitelisted"."""
    networks = _networks(tuple(client.allowed_peers))
    if peer is None or not any(ip_address(peer) in network for network in networks):
        raise CallRefused(NOT_ENABLED)


def refuse_stopped(connection: Connection) -> None:
    """What the provider would refuse to us it refuses to the client: 412 and 403. Our own pause only makes it wait."""
    if connection.state == State.SUSPENDED:
        raise CallRefused(SUSPENDED)
    if connection.state == State.CREDENTIALS:
        raise CallRefused(NOT_ENABLED)


@lru_cache(maxsize=256)
def _networks(peers: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(peer, strict=False) for peer in peers)
