"""How an address is recognised again without being stored: HMAC-SHA256 under ADDRESS_HMAC_KEY."""

import hmac

from django.conf import settings


def address_hmac(address: str) -> bytes:
    """32 bytes that stand for an MSISDN (E.164 digits) or a WhatsApp user id, the same at every door."""
    return hmac.digest(settings.ADDRESS_HMAC_KEY.encode(), address.encode(), "sha256")
