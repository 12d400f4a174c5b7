from allauth.account.models import EmailAddress
from allauth.mfa.admin import AuthenticatorAdmin
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest

admin.site.unregister(User)
admin.site.unregister(Authenticator)
admin.site.unregister(EmailAddress)  # no mail leaves from here


@admin.register(User)
class StaffAdmin(UserAdmin):
    """Staff and their roles: a role is a group."""

    list_display = ["username", "first_name", "last_name", "roles", "is_active", "is_superuser", "last_login"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display
    def roles(self, user: User) -> str:
        return ", ".join(group.name for group in user.groups.all())


@admin.register(Authenticator)
class SecondFactorAdmin(AuthenticatorAdmin):
    """Its secret stays out of the form; deleting one lets the user set up another."""

    fields = readonly_fields = ["user", "type", "created_at", "last_used_at"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False
