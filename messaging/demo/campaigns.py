"""A campaign from a file of people to its launch, as a composer and an approver do it on the screens.

Each function finds what is there already and goes on from it, so that one that was cut off can be called again.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from contacts.imports.service import run_import, start_import
from contacts.models import ContactImport, ContactList, ListMembership
from messaging import campaigns, planning
from messaging.approval import (
    approve_campaign,
    approve_version,
    post_sandbox_templates,
    save_template,
    submit_template,
)
from messaging.clock import db_now
from messaging.demo.crowd import write_people
from messaging.demo.players import Players
from messaging.demo.story import SAMPLES
from messaging.demo.twin import Twin
from messaging.models import Campaign, Conversation, ProviderApproval, Template, TemplateVersion
from messaging.policy import SESSION_WINDOW, Lane
from messaging.statuses import Channel

State = Campaign.State
WORDS = {  # what the text is made of → template's name and text; the fewer texts, the more recipients share a request
    "plain": (
        "Demo: holiday notice",
        "Klinik Mesra is closed on Friday. We are open again on Saturday from 9.00.",
    ),
    "branch": (
        "Demo: branch notice",
        "Klinik Mesra {{branch}} is closed on Friday. We are open again on Saturday from 9.00.",
    ),
    "personal": (
        "Demo: personal notice",
        "Hello {{name}}, Klinik Mesra {{branch}} expects you on Monday at {{appointment_time}}. Reply 1 to confirm.",
    ),
}
FRESH = SESSION_WINDOW / 2  # an older message's window may end before the campaign does
POLL_S = 0.2
TWIN_S = 30.0  # for the twin to take a text
WINDOWS_S = 120.0  # for everyone's message to come in


class TookTooLong(Exception):
    """Something that others have to do did not happen in time."""


def import_people(team: Players, count: int, list_name: str) -> ContactList:
    """A list of that many people, imported from a file unless they are in it."""
    contact_list, _created = ContactList.objects.get_or_create(name=list_name)
    if ListMembership.objects.filter(contact_list=contact_list).count() >= count:
        return contact_list
    unfinished = ContactImport.objects.unfinished().filter(contact_list=contact_list).first()
    import_id = (unfinished or _upload(team, count, contact_list)).pk
    run_import(import_id)
    waiting = ContactImport.objects.unfinished().filter(pk=import_id)
    wait_until(lambda: not waiting.exists(), TWIN_S, "another worker's import")
    return contact_list


def _upload(team: Players, count: int, contact_list: ContactList) -> ContactImport:
    with tempfile.NamedTemporaryFile("w+", encoding="utf-8", newline="", suffix=".csv") as scratch:
        write_people(cast(TextIO, scratch), count)
        scratch.flush()
        with Path(scratch.name).open("rb") as file:
            return start_import(
                file=cast(BinaryIO, file),
                file_name=f"demo-{count}.csv",
                contact_list=contact_list,
                user=team.composer,
            )


def approved_version(team: Players, kind: str) -> TemplateVersion:
    """The approved text of this kind, known to the twin: written, submitted and approved unless that was done."""
    name, body = WORDS[kind]
    template = Template.objects.filter(name=name).first() or save_template(
        template=None,
        name=name,
        language="en",
        purpose="service",
        body=body,
        samples=SAMPLES,
        user=team.composer,
        now=db_now(),
    )
    version = template.versions.filter(state=TemplateVersion.State.APPROVED).first()
    if version is None:
        waiting = template.versions.filter(state=TemplateVersion.State.IN_REVIEW).first()
        waiting = waiting or submit_template(template=template, user=team.composer, now=db_now())
        version = approve_version(version=waiting, user=team.approver, now=db_now())
    wait_until(lambda: _known_to_twin(version, team), TWIN_S, "the sandbox to take the template")
    return version


def _known_to_twin(version: TemplateVersion, team: Players) -> bool:
    approvals = ProviderApproval.objects.filter(version=version, connection=team.connection)
    if not approvals.filter(state=ProviderApproval.State.APPROVED).exists():
        post_sandbox_templates(db_now())
    return approvals.exclude(state=ProviderApproval.State.PENDING).exists()


def open_windows(team: Players, contact_list: ContactList) -> None:
    """Everyone on the list writes to us; returns when all of that has come in."""
    fresh = Conversation.objects.filter(
        connection=team.connection, channel=Channel.WHATSAPP, last_mo_at__gt=db_now() - FRESH
    )
    closed = contact_list.members.exclude(pk__in=fresh.values("contact"))
    twin = Twin(team.connection)
    for msisdn in closed.values_list("msisdn", flat=True).order_by("pk"):
        twin.write_in(str(msisdn), "Hello")
    wait_until(lambda: not closed.exists(), WINDOWS_S, "everyone's message to come in")


def draft(team: Players, name: str, contact_list: ContactList, kind: str, lane: Lane) -> Campaign:
    """The campaign of that name, with its text for one lane."""
    existing = Campaign.objects.filter(name=name).first()
    campaign = existing or campaigns.create_campaign(
        user=team.composer, now=db_now(), name=name, connection=team.connection, **_texts(team, kind, lane)
    )
    if campaign.state == State.DRAFT and not campaign.audience.exists():
        campaigns.edit_campaign(
            campaign=campaign,
            user=team.composer,
            version=campaign.version,
            now=db_now(),
            include=[contact_list],
            exclude=[],
        )
    return campaign


def _texts(team: Players, kind: str, lane: Lane) -> dict[str, object]:
    if lane is Lane.TEMPLATE:
        return {"template_version": approved_version(team, kind)}
    return {"session_text" if lane is Lane.SESSION else "sms_text": WORDS[kind][1]}


def plan(team: Players, campaign: Campaign) -> Campaign:
    """Submitted, with every planned row written."""
    campaign.refresh_from_db()
    if campaign.state == State.DRAFT:
        campaigns.submit_campaign(campaign=campaign, user=team.composer, now=db_now())
    planning.materialise(campaign.pk, db_now())
    campaign.refresh_from_db()
    return campaign


def launch(team: Players, campaign: Campaign) -> Campaign:
    """Approved by the other one with the plan as it is, and launched."""
    campaign.refresh_from_db()
    if campaign.state == State.IN_REVIEW:
        approve_campaign(campaign=campaign, user=team.approver, plan_hash=campaign.plan_hash, now=db_now())
        campaign.refresh_from_db()
    if campaign.state == State.APPROVED:
        campaigns.launch_campaign(campaign=campaign, user=team.composer, now=db_now())
        campaign.refresh_from_db()
    return campaign


def wait_until(happened: Callable[[], bool], at_most_s: float, what: str) -> None:
    """Raises TookTooLong."""
    until = time.monotonic() + at_most_s
    while not happened():
        if time.monotonic() > until:
            raise TookTooLong(f"waited {at_most_s:.0f} s for {what}")
        time.sleep(POLL_S)
