"""The last days of the clinic, told once to a connection that has sent nothing yet, and the twin's part in them."""

from datetime import datetime, timedelta

import requests
from django.db import transaction
from django.db.models import F, OuterRef, Subquery

from contacts.models import Contact, ContactList
from messaging.demo import mailings, systems, talks
from messaging.demo.players import KNOWN_FOR, Cast
from messaging.demo.story import DIABETES
from messaging.demo.twin import Twin
from messaging.models import Connection, HookToken, InboundRaw, Message
from messaging.policy import SESSION_WINDOW
from messaging.statuses import Channel


@transaction.atomic
def tell_history(cast: Cast, now: datetime) -> bool:
    """All of it or nothing, in the order in which it happened; False if this connection has a history."""
    if Message.objects.filter(connection=cast.connection).exists():
        return False
    systems.connect(cast, now)
    talks.play(talks.before_reminders(now), cast.connection, cast.agent)
    talks.name_who_hides(ContactList.objects.get(name=DIABETES))
    mailings.send_reminders(cast, now)
    talks.play(talks.after_reminders(now), cast.connection, cast.agent)
    systems.call_door(cast, now)
    talks.play(talks.lately(now), cast.connection, cast.agent)
    mailings.prepare_coming(cast, now)
    systems.subscribe(cast, now)
    systems.date_back(now)
    _date_back(cast.connection, now)
    return True


def _date_back(connection: Connection, now: datetime) -> None:
    """Only the clock dates these; no service takes another time."""
    Connection.objects.filter(pk=connection.pk).update(created_at=now - KNOWN_FOR)
    HookToken.objects.filter(connection=connection).update(created_at=now - KNOWN_FOR)
    messages = Message.objects.filter(connection=connection)
    messages.filter(created_at__gt=F("timeline_at")).update(created_at=F("timeline_at"))
    first = messages.filter(contact=OuterRef("pk")).order_by("timeline_at").values("timeline_at")[:1]
    Contact.objects.filter(created_at__gt=Subquery(first)).update(created_at=Subquery(first))
    InboundRaw.objects.filter(connection=connection).update(digested_at=F("received_at"))


def open_windows(connection: Connection, now: datetime) -> int:
    """Let the twin know who wrote lately, unless it knows of anybody; how many. It may be away: then at the next start.

    It calls our hook with them, where their ids show that they came before.
    """
    recent = Message.objects.mos().filter(
        connection=connection,
        channel=Channel.WHATSAPP,
        provider_id__startswith=talks.MOID,
        timeline_at__gt=now - SESSION_WINDOW + timedelta(minutes=1),
    )
    twin, told = Twin(connection), 0
    try:
        if twin.windows():
            return 0
        for mo in recent.select_related("contact").order_by("timeline_at"):
            twin.write_in(str(mo.contact.msisdn), mo.body, at=mo.timeline_at, moid=mo.provider_id)
            told += 1
    except requests.RequestException:
        return told
    return told
