"""The provider's checks, in the order that its code table implies."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hmac import compare_digest

from . import codes, parts, wire
from .accounts import Account, Accounts
from .templates import Templates

TO_LIMIT = 150  # the provider's page, parameter `to`
WINDOW_S = timedelta(hours=24).total_seconds()  # "within 24 hours from the user's last response"
STATE_CODES = {"suspended": codes.SUSPENDED, "observation": codes.OBSERVATION}


class Refused(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Submission:
    """A request that passed every check: one channel, one text, all recipients covered."""

    account: Account
    channel: str
    msisdns: list[str]
    text: str
    charges: list[int]


@dataclass(frozen=True, slots=True)
class Desk:
    """What the checks are made against."""

    accounts: Accounts
    templates: Templates

    def submission(self, given: Mapping[str, str], peer: str, now: float) -> Submission:
        """Raises Refused with the first documented code that applies."""
        entries = _entries(given)
        account = self.signed_in(given)
        if account.state in STATE_CODES:
            raise Refused(STATE_CODES[account.state])
        admit(account, peer)
        channels = {channel for channel, _ in entries}
        if len(channels) > 1:
            raise Refused(codes.MIXED)
        (channel,), text, msisdns = (channels, given["text"], [msisdn for _, msisdn in entries])
        if channel == "whatsapp" and not self._may_say(account, text, msisdns, now):
            raise Refused(codes.NOT_APPROVED)
        charges = [parts.charge(text, msisdn, channel) for msisdn in msisdns]
        if sum(charges) > account.balance:
            raise Refused(codes.NO_CREDIT)
        return Submission(account, channel, msisdns, text, charges)

    def signed_in(self, given: Mapping[str, str]) -> Account:
        account = self.accounts.get(given["user"])
        if account is None or not compare_digest(account.secret.encode(), given["pass"].encode()):
            raise Refused(codes.CREDENTIALS)
        return account

    def _may_say(self, account: Account, text: str, msisdns: list[str], now: float) -> bool:
        return all(window_open(account, msisdn, now) for msisdn in msisdns) or self.templates.match(text)


def require(given: Mapping[str, str], *names: str) -> None:
    if not all(given.get(name) for name in names):
        raise Refused(codes.MISSING)


def _entries(given: Mapping[str, str]) -> list[tuple[str, str]]:
    require(given, "user", "pass", "to", "text")
    entries = wire.recipients(given["to"]) if len(given["to"]) <= TO_LIMIT else None
    if not entries:
        raise Refused(codes.MISSING)
    return entries


def admit(account: Account, peer: str) -> None:
    if account.state == "disabled" or not account.admits(peer):
        raise Refused(codes.NOT_ENABLED)


def window_open(account: Account, msisdn: str, now: float) -> bool:
    """Whether 24 hours or less have passed since this person's latest WhatsApp MO."""
    opened = account.windows.get(msisdn)
    return opened is not None and now - opened <= WINDOW_S
