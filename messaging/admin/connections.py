from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.admin import History
from messaging.admin.acts import each, person
from messaging.clock import db_now
from messaging.connections import pause_connection, resume_connection
from messaging.models import Connection, ConnectionPace, HookToken


class HookTokenInline(admin.TabularInline):
    """When tokens were made and ended; nothing of the token itself."""

    model = HookToken
    fields = ["created_at", "revoked_at"]
    readonly_fields = ["created_at", "revoked_at"]
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Connection | None = None) -> bool:
        return False


@admin.register(Connection)
class ConnectionAdmin(History):
    """Settings and credentials are changed on the connection's own screen, which never shows the secret either."""

    list_display = ["name", "kind", "state", "state_since", "balance", "balance_currency", "balance_at"]
    list_filter = ["state", "kind"]
    exclude = ["app_secret"]
    inlines = [HookTokenInline]
    actions = ["pause", "resume"]

    @admin.action(description=gettext_lazy("Pause"), permissions=["resume"])
    def pause(self, request: HttpRequest, connections: QuerySet[Connection]) -> None:
        now = db_now()
        each(
            request,
            connections,
            lambda connection: pause_connection(connection=connection, user=person(request), now=now),
            _("paused"),
        )

    @admin.action(description=gettext_lazy("Resume"), permissions=["resume"])
    def resume(self, request: HttpRequest, connections: QuerySet[Connection]) -> None:
        now = db_now()
        each(
            request,
            connections,
            lambda connection: resume_connection(connection=connection, user=person(request), now=now),
            _("sending again"),
        )

    def has_resume_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("messaging.resume_connection")


@admin.register(ConnectionPace)
class ConnectionPaceAdmin(History):
    list_display = ["connection", "next_at"]
    list_select_related = ["connection"]
