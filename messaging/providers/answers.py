"""What an answer of the provider means for us: pure, total, and never more certain than the bytes allow."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from messaging.providers.codes import ConnectionStop, Scope, answer_code, parse_code
from messaging.text import storable

REF_LIMIT = 64  # protocol.md section 1: opaque, up to 64 characters
_DESC_LIMIT = 300
_LITERAL_NUMBERS = {"parse_int": str, "parse_float": str, "parse_constant": lambda name: None}
_AMOUNT = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,8})?")
_SCRIPT_DID_NOT_RUN = frozenset({401, 403, 404, 405, 429})  # protocol.md section 1; every 3xx too


class Outcome(StrEnum):
    """What we know about a request once it was begun; `not_sent` is certain, `unknown` waits for a DN or a person."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer to a send request. `ref` belongs to an acceptance; under `unknown` it is an unusable one, cut short."""

    outcome: Outcome
    scope: Scope | None = None
    stop: ConnectionStop | None = None
    code: int | str | None = None
    desc: str = ""
    ref: str = ""
    currency: str = ""
    balance: Decimal | None = None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceAnswer:
    """An answer to a balance request; `balance` is set exactly when it succeeded."""

    balance: Decimal | None = None
    currency: str = ""
    country: str = ""
    credits: str = ""
    code: int | str | None = None
    stop: ConnectionStop | None = None
    desc: str = ""
    error: str = ""


def read_answer(http_status: int, body: bytes, *, complete: bool = True) -> Answer:
    """First match: a ref accepts, whatever the code; then the JSON code; the HTTP status only where there is none.

    `complete` is False when the body was cut off: what could not be read may have held a ref.
    """
    fields = _json_object(body)
    code = parse_code(fields.get("code"))
    ref = fields.get("ref")
    ref = ref.strip() if isinstance(ref, str) else ""
    if ref:
        return _answer_with_ref(ref, code, fields)
    if code is not None:
        return _answer_by_code(code, fields)
    if complete and (http_status in _SCRIPT_DID_NOT_RUN or 300 <= http_status < 400):
        stop = ConnectionStop.CREDENTIALS if http_status in (401, 403) else ConnectionStop.PAUSED
        error = f"HTTP {http_status}: the send script did not run"
        return Answer(outcome=Outcome.NOT_SENT, scope=Scope.CONNECTION, stop=stop, error=error)
    return Answer(outcome=Outcome.UNKNOWN, error=f"HTTP {http_status} without the provider's JSON")


def _answer_with_ref(ref: str, code: int | str | None, fields: Mapping[str, object]) -> Answer:
    """A ref that no DN can be matched with (too long, blanks or controls inside) proves nothing: unknown, kept cut."""
    usable = len(ref) <= REF_LIMIT and ref.isprintable() and " " not in ref
    return Answer(
        outcome=Outcome.ACCEPTED if usable else Outcome.UNKNOWN,
        code=code,
        ref=storable(ref)[:REF_LIMIT],
        error="" if usable else "unusable ref",
        **_described(fields),
    )


def _answer_by_code(code: int | str, fields: Mapping[str, object]) -> Answer:
    meaning = answer_code(code)
    if meaning.refuses:
        return Answer(outcome=Outcome.REFUSED, scope=meaning.scope, stop=meaning.stop, code=code, **_described(fields))
    return Answer(outcome=Outcome.UNKNOWN, code=code, error=f"code {code!s:.20} without a ref", **_described(fields))


def _described(fields: Mapping[str, object]) -> dict:
    return {
        "desc": _text(fields.get("desc"), _DESC_LIMIT),
        "currency": _text(fields.get("currency"), 8),
        "balance": _amount(fields.get("balance")),
    }


def read_balance(http_status: int, body: bytes) -> BalanceAnswer:
    """Success is the word `success` with a readable balance; all else is an error, with the provider's words."""
    fields = _json_object(body)
    nested = fields.get("description")
    found = nested if isinstance(nested, dict) else fields
    balance = _amount(found.get("balance"))
    if _text(fields.get("status"), 20).strip().lower() == "success" and balance is not None:
        return BalanceAnswer(
            balance=balance,
            currency=_text(found.get("currency"), 8),
            country=_text(found.get("country"), 40),
            credits=_text(found.get("credits"), 40),
        )
    code = parse_code(fields.get("code"))
    desc = _text(fields.get("desc"), _DESC_LIMIT) or _text(nested, _DESC_LIMIT)
    return BalanceAnswer(code=code, stop=answer_code(code).stop, desc=desc, error=f"HTTP {http_status}: no balance")


def _json_object(body: bytes) -> dict[str, object]:
    """The object that the body is, numbers as their literal text (a ref keeps its zeros); {} if it is anything else."""
    try:
        value = json.loads(body.decode("utf-8-sig", "replace"), parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _text(value: object, limit: int) -> str:
    return storable(value)[:limit] if isinstance(value, str) else ""


def _amount(value: object) -> Decimal | None:
    return Decimal(value) if isinstance(value, str) and _AMOUNT.fullmatch(value) else None
