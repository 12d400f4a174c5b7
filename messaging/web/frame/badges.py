"""The state of a thing in words, with a tone and an icon, so that no meaning hangs on colour alone."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Model
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from contacts.models import ContactImport
from messaging.models import (
    Campaign,
    Connection,
    Message,
    ProviderApproval,
    TemplateVersion,
    WebhookDelivery,
    WebhookEndpoint,
)
from messaging.statuses import STATUS_WORDS, Status


@dataclass(frozen=True)
class Badge:
    tone: str  # ok info wait bad quiet unsure (css/badge.css)
    icon: str  # a symbol of static/img/icons.svg
    words: str | Promise


STATUSES: Mapping[Status, tuple[str, str]] = {
    Status.PLANNED: ("quiet", "calendar"),
    Status.QUEUED: ("quiet", "clock"),
    Status.HELD: ("wait", "pause"),
    Status.SENDING: ("info", "send"),
    Status.ACCEPTED: ("info", "check"),
    Status.SENT: ("info", "check"),
    Status.DELIVERED: ("ok", "checks"),
    Status.UNDELIVERED: ("bad", "x"),
    Status.REFUSED: ("bad", "x"),
    Status.UNKNOWN: ("unsure", "question"),
    Status.SKIPPED: ("quiet", "ban"),
    Status.CANCELLED: ("quiet", "x"),
    Status.EXPIRED: ("quiet", "clock"),
    Status.STUCK: ("bad", "alert"),
}
CAMPAIGN, VERSION, CONNECTION = Campaign.State, TemplateVersion.State, Connection.State
PROVIDER, IMPORT = ProviderApproval.State, ContactImport.State
ENDPOINT, DELIVERY = WebhookEndpoint.State, WebhookDelivery.State
STATES: Mapping[type[Model], Mapping[str, tuple[str, str]]] = {
    Campaign: {
        CAMPAIGN.DRAFT: ("quiet", "edit"),
        CAMPAIGN.IN_REVIEW: ("wait", "clock"),
        CAMPAIGN.APPROVED: ("ok", "check"),
        CAMPAIGN.SCHEDULED: ("info", "calendar"),
        CAMPAIGN.PREPARING: ("info", "refresh"),
        CAMPAIGN.RUNNING: ("info", "send"),
        CAMPAIGN.PAUSED: ("wait", "pause"),
        CAMPAIGN.FINISHED: ("ok", "checks"),
        CAMPAIGN.CANCELLED: ("quiet", "x"),
    },
    TemplateVersion: {
        VERSION.IN_REVIEW: ("wait", "clock"),
        VERSION.APPROVED: ("ok", "check"),
        VERSION.RETURNED: ("bad", "return"),
        VERSION.RETIRED: ("quiet", "archive"),
    },
    ProviderApproval: {
        PROVIDER.PENDING: ("wait", "clock"),
        PROVIDER.APPROVED: ("ok", "check"),
        PROVIDER.DOUBTED: ("bad", "alert"),
    },
    Connection: {
        CONNECTION.OK: ("ok", "check"),
        CONNECTION.NO_CREDIT: ("bad", "wallet"),
        CONNECTION.CREDENTIALS: ("bad", "key"),
        CONNECTION.SUSPENDED: ("bad", "ban"),
        CONNECTION.PAUSED: ("wait", "pause"),
        CONNECTION.FROZEN: ("wait", "pause"),
    },
    ContactImport: {
        IMPORT.COLUMNS: ("wait", "edit"),
        IMPORT.UPLOADED: ("quiet", "clock"),
        IMPORT.RUNNING: ("info", "refresh"),
        IMPORT.DONE: ("ok", "check"),
        IMPORT.FAILED: ("bad", "x"),
    },
    WebhookEndpoint: {
        ENDPOINT.ACTIVE: ("ok", "check"),
        ENDPOINT.PAUSED: ("wait", "pause"),
        ENDPOINT.DISABLED: ("quiet", "archive"),
    },
    WebhookDelivery: {
        DELIVERY.WAITING: ("info", "send"),
        DELIVERY.DELIVERED: ("ok", "checks"),
        DELIVERY.GIVEN_UP: ("bad", "x"),
    },
}


def badge_of(thing: Model) -> Badge:
    """The badge of a message, or of anything in STATES."""
    if isinstance(thing, Message):
        return status_badge(thing.status)
    if isinstance(thing, WebhookDelivery):
        return delivery_badge(thing.state, thing.endpoint)
    tone, icon = STATES[type(thing)][thing.state]  # type: ignore[attr-defined]
    return Badge(tone, icon, thing.get_state_display())  # type: ignore[attr-defined]


def delivery_badge(state: str, endpoint: WebhookEndpoint) -> Badge:
    """Nothing is on its way to an endpoint that is paused."""
    if state == DELIVERY.WAITING and endpoint.state == ENDPOINT.PAUSED:
        return Badge("wait", "pause", _("Waits until it is resumed"))
    tone, icon = STATES[WebhookDelivery][state]
    return Badge(tone, icon, DELIVERY(state).label)


def status_badge(status: Status | str) -> Badge:
    tone, icon = STATUSES[Status(status)]
    return Badge(tone, icon, STATUS_WORDS[Status(status)])
