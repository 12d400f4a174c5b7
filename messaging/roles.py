"""The five roles of staff, as groups of permissions; kept in step with the code after every migrate."""

from typing import Any

from django.contrib.auth.models import Group, Permission

VIEW = {
    "contacts.view_contact",
    "contacts.view_contactlist",
    "contacts.view_contactimport",
    "messaging.view_template",
    "messaging.view_campaign",
    "messaging.view_conversation",
    "messaging.view_connection",
    "messaging.view_incident",
}
COMPOSE = {
    "contacts.add_contact",
    "contacts.change_contact",
    "contacts.add_contactlist",
    "contacts.change_contactlist",
    "contacts.add_contactimport",
    "messaging.add_template",
    "messaging.change_template",
    "messaging.add_campaign",
    "messaging.change_campaign",
    "messaging.launch_campaign",
    "messaging.export_campaign",
}
ANSWER = {"messaging.reply_conversation", "contacts.change_contact", "contacts.opt_out_contact"}
APPROVE = {
    "messaging.approve_templateversion",
    "messaging.approve_campaign",
    "messaging.launch_campaign",
    "messaging.export_campaign",
}
RUN = {
    "messaging.add_connection",
    "messaging.change_connection",
    "messaging.resume_connection",
    "messaging.judge_message",
    "messaging.manage_apiclient",
}

ROLES: dict[str, set[str]] = {
    "viewer": VIEW,
    "composer": VIEW | COMPOSE,
    "approver": VIEW | APPROVE | {"messaging.judge_message"},
    "agent": VIEW | ANSWER,
    "admin": VIEW | COMPOSE | ANSWER | APPROVE | RUN,
}


def sync_roles(using: str = "default", **_kwargs: Any) -> None:
    """Give each role exactly its permissions. Runs after `migrate`; permissions of contacts exist by then."""
    for name, wanted in ROLES.items():
        group, _ = Group.objects.using(using).get_or_create(name=name)
        group.permissions.set(
            permission
            for permission in Permission.objects.using(using).select_related("content_type")
            if f"{permission.content_type.app_label}.{permission.codename}" in wanted
        )
