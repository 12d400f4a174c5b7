from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.admin import AuthenticatorAdmin
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import ManyToManyField, QuerySet
from django.forms import CheckboxSelectMultiple, ModelMultipleChoiceField
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

admin.site.unregister([User, Group])
admin.site.unregister(Authenticator)
admin.site.unregister(EmailAddress)  # no mail leaves from here


@admin.register(User)
class StaffAdmin(UserAdmin):
    """Staff and their roles: a role is a group."""

    list_display = ["username", "first_name", "last_name", "roles", "is_active", "is_superuser", "last_login"]
    fieldsets = [
        (None, {"fields": ["username", "password"]}),
        (_("Who they are"), {"fields": ["first_name", "last_name", "email"]}),
        (_("What they may do"), {"fields": ["groups", "is_active", "is_staff", "is_superuser"]}),
        (_("When"), {"fields": ["last_login", "date_joined"]}),
    ]
    readonly_fields = ["last_login", "date_joined"]
    filter_horizontal = []

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    def formfield_for_manytomany(
        self, db_field: ManyToManyField, request: HttpRequest, **kwargs: Any
    ) -> ModelMultipleChoiceField | None:
        return super().formfield_for_manytomany(
            db_field, request, widget=CheckboxSelectMultiple, help_text="", **kwargs
        )

    @admin.display
    def roles(self, user: User) -> str:
        return ", ".join(group.name for group in user.groups.all())


@admin.register(Group)
class RoleAdmin(admin.ModelAdmin):
    """The roles to read: what each may do stands in roles.py, and every migrate sets it so."""

    fields = ["name", "rights"]
    readonly_fields = ["name", "rights"]
    ordering = ["name"]

    @admin.display(description=_("rights"))
    def rights(self, role: Group) -> str:
        return "\n".join(role.permissions.order_by("content_type__app_label", "name").values_list("name", flat=True))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return False


@admin.register(Authenticator)
class SecondFactorAdmin(AuthenticatorAdmin):
    """Its secret stays out of the form; deleting one lets the user set up another."""

    fields = readonly_fields = ["user", "type", "created_at", "last_used_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
