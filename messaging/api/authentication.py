"""Who calls: a key in the Authorization header, and nowhere else."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any, cast

from django.conf import settings
from django.contrib.auth.models import User
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, ParseError, PermissionDenied
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from config.peers import client_address
from messaging import clients
from messaging.api import visible
from messaging.models import ApiClient, ApiKey, Scope

LOOKS_LIKE_A_KEY = ("api_key", "apikey", "api-key", "key", "token", "access_token", "authorization")


class KeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer wg_live_…`. `request.user` is the client's owner, `request.auth` the key."""

    def authenticate(self, request: Request) -> tuple[User, ApiKey] | None:
        scheme, _blank, word = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if not scheme:
            return None
        now = request.parser_context["view"].now
        key = clients.find_key(word.strip(), now) if scheme.lower() == "bearer" else None
        if key is None:
            raise AuthenticationFailed("This is no valid key.", "invalid_key")
        if not _may_call_from(key.client, client_address(request.META, settings.TRUSTED_PROXIES)):
            raise PermissionDenied("This key may not be used from this address.", "address_not_allowed")
        return key.client.owner, key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="switchboard"'


def key_of(request: Request) -> ApiKey:
    """Of a request that was let in."""
    return cast(ApiKey, request.auth)


def _may_call_from(client: ApiClient, address: str | None) -> bool:
    if not client.allowed_peers:
        return True
    return address is not None and any(ip_address(address) in ip_network(peer) for peer in client.allowed_peers)


def refuse_secrets_in_url(request: Request) -> None:
    """A key in a URL stands in every log on the way. Raises ParseError."""
    if any(name.lower() in LOOKS_LIKE_A_KEY or "wg_" in value for name, value in request.GET.items()):
        words = "Send the key in the Authorization header, never in the URL; change this one now."
        raise ParseError(words, "key_in_url")


class MayDoIt(BasePermission):
    """The key has the operation's scope, and the client's owner the permission that staff would need."""

    def has_permission(self, request: Request, view: Any) -> bool:
        operation, client = view.operation, key_of(request).client
        if operation.scope not in client.scopes:
            raise PermissionDenied(f"This key needs the scope {operation.scope.value}.", "scope_missing")
        if operation.scope == Scope.CONTACTS and not visible.people(client):
            raise PermissionDenied(visible.NO_PEOPLE, "test_key")
        if operation.right and not request.user.has_perm(operation.right):
            raise PermissionDenied("The client's owner may not do that.", "owner_may_not")
        return True
