"""The Bulk360 HTTP API V3.0: send one text to up to 150 characters of recipients, and ask for the balance.

Both calls return a value whatever the provider does. A ValueError means that the caller asked for what no request can
hold (recipients that do not fit, a lone surrogate); nothing has left then.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from messaging.providers import http
from messaging.providers.answers import Answer, BalanceAnswer, Outcome, read_answer, read_balance
from messaging.providers.codes import ConnectionStop, Scope
from messaging.providers.packing import to_field
from messaging.statuses import Channel

SEND_PATH = "/gw/bulk360/v3_0/send.php"  # Bulk360 WhatsApp API V3.0; white labels differ (protocol.md section 1)
BALANCE_PATH = "/api/balance/v3_0/getBalance"


@dataclass(frozen=True, slots=True, kw_only=True)
class SendOutcome:
    """What one send request came to. `balance` is the account's before this request's charge."""

    outcome: Outcome
    refusal_scope: Scope | None
    stop: ConnectionStop | None
    http_status: int | None
    code: int | str | None
    desc: str
    ref: str
    currency: str
    balance: Decimal | None
    error: str
    elapsed_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceOutcome:
    """What one balance request came to; `ok` exactly when `balance` is known."""

    balance: Decimal | None
    currency: str
    country: str
    credits: str
    stop: ConnectionStop | None
    http_status: int | None
    code: int | str | None
    desc: str
    error: str
    elapsed_s: float

    @property
    def ok(self) -> bool:
        return self.balance is not None


@dataclass(frozen=True, slots=True)
class Bulk360:
    """One provider account. Cheap to make: TCP connections belong to the calling thread, not to this object."""

    base_url: str
    send_path: str
    balance_path: str
    app_key: str = field(repr=False)
    app_secret: str = field(repr=False)
    connect_timeout_s: float = 5
    deadline_s: float = 40
    verify: bool | str = True

    def send(
        self,
        to: Sequence[str],
        text: str,
        channel: Channel | str,
        *,
        sender_id: str = "",
        not_after_monotonic: float | None = None,
    ) -> SendOutcome:
        """POST one text to these MSISDNs, once. `not_after_monotonic` is the last moment for the first byte."""
        form = {"to": to_field(channel, to), "text": text, "detail": "1"}
        if sender_id and Channel(channel) is Channel.SMS:
            form["from"] = sender_id
        reply = self._post(self.send_path, form, not_after_monotonic)
        answer = _send_answer(reply)
        return SendOutcome(
            outcome=answer.outcome,
            refusal_scope=answer.scope,
            stop=answer.stop,
            http_status=reply.http_status or None,
            code=answer.code,
            desc=self._redacted(answer.desc),
            ref=answer.ref,
            currency=answer.currency,
            balance=answer.balance,
            error=reply.error or answer.error,
            elapsed_s=reply.elapsed_s,
        )

    def balance(self, country: str | None = None) -> BalanceOutcome:
        """The account's balance; `country` (ISO alpha-3) also asks how many messages there it buys."""
        reply = self._post(self.balance_path, {"country": country} if country else {}, None)
        answer = read_balance(reply.http_status, reply.body) if reply.http_status else BalanceAnswer()
        return BalanceOutcome(
            balance=answer.balance,
            currency=answer.currency,
            country=answer.country,
            credits=answer.credits,
            stop=answer.stop,
            http_status=reply.http_status or None,
            code=answer.code,
            desc=self._redacted(answer.desc),
            error=reply.error or answer.error,
            elapsed_s=reply.elapsed_s,
        )

    def _post(self, path: str, form: dict[str, str], not_after_monotonic: float | None) -> http.Reply:
        return http.post(
            self.base_url.rstrip("/") + path,
            {"user": self.app_key, "pass": self.app_secret, **form},
            connect_timeout_s=self.connect_timeout_s,
            deadline_s=self.deadline_s,
            not_after_monotonic=not_after_monotonic,
            verify=self.verify,
        )

    def _redacted(self, desc: str) -> str:
        return desc.replace(self.app_secret, "***") if self.app_secret else desc


def _send_answer(reply: http.Reply) -> Answer:
    """What is certain comes first: nothing written is not sent; an answer that has begun is read as far as it came."""
    if not reply.wrote:
        return Answer(outcome=Outcome.NOT_SENT)
    if not reply.http_status:
        return Answer(outcome=Outcome.UNKNOWN)
    return read_answer(reply.http_status, reply.body, complete=reply.complete)
