"""Whether a connection may send: the provider's answers stop it, people pause and resume it.

Each of these locks the connection, which comes before contacts and messages in the order of locks.
"""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from messaging.audit import audit
from messaging.connections.accounts import lock_connection
from messaging.connections.clients import client_for
from messaging.errors import WrongState
from messaging.models import Campaign, Connection, Incident
from messaging.providers.bulk360 import Bulk360

STOPPED_BECAUSE = {
    Connection.State.NO_CREDIT: Incident.Kind.NO_CREDIT,
    Connection.State.CREDENTIALS: Incident.Kind.CREDENTIALS,
    Connection.State.SUSPENDED: Incident.Kind.SUSPENDED,
    Connection.State.FROZEN: Incident.Kind.FROZEN,
    Connection.State.PAUSED: Incident.Kind.MISDIRECTED,  # HTTP 404 and the like: the send script did not even run
}


@transaction.atomic
def stop_connection(
    *,
    connection_id: int,
    state: str,
    code: object,
    detail: str,
    now: datetime,
    client: Bulk360 | None = None,
) -> None:
    """An answer stops everything here: one state and one open incident of a kind, however many answers say the same.

    What the provider says outweighs a person's pause; of its stops the first holds.
    `client` is the one that got the answer: a refusal of credentials that were replaced meanwhile stops nothing.
    """
    connection = lock_connection(connection_id)
    if client is not None and client != client_for(connection):
        return
    code = "" if code is None else str(code)[:16]
    if connection.state in (Connection.State.OK, Connection.State.PAUSED) and connection.state != state:
        _enter(connection, state, now)
        audit(
            actor=None,
            act="connection.stopped",
            subject=connection,
            now=now,
            state=str(state),
            code=code,
        )
    Incident.objects.get_or_create(
        connection=connection,
        campaign=None,
        kind=STOPPED_BECAUSE[Connection.State(state)],
        closed_at=None,
        defaults={"code": code, "detail": detail, "opened_at": now},
    )


@transaction.atomic
def freeze_connection(*, connection_id: int, detail: str, now: datetime) -> None:
    """A backup was restored: whatever state this was in, nothing leaves until a person has compared."""
    connection = lock_connection(connection_id)
    was = connection.state
    _enter(connection, Connection.State.FROZEN, now)  # anew, if it was: what came since may have left as well
    audit(actor=None, act="connection.stopped", subject=connection, now=now, state="frozen", was=was)
    Incident.objects.get_or_create(
        connection=connection,
        campaign=None,
        kind=Incident.Kind.FROZEN,
        closed_at=None,
        defaults={"detail": detail, "opened_at": now},
    )


@transaction.atomic
def pause_connection(*, connection: Connection, user: User, now: datetime) -> Connection:
    """Nothing more leaves here until somebody resumes it; no effect if it is paused."""
    connection = lock_connection(connection.pk)
    if connection.state == Connection.State.PAUSED:
        return connection
    if connection.state != Connection.State.OK:
        raise WrongState(_("This connection is stopped already."))
    _enter(connection, Connection.State.PAUSED, now)
    audit(actor=user, act="connection.paused", subject=connection, now=now)
    return connection


@transaction.atomic
def resume_connection(*, connection: Connection, user: User, now: datetime, compared: bool = False) -> Connection:
    """Send again and close what had stopped it; incidents of its campaigns stay open. No effect if it is sending.

    `compared`: what may have left since a restored backup was made is dealt with; a frozen one resumes only so.
    """
    connection = lock_connection(connection.pk)
    if connection.state == Connection.State.OK:
        return connection
    if connection.state == Connection.State.FROZEN and not compared:
        raise WrongState(_("A backup was restored: open the connection and say what becomes of its messages first."))
    was = connection.state
    _enter(connection, Connection.State.OK, now)
    stops = connection.incidents.filter(campaign=None, closed_at=None, kind__in=set(STOPPED_BECAUSE.values()))
    stops.update(closed_at=now, closed_by=user)
    audit(actor=user, act="connection.resumed", subject=connection, now=now, was=was)
    return connection


@transaction.atomic
def close_incident(*, incident: Incident, user: User, now: datetime) -> Incident:
    """Somebody has seen to it. What stopped a connection or a campaign is closed by resuming that, not here."""
    connection = lock_connection(incident.connection_id)
    incident = Incident.objects.select_for_update(of=("self",)).select_related("campaign").get(pk=incident.pk)
    if incident.closed_at:
        return incident
    if resuming_closes(incident):
        raise WrongState(_("Something is stopped because of this: resume it, and this is closed with it."))
    incident.closed_at, incident.closed_by = now, user
    incident.save(update_fields=["closed_at", "closed_by"])
    audit(actor=user, act="incident.closed", subject=connection, now=now, kind=incident.kind)
    return incident


def resuming_closes(incident: Incident) -> bool:
    """Whether it waits for a connection, or for a campaign, to be resumed."""
    if incident.campaign:
        return incident.campaign.state == Campaign.State.PAUSED
    return incident.kind in STOPPED_BECAUSE.values() and incident.connection.state != Connection.State.OK


def _enter(connection: Connection, state: str, now: datetime) -> None:
    connection.state, connection.state_since = state, now
    connection.save(update_fields=["state", "state_since"])
