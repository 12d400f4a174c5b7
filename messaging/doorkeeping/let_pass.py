"""What observe and warn let through although the window or the templates would have stopped it: figures, and a word."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Count, QuerySet

from messaging.audit import audit, history
from messaging.models import DoorCall, DoorClient

ACT = "doorclient.let_pass"
TOLD_EVERY = timedelta(hours=1)


def let_pass(client: DoorClient, since: datetime) -> QuerySet[DoorCall]:
    """The calls that enforce would have refused, newest first; each with its recipients' messages."""
    calls = DoorCall.objects.filter(client=client, at__gte=since).exclude(would_be="")
    return calls.order_by("-at", "-pk").prefetch_related("recipients__message__contact")


def count_let_pass(client: DoorClient, since: datetime) -> dict[str, int]:
    """How many such calls there were, by the reason that would have stopped them."""
    calls = DoorCall.objects.filter(client=client, at__gte=since).exclude(would_be="").order_by()
    return dict(calls.values_list("would_be").annotate(Count("pk")))


def tell_owner(call: DoorCall, now: datetime) -> None:
    """One audit event an hour, however many calls: the calls themselves are the list."""
    if not history(call.client).filter(act=ACT, at__gt=now - TOLD_EVERY).exists():
        audit(actor=None, act=ACT, subject=call.client, now=now, reason=call.would_be, ref=call.ref)
