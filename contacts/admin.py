from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from contacts.models import (
    ConsentEvent,
    Contact,
    ContactField,
    ContactImport,
    ContactList,
    ImportChange,
    ListMembership,
    Suppression,
)


class LargeTable(admin.ModelAdmin):
    show_full_result_count = False
    list_per_page = 50


class History(LargeTable):
    """Rows that services write: to be read here, not changed."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Contact)
class ContactAdmin(LargeTable):
    list_display = ["pretty_number", "name", "language", "whatsapp_bad_at", "sms_bad_at", "erased_at"]
    search_fields = ["name", "msisdn", "wa_id"]
    fields = ["msisdn", "wa_id", "name", "language", "fields", "whatsapp_bad_at", "sms_bad_at", "erased_at"]
    readonly_fields = ["msisdn", "wa_id", "whatsapp_bad_at", "sms_bad_at", "erased_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a number goes through `directory`

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # a person is erased, not deleted


@admin.register(ConsentEvent)
class ConsentEventAdmin(History):
    list_display = ["at", "contact", "direction", "channel", "purpose", "source", "words", "actor"]
    list_filter = ["direction", "source", "channel", "purpose"]
    list_select_related = ["contact", "actor"]
    search_fields = ["contact__msisdn", "contact__name"]


@admin.register(Suppression)
class SuppressionAdmin(History):
    list_display = ["since", "channel", "purpose", "source", "event"]
    list_filter = ["source", "channel", "purpose"]
    list_select_related = ["event"]


@admin.register(ContactImport)
class ContactImportAdmin(History):
    exclude = ["file", "bad_rows"]  # served by the screen of the import, to those who may
    list_display = ["file_name", "state", "created", "updated", "duplicate", "bad", "created_by", "created_at"]
    list_filter = ["state"]
    list_select_related = ["created_by"]
    search_fields = ["file_name"]


@admin.register(ImportChange)
class ImportChangeAdmin(History):
    list_display = ["contact_import", "row", "contact", "old_name", "new_name", "keys"]
    list_select_related = ["contact_import", "contact"]


@admin.register(ContactField)
class ContactFieldAdmin(admin.ModelAdmin):
    list_display = ["key", "label", "type"]
    search_fields = ["key", "label"]


@admin.register(ContactList)
class ContactListAdmin(LargeTable):
    list_display = ["name", "created_at"]
    search_fields = ["name"]


@admin.register(ListMembership)
class ListMembershipAdmin(LargeTable):
    list_display = ["contact_list", "contact", "added_at"]
    list_select_related = ["contact_list", "contact"]
    raw_id_fields = ["contact_list", "contact"]
