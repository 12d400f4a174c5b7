"""What a client of the door is told of its messages and of those who write: in the provider's shape, nothing more.

Bulk360 WhatsApp API V3.0, "Delivery Notification" and "Incoming Message"; the MO's fields are those that the sandbox
sends, since the provider publishes none.
"""

from __future__ import annotations

from collections.abc import Mapping

from messaging.ingest.parse import read_mos
from messaging.models import DoorRecipient, Message
from messaging.policy import Reason
from messaging.statuses import Status

SENT, DELIVERED, UNDELIVERED = "SENT", "DELIVERED", "UNDELIVERED"
NO_ERROR, WITH_CARRIER, UNSPECIFIED = "000", "20", "50"
NOT_LET_LEAVE: Mapping[str, str] = {  # the code by which the provider would report what our rule stopped
    Reason.OPTED_OUT: "571",  # Subscriber opted out
    Reason.ERASED: "561",  # Subscriber blacklisted
    Reason.NO_CONSENT: "562",  # Subscriber not white listed
    Reason.NUMBER_BAD: "554",  # Invalid destination
    Reason.NO_NUMBER: "554",
    Reason.CAPPED: "558",  # Throttling error: the allowed message limit
    Reason.WINDOW_CLOSED: "575",  # Inappropriate content: no approved one, and the window has closed meanwhile
    Reason.TEMPLATE_NOT_APPROVED: "575",
    Reason.EXPIRED: "552",  # Expired
}
REFUSED_LATE: Mapping[str, str] = {"400": "554", "406": "575"}  # the provider's answers, after ours was 200


def dn_fields(
    recipient: DoorRecipient, *, status: Status | str, reason: str = "", error_code: str = ""
) -> dict[str, str] | None:
    """The DN for a message in this status; None while there is nothing that the provider would say."""
    said = _said(Status(status), reason.partition(":")[0], error_code)
    if said is None:
        return None
    return {
        "status": said[0],
        "error-code": said[1],
        "msisdn": recipient.message.contact.msisdn or "",
        "msgid": msgid(recipient),
    }


def msgid(recipient: DoorRecipient) -> str:
    """The call's ref; `-position` behind it where the call had several recipients."""
    call = recipient.call
    return f"{call.ref}-{recipient.position}" if "," in call.to else call.ref


def _said(status: Status, reason: str, error_code: str) -> tuple[str, str] | None:
    match status:
        case Status.SENT:
            return SENT, WITH_CARRIER
        case Status.DELIVERED:
            return DELIVERED, NO_ERROR
        case Status.UNDELIVERED:
            return UNDELIVERED, error_code or UNSPECIFIED
        case Status.SKIPPED | Status.EXPIRED:
            return UNDELIVERED, NOT_LET_LEAVE.get(reason, UNSPECIFIED)
        case Status.REFUSED:
            return UNDELIVERED, REFUSED_LATE.get(error_code, UNSPECIFIED)
        case Status.CANCELLED:
            return UNDELIVERED, UNSPECIFIED
        case _:
            return None


def mo_fields(message: Message) -> dict[str, str]:
    """An MO as the provider would push it; of several attachments the first."""
    attached = [item["url"] for item in message.media or [] if item.get("url")]
    return {
        "from": message.contact.msisdn or message.contact.wa_id or "",
        "to": _receiver(message),
        "text": message.body,
        "moid": message.provider_id or str(message.public_id),
        "time": (message.provider_at or message.timeline_at).isoformat(),
        "channel": message.channel,
        **({"media": attached[0]} if attached else {}),
    }


def _receiver(message: Message) -> str:
    """Our own number, which stands in the provider's call alone."""
    raw = message.raw
    if raw is None:
        return ""
    mos = read_mos(bytes(raw.query), raw.content_type, bytes(raw.body), message.connection.mo_fields)
    return next((mo.receiver for mo in mos if mo.receiver), "")
