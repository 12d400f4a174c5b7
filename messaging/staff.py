"""What a user is called wherever people read it."""

from django.contrib.auth.models import User


def staff_name(user: User | None) -> str:
    """First and last name, or the user name where those are not given; nothing for nobody."""
    return (user.get_full_name() or user.get_username()) if user else ""
