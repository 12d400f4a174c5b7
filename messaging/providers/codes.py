"""The provider's codes, each mapped once: its words, our class, words for a person, what to do next.

The provider's words are those of its page ("Bulk360 WhatsApp API V3.0": HTTP Response, Delivery Notification); the
classes are protocol.md sections 1 and 3.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from messaging.text import storable

Words = str | Promise


class Scope(StrEnum):
    """Whom a refusal stops: this message alone, or everything on this connection."""

    MESSAGE = "message"
    CONNECTION = "connection"


class ConnectionStop(StrEnum):
    """The connection's state after a refusal that concerns all of it."""

    NO_CREDIT = "no_credit"
    CREDENTIALS = "credentials"
    SUSPENDED = "suspended"
    PAUSED = "paused"


@dataclass(frozen=True, slots=True)
class AnswerCode:
    """A code in the answer to a send request. `scope` is None where the code refuses nothing (200, 500, unknown)."""

    code: int | str
    provider_words: str
    scope: Scope | None
    stop: ConnectionStop | None
    words: Words
    next_step: Words
    known: bool = True

    @property
    def refuses(self) -> bool:
        return self.scope is not None


def _message(code: int, provider_words: str, words: Words, next_step: Words) -> AnswerCode:
    return AnswerCode(code, provider_words, Scope.MESSAGE, None, words, next_step)


def _connection(code: int, stop: ConnectionStop, provider_words: str, words: Words, next_step: Words) -> AnswerCode:
    return AnswerCode(code, provider_words, Scope.CONNECTION, stop, words, next_step)


_ANSWERS = (
    AnswerCode(
        200, "OK", None, None, _("The provider took the message."), _("Nothing to do: delivery is reported later.")
    ),
    _message(
        400,
        "Missing parameters or invalid field type",
        _("The provider could not read the request: something is missing or malformed."),
        _("Check the number and the text, then send it again."),
    ),
    _connection(
        401,
        ConnectionStop.CREDENTIALS,
        "Invalid Username or password",
        _("The provider does not accept this connection's key or secret."),
        _("Enter the current APP_KEY and APP_SECRET in the connection, then resume it."),
    ),
    _connection(
        402,
        ConnectionStop.NO_CREDIT,
        "Insufficient Account credit",
        _("The provider's account has no credit left."),
        _("Top up the account, then resume the connection: waiting messages go on."),
    ),
    _connection(
        403,
        ConnectionStop.CREDENTIALS,
        "Message API not enabled, requested IP not whitelisted or not enabled",
        _("The API is not enabled for this account, or our address is not on its list."),
        _("Ask the provider to enable the API and to list this server's address, then resume the connection."),
    ),
    _message(
        405,
        "Invalid Message Type. Mobile numbers provided involved multiple services (SMS & WhatsApp), "
        "you can only trigger 1 service in 1 API request",
        _("SMS and WhatsApp numbers were in one request."),
        _("Report this: the gateway never mixes them, so something is wrong with how the number was written."),
    ),
    _message(
        406,
        "Message content is not approved. If you sending Whatsapp Message, "
        "please submit your WhatsApp message content for approval",
        _("The provider does not know this text as an approved template."),
        _("Compare the template with the one approved at the provider, letter by letter."),
    ),
    _connection(
        407,
        ConnectionStop.SUSPENDED,
        "Banned Content detected. Your account is suspended",
        _("The provider found banned content and suspended the account."),
        _("Stop, find the text that was refused, and settle it with the provider before resuming."),
    ),
    _connection(
        412,
        ConnectionStop.SUSPENDED,
        "Account suspended / Terminated / Not activated",
        _("The provider's account is suspended, terminated or not yet activated."),
        _("Settle it with the provider, then resume the connection."),
    ),
    _connection(
        413,
        ConnectionStop.SUSPENDED,
        "Account under observation mode, limited features enabled",
        _("The provider watches this account and has limited what it may do."),
        _("Ask the provider what is limited and why, then resume the connection."),
    ),
    AnswerCode(
        500,
        "Internal server error",
        None,
        None,
        _("The provider failed while it handled the request: the message may or may not have left."),
        _("Wait for a delivery notification, or ask the provider before sending it again."),
    ),
)
ANSWER_CODES: Mapping[int, AnswerCode] = {int(entry.code): entry for entry in _ANSWERS}
REFUSALS = frozenset(code for code, entry in ANSWER_CODES.items() if entry.refuses)


class DnClass(StrEnum):
    """What kind of trouble a DN's error code names."""

    OK = "ok"
    INTERMEDIATE = "intermediate"
    TRANSIENT = "transient"
    TECHNICAL = "technical"
    HANDSET = "handset"
    NUMBER = "number"
    NO_CREDIT = "no_credit"
    OPTED_OUT = "opted_out"
    WHITELIST = "whitelist"
    SENDER_ID = "sender_id"
    CONTENT = "content"


@dataclass(frozen=True, slots=True)
class DnCode:
    """An error code of a DN. `code` of an unknown one is the raw text."""

    code: int | str
    provider_words: str
    kind: DnClass
    words: Words
    next_step: Words
    marks_bad: bool = False
    suppresses: bool = False
    known: bool = True


_NEXT_STEPS: Mapping[DnClass, Words] = {
    DnClass.OK: _("Nothing to do."),
    DnClass.INTERMEDIATE: _("Nothing to do: the final status is still to come."),
    DnClass.TRANSIENT: _("It may work later: send it again if it still matters."),
    DnClass.TECHNICAL: _("If it happens to many people, give the provider the reference and this code."),
    DnClass.HANDSET: _("Try again later, or another channel."),
    DnClass.NUMBER: _("Check the number with the person before sending to it again."),
    DnClass.NO_CREDIT: _("Top up the provider's account, then send it again."),
    DnClass.OPTED_OUT: _("Do not write to this person on this channel until they ask for it."),
    DnClass.WHITELIST: _("Ours to mend: ask the provider to put the number on the account's white list."),
    DnClass.SENDER_ID: _("Ours to mend: use a sender ID that the provider has registered for us."),
    DnClass.CONTENT: _("Change the text: the carrier refuses its content."),
}

_DN_TABLE: tuple[tuple[int, str, DnClass, Words], ...] = (
    (0, "No Error", DnClass.OK, _("No error.")),
    (20, "Message sent to carrier partner", DnClass.INTERMEDIATE, _("Handed on to the carrier.")),
    (50, "Unknown Error / Not specify", DnClass.TRANSIENT, _("The provider names no cause.")),
    (501, "Absent Subscriber", DnClass.HANDSET, _("The phone is switched off or out of reach.")),
    (
        502,
        "Handset memory capacity exceeded. Handset has run out of free memory to store new message",
        DnClass.HANDSET,
        _("The phone's memory is full."),
    ),
    (503, "Equipment protocol error", DnClass.TECHNICAL, _("The phone and the network did not understand each other.")),
    (
        504,
        "Equipment not equipped with short-message capability",
        DnClass.TECHNICAL,
        _("The device cannot receive short messages."),
    ),
    (
        505,
        "Unknown subscriber. The IMSI is unknown in the HLR",
        DnClass.NUMBER,
        _("The network does not know this number."),
    ),
    (
        506,
        "Illegal subscriber. The mobile station failed authentication",
        DnClass.NUMBER,
        _("The network did not recognise the SIM card."),
    ),
    (
        507,
        (
            "Teleservice not provisioned. Mobile subscription identified by the mobile number "
            "does include the short message service"
        ),
        DnClass.TECHNICAL,
        _("The subscription has no message service."),
    ),
    (
        508,
        "Illegal equipment. IMEI check failed, i.e. the IMEI is either black listed or not white listed",
        DnClass.NUMBER,
        _("The network has barred the device."),
    ),
    (509, "Call barred. Operator barred the mobile number", DnClass.NUMBER, _("The operator has barred the number.")),
    (
        510,
        "Facility not supported. VLR in the PLMN does not support MT short message service",
        DnClass.TECHNICAL,
        _("The network where the phone is does not pass messages on."),
    ),
    (511, "Subscriber busy for MT short message", DnClass.HANDSET, _("The phone was busy with another message.")),
    (
        512,
        "System failure. Task cannot be completed because of a problem in another entity",
        DnClass.TRANSIENT,
        _("A system between the provider and the phone failed."),
    ),
    (
        513,
        "Data missing. Necessary parameter is not present in the primitive",
        DnClass.TECHNICAL,
        _("The carrier missed something in the message."),
    ),
    (
        514,
        "Unexpected data value. Necessary data is badly formatted in the primitive",
        DnClass.TECHNICAL,
        _("The carrier found something malformed in the message."),
    ),
    (515, "Unidentified subscriber", DnClass.NUMBER, _("The network cannot tell whose number this is.")),
    (516, "Absent subscriber. No paging response", DnClass.HANDSET, _("The phone did not answer the network.")),
    (517, "Absent subscriber. IMSI detached", DnClass.HANDSET, _("The phone is switched off.")),
    (518, "Absent subscriber. Roaming restriction", DnClass.HANDSET, _("The phone is roaming where it gets nothing.")),
    (
        547,
        "Application context not supported",
        DnClass.TECHNICAL,
        _("The networks did not agree on how to pass the message on."),
    ),
    (
        550,
        "Temporary error received from peer SMSC",
        DnClass.TRANSIENT,
        _("The receiving network had a temporary error."),
    ),
    (
        551,
        "SMS malformed. SMS is not formed correctly. This error is specific to IP-based protocols like SMPP",
        DnClass.TECHNICAL,
        _("The message reached the carrier malformed."),
    ),
    (552, "SMS expired", DnClass.HANDSET, _("The phone was out of reach until the message expired.")),
    (
        553,
        "Insufficient credit. The user has insufficient credit/not allowed to send to that destination",
        DnClass.NO_CREDIT,
        _("The account has no credit, or may not send to this destination."),
    ),
    (554, "Invalid destination. Receiver is not a valid number", DnClass.NUMBER, _("This is not a valid number.")),
    (
        555,
        "Unable to find outbound route for this SMS",
        DnClass.TECHNICAL,
        _("The provider has no route to this number."),
    ),
    (556, "SMS buffered", DnClass.HANDSET, _("The carrier keeps the message until the phone can be reached.")),
    (
        557,
        "Timeout waiting for response from peer",
        DnClass.TRANSIENT,
        _("The receiving network did not answer in time."),
    ),
    (
        558,
        "Throttling error. The user has exceeded allowed message limit",
        DnClass.TRANSIENT,
        _("Too many messages in a short time."),
    ),
    (
        561,
        "Subscriber blacklisted",
        DnClass.OPTED_OUT,
        _("The person is on the carrier's list of people not to write to."),
    ),
    (
        562,
        "Subscriber not white listed",
        DnClass.WHITELIST,
        _("The number is not on the list that this account may write to."),
    ),
    (569, "Invalid sender ID", DnClass.SENDER_ID, _("The sender ID is not valid.")),
    (571, "Subscriber opted out from receiving SMS", DnClass.OPTED_OUT, _("The person has opted out at the carrier.")),
    (
        574,
        "SMS rejected. Error received from peer SMSC",
        DnClass.TECHNICAL,
        _("The receiving network refused the message."),
    ),
    (575, "SMS rejected. Inappropriate SMS content", DnClass.CONTENT, _("The carrier refused the content.")),
    (576, "Sender ID blacklisted", DnClass.SENDER_ID, _("The sender ID is barred.")),
    (577, "Sender ID not while listed", DnClass.SENDER_ID, _("The sender ID is not registered.")),
)
MARKS_BAD = frozenset({505, 554})  # protocol.md section 3: the others of class "number" only warn
SUPPRESSES = frozenset({561, 571})  # design.md section 10: they suppress the DN's channel

DN_CODES: Mapping[int, DnCode] = {
    code: DnCode(code, provider_words, kind, words, _NEXT_STEPS[kind], code in MARKS_BAD, code in SUPPRESSES)
    for code, provider_words, kind, words in _DN_TABLE
}

_UNKNOWN_ANSWER = AnswerCode(
    "",
    "",
    None,
    None,
    _("The provider answered with a code that its page does not list: the message may or may not have left."),
    _("Wait for a delivery notification, or ask the provider what the code means."),
    known=False,
)
_UNKNOWN_DN = DnCode(
    "",
    "",
    DnClass.TECHNICAL,
    _("The provider reports a code that its page does not list."),
    _("Ask the provider what the code means."),
    known=False,
)


_LARGEST = 10**18  # beyond it Python may refuse to print an integer
_INTEGER = re.compile(r"[0-9]{1,9}")


def parse_code(raw: object) -> int | str | None:
    """A code as an integer (`"000"` is 0); other text as it came, at most 64 characters; None if there is none."""
    if isinstance(raw, bool) or not isinstance(raw, int | str):
        return None
    text = storable(str(raw)).strip() if isinstance(raw, str) or abs(raw) < _LARGEST else "?"
    return int(text) if _INTEGER.fullmatch(text) else text[:64] or None


def answer_code(raw: object) -> AnswerCode:
    """The entry of an answer's code; an unlisted one keeps its raw text and has `known` False."""
    code = parse_code(raw)
    listed = ANSWER_CODES.get(code) if isinstance(code, int) else None
    return listed or replace(_UNKNOWN_ANSWER, code=code if code is not None else "")


def dn_code(raw: object) -> DnCode | None:
    """The entry of a DN's error code, None if the DN has none; an unlisted one keeps its raw text."""
    code = parse_code(raw)
    listed = DN_CODES.get(code) if isinstance(code, int) else None
    return None if code is None else listed or replace(_UNKNOWN_DN, code=code)
