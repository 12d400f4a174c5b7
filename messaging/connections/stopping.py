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
from messaging.models import Connection, Incident
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

    `client` is the one that got the answer: a refusal of credentials that were replaced meanwhile stops nothing.
    """
    connection = lock_connection(connection_id)
    if client is not None and client != client_for(connection):
        return
    code = "" if code is None else str(code)[:16]
    if connection.state == Connection.State.OK:
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
def resume_connection(*, connection: Connection, user: User, now: datetime) -> Connection:
    """Send again and close what had stopped it; incidents of its campaigns stay open. No effect if it is sending."""
    connection = lock_connection(connection.pk)
    if connection.state == Connection.State.OK:
        return connection
    was = connection.state
    _enter(connection, Connection.State.OK, now)
    stops = connection.incidents.filter(campaign=None, closed_at=None, kind__in=set(STOPPED_BECAUSE.values()))
    stops.update(closed_at=now, closed_by=user)
    audit(actor=user, act="connection.resumed", subject=connection, now=now, was=was)
    return connection


def _enter(connection: Connection, state: str, now: datetime) -> None:
    connection.state, connection.state_since = state, now
    connection.save(update_fields=["state", "state_since"])
