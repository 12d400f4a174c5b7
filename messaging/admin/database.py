from django.contrib import admin

from contacts.admin import History
from messaging.models.database import Birthmark, KnownDatabase
from messaging.models.heartbeat import Heartbeat


@admin.register(Birthmark)
class BirthmarkAdmin(History):
    """What a restored backup is told by (docs/reliability.md)."""


@admin.register(KnownDatabase)
class KnownDatabaseAdmin(History):
    list_display = ["system_identifier", "timeline", "database", "epoch", "seen_at", "lost_since"]


@admin.register(Heartbeat)
class HeartbeatAdmin(History):
    list_display = ["name", "at"]
    ordering = ["name"]
