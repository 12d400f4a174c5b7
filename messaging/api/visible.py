"""What a client may see and touch: a test client sandboxes and what went through them, alone."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from messaging.api.fields import BadValue
from messaging.models import ApiClient, Campaign, Connection, Conversation, Message, Template, TemplateVersion

NO_PEOPLE = "A test key sees and changes nobody while there is a connection to real phones."


def people(client: ApiClient) -> bool:
    """Whether it may see and change people and lists, which no sandbox has to itself."""
    return client.live or not Connection.objects.exclude(kind=Connection.Kind.SANDBOX).exists()


def connections(client: ApiClient) -> QuerySet[Connection]:
    return Connection.objects.all() if client.live else Connection.objects.filter(kind=Connection.Kind.SANDBOX)


def messages(client: ApiClient) -> QuerySet[Message]:
    return _through(Message.objects.select_related("contact"), client)


def campaigns(client: ApiClient) -> QuerySet[Campaign]:
    return _through(Campaign.objects.select_related("connection", "template_version__template"), client)


def conversations(client: ApiClient) -> QuerySet[Conversation]:
    return _through(Conversation.objects.select_related("contact", "connection"), client)


def _through(rows: QuerySet[Any], client: ApiClient) -> QuerySet[Any]:
    return rows if client.live else rows.filter(connection__kind=Connection.Kind.SANDBOX)


def connection_of(client: ApiClient, name: str | None) -> Connection:
    """The connection of this id or name; without one the only one that there is. Raises BadValue."""
    mine = connections(client)
    if name is None:
        found = list(mine[:2])
        if len(found) == 1:
            return found[0]
        raise BadValue("connection_needed", _("Say which connection: there is not exactly one."))
    chosen = mine.filter(_called(name)).first()
    if chosen is None:
        raise BadValue("unknown_connection", _("There is no such connection."))
    return chosen


def version_of(name: str) -> TemplateVersion:
    """The newest approved version of the template of this id or name; else its newest, which the rule refuses."""
    template = Template.objects.filter(_called(name)).first()
    if template is None:
        raise BadValue("unknown_template", _("There is no such template."))
    versions = template.versions.select_related("template").order_by("-number")
    version = versions.filter(state=TemplateVersion.State.APPROVED).first() or versions.first()
    if version is None:
        raise BadValue("template_not_approved", _("The template has not been submitted yet."))
    return version


def _called(name: str) -> Q:
    try:
        return Q(public_id=UUID(name)) | Q(name=name)
    except ValueError:
        return Q(name=name)
