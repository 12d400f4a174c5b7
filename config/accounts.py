"""Staff accounts are made by an admin; nobody signs up."""

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from config.peers import client_address


class ClosedSignup(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Whose guesses are counted: behind a proxy not everybody's together. Raises PermissionDenied if unknown."""
        address = client_address(request.META, settings.TRUSTED_PROXIES)
        if address is None:
            raise PermissionDenied
        return address
