from django.contrib.auth.models import User
from django.core.management.base import CommandError


def find_owner(username: str) -> User:
    """Whoever answers for another system: this active user, or the first admin. Raises CommandError."""
    active = User.objects.filter(is_active=True).order_by("pk")
    found = (
        active.filter(username=username).first()
        if username
        else active.filter(is_superuser=True).first() or active.filter(groups__name="admin").first()
    )
    if found is None:
        raise CommandError(f"There is no user {username}." if username else "There is no admin: name an --owner.")
    return found
