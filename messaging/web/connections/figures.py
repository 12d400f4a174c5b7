"""What the pages say about a connection: last signs of life, what stopped it, what to do next."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from messaging.connections import resuming_closes
from messaging.models import AuditEvent, Connection, Conversation, DeliveryNotice, InboundRaw, Incident, Message
from messaging.providers.codes import answer_code
from messaging.restoring import Preview
from messaging.statuses import Channel, SendState
from messaging.web.frame.words import moment

MANY = 10_000  # waiting messages are counted no further
LOOK_BACK = 50_000  # rows of the ledger of calls that a page may look through
State, Kind = Connection.State, Incident.Kind

NEXT_STEPS: Mapping[str, Promise] = {
    State.OK: _("Nothing to do."),
    State.NO_CREDIT: _("Top up the provider's account, then resume: what waits goes on by itself."),
    State.CREDENTIALS: _("Enter the current key and secret, or have this server's address allowed, then resume."),
    State.SUSPENDED: _("Settle it with the provider first; resuming before that only gets refused again."),
    State.PAUSED: _("Resume when you are ready: what waits goes on by itself."),
    State.FROZEN: _("The database forgot what left after the backup was made. Open the connection and decide there."),
    Kind.TEXT_CHANGED: _("Somebody changed an approved text in the database. Look at the campaign before going on."),
    Kind.FAILING: _("One message at a time is tried until an answer comes; then it goes on and this closes by itself."),
    Kind.STUCK: _("Look at the messages: each of them ended its worker three times."),
}
ACTS: Mapping[str, Promise] = {
    "connection.created": _("added the connection"),
    "connection.changed": _("changed settings"),
    "connection.hook_token_rotated": _("made new hook addresses"),
    "connection.stopped": _("It stopped by itself"),
    "connection.failing": _("The provider gave no usable answers"),
    "connection.answers_again": _("It answers again"),
    "connection.paused": _("paused it"),
    "connection.resumed": _("resumed it"),
    "incident.closed": _("closed an incident"),
}


@dataclass(frozen=True)
class Signs:
    """When a connection was last heard of."""

    dn_at: datetime | None
    mo_at: datetime | None


@dataclass(frozen=True)
class Trouble:
    """An open incident with what it means and what to do."""

    incident: Incident
    words: str | Promise
    next_step: str | Promise
    closable: bool  # by itself; else resuming what it stopped closes it


def last_signs(connections: Sequence[Connection]) -> dict[int, Signs]:
    """The last DN and MO of each: of those that were read, else of those that wait to be read."""
    read = {
        "dn": _newest(_lately_read(), "-pk", "received_at"),
        "whatsapp": _newest(_wrote(), "-last_mo_at", "last_mo_at"),
        "sms": _newest(_lately_by_sms(), "-pk", "timeline_at"),
        "dn_waits": _newest(_waiting(InboundRaw.Kind.DN), "-received_at", "received_at"),
        "mo_waits": _newest(_waiting(InboundRaw.Kind.MO), "-received_at", "received_at"),
    }
    rows = Connection.objects.filter(pk__in=[one.pk for one in connections]).order_by().annotate(**read)
    return {
        pk: Signs(_later(dn, dn_waits), _later(whatsapp, sms, mo_waits))
        for pk, dn, whatsapp, sms, dn_waits, mo_waits in rows.values_list("pk", *read)
    }


def _newest(rows: QuerySet[Any], order: str, column: str) -> Subquery:
    """Of one connection, from the end of an index."""
    return Subquery(rows.filter(connection=OuterRef("pk")).order_by(order).values(column)[:1])


def _lately_read() -> QuerySet[DeliveryNotice]:
    newest = DeliveryNotice.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    return DeliveryNotice.objects.filter(pk__gt=newest - LOOK_BACK)


def _wrote() -> QuerySet[Conversation]:
    return Conversation.objects.filter(channel=Channel.WHATSAPP, last_mo_at__isnull=False)


def _lately_by_sms() -> QuerySet[Message]:
    """An SMS opens no window, so its conversation does not say when they wrote."""
    newest = Message.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    return Message.objects.mos().filter(channel=Channel.SMS, pk__gt=newest - LOOK_BACK)


def _waiting(kind: str) -> QuerySet[InboundRaw]:
    return InboundRaw.objects.filter(kind=kind, digested_at=None)


def _later(*moments: datetime | None) -> datetime | None:
    return max((moment for moment in moments if moment), default=None)


def trouble(connections: Sequence[Connection]) -> dict[int, list[Trouble]]:
    """The open incidents of each connection, oldest first."""
    found: dict[int, list[Trouble]] = defaultdict(list)
    rows = Incident.objects.filter(connection__in=connections, closed_at=None)
    for incident in rows.select_related("connection", "campaign").order_by("opened_at"):
        found[incident.connection_id].append(_explained(incident))
    return found


def _explained(incident: Incident) -> Trouble:
    code = answer_code(incident.code) if incident.code else None
    closable = not resuming_closes(incident)
    if code and code.known:
        return Trouble(incident, code.words, code.next_step, closable)
    fallback = NEXT_STEPS.get(incident.kind, NEXT_STEPS[State.PAUSED])
    return Trouble(incident, incident.detail or incident.get_kind_display(), fallback, closable)


def next_step(connection: Connection) -> str | Promise:
    return NEXT_STEPS[State(connection.state)]


def thaw_words(preview: Preview) -> str:
    """What a person should know before a frozen connection goes on."""
    sentences = [
        ngettext(
            "%s message may have left after the backup was made. It will be shown as unknown and not be sent again.",
            "%s messages may have left after the backup was made. They will be shown as unknown and not be sent again.",
            preview.doubtful,
        )
        % preview.doubtful
    ]
    if preview.lost_since:
        sentences.insert(0, _now("The backup is from %s.") % moment(preview.lost_since))
    if preview.approved:
        names = ", ".join(preview.approved)
        sentences.append(_now("Before you send them, find out whether these had been sent meanwhile: %s.") % names)
    return " ".join(sentences)


def act_words(event: AuditEvent) -> str | Promise:
    return ACTS.get(event.act, event.act)


def waiting_words(connection: Connection) -> str:
    """How many messages leave once it is resumed, counted up to MANY; nothing if none does."""
    queued = Message.objects.filter(connection=connection, send_state=SendState.QUEUED).order_by()
    waiting = queued[: MANY + 1].count()
    if waiting > MANY:
        return _now("More than %s messages wait.") % f"{MANY:,}"
    return ngettext("%s message waits.", "%s messages wait.", waiting) % f"{waiting:,}" if waiting else ""
