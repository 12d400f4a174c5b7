"""Who plays: a user for each role, and the connection to the provider's twin."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import environ
from django.contrib.auth.models import Group, User

from messaging.approval import ask_provider_again
from messaging.connections import adopt_hook_token, create_connection, update_connection
from messaging.models import Connection
from messaging.roles import ROLES, sync_roles

USERS = {  # the role, which is the user name too → who has it at the clinic
    "composer": ("Nadia", "Ismail"),
    "approver": ("Farid", "Hassan"),
    "agent": ("Chong", "Mei Ling"),
    "viewer": ("Devi", "Subramaniam"),
    "admin": ("Suresh", "Kumar"),
}
CONNECTION = "Sandbox"
KNOWN_FOR = timedelta(days=10)  # when the story begins
RATE_PER_S = 2_000  # the twin has no limit of its own

env = environ.Env()


class NotSeeded(Exception):
    """There is nobody to play: `manage.py seed_demo` has not run."""


@dataclass(frozen=True)
class Players:
    """The two people whom a campaign needs, and what it is sent through."""

    composer: User
    approver: User
    connection: Connection


@dataclass(frozen=True)
class Cast(Players):
    """Everybody whom the clinic's last days need."""

    agent: User
    admin: User


def players() -> Players:
    """Those whom `seed_demo` made. Raises NotSeeded."""
    users = {user.username: user for user in User.objects.filter(username__in=USERS)}
    connection = Connection.objects.filter(name=CONNECTION, kind=Connection.Kind.SANDBOX).first()
    if connection is None or not {"composer", "approver"} <= users.keys():
        raise NotSeeded("Run seed_demo first: it makes the users and the connection to the sandbox.")
    return Players(users["composer"], users["approver"], connection)


def seed_users() -> dict[str, User]:
    """The users with their roles, and with the passwords that the environment gives them, if it does."""
    sync_roles()
    return {role: _seed_user(role, *names) for role, names in USERS.items()}


def _seed_user(role: str, first_name: str, last_name: str) -> User:
    assert role in ROLES
    names = {"first_name": first_name, "last_name": last_name}
    user, _created = User.objects.get_or_create(username=role, defaults=names)
    user.is_staff = user.is_superuser = role == "admin"
    password = env("SWITCHBOARD_DEMO_PASSWORD", default="") or env(f"DEMO_PASSWORD_{role.upper()}", default="")
    if not password and not user.password:
        user.set_unusable_password()
    if password and not user.check_password(password):
        user.set_password(password)
    user.save()
    user.groups.set([Group.objects.get(name=role)])
    return user


def seed_connection(user: User, now: datetime) -> Connection | None:
    """The connection that SANDBOX_URL and the like describe, as they are at this start; None if they are not given."""
    base_url, token = env("SANDBOX_URL", default="").rstrip("/"), env("SANDBOX_HOOK_TOKEN", default="")
    if not base_url:
        return None
    account = {"base_url": base_url, "app_key": env("SANDBOX_APP_KEY"), "app_secret": env("SANDBOX_APP_SECRET")}
    connection = Connection.objects.filter(name=CONNECTION).first()
    if connection is None:
        kind = Connection.Kind.SANDBOX
        connection, _token = create_connection(
            name=CONNECTION,
            kind=kind,
            user=user,
            now=now - KNOWN_FOR,
            hook_token=token,
            rate_per_s=RATE_PER_S,
            **account,
        )
        return connection
    connection = update_connection(connection=connection, user=user, now=now, **account)
    if token:
        adopt_hook_token(connection=connection, token=token, now=now)
    ask_provider_again(connection=connection, now=now)
    return connection
