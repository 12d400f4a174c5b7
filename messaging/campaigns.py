"""A campaign's life: written, submitted, launched, started chunk by chunk, paused, resumed, cancelled, finished."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import User
from django.db import connection as database
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from contacts.models import Contact, ContactList
from messaging import planning, text
from messaging.apart import each_apart
from messaging.audit import audit
from messaging.errors import Incomplete, Refused, Stale, WrongState
from messaging.models import Campaign, CampaignAudience, Connection, Message, TemplateVersion
from messaging.policy import Lane
from messaging.rule_sql import rule_sql
from messaging.statuses import PASSING

State = Campaign.State
APPROVED = (State.APPROVED, State.SCHEDULED, State.PREPARING, State.RUNNING, State.PAUSED)
UNIT_SEPARATOR = "\x1f"  # between the two texts in texts_sha256; forbidden in either
BODIES = ("session_text", "sms_text")

START_CHUNK_SQL = """
WITH chunk AS MATERIALIZED (
    SELECT id, contact_id FROM messaging_message
    WHERE campaign_id = %(campaign)s AND id > %(cursor)s AND send_state = 'planned' AND fallback_of_id IS NULL
    ORDER BY id LIMIT %(chunk)s FOR NO KEY UPDATE
), decided AS MATERIALIZED ({rule}), changed AS (
    UPDATE messaging_message m SET
        send_state = CASE {state} END,
        lane = CASE CASE {state} END WHEN 'skipped' THEN 'skipped' ELSE '' END,
        reason = CASE WHEN {sending} THEN {sending_reason} ELSE d.reason END,
        held_for = CASE WHEN d.lane = 'held' THEN d.reason WHEN {sending} THEN %(quiet_for)s ELSE '' END,
        held_until = CASE WHEN {sending} THEN %(quiet_until)s::timestamptz END,
        timeline_at = %(at)s
    FROM chunk JOIN decided d USING (contact_id) WHERE m.id = chunk.id)
SELECT count(*), max(id) FROM chunk
"""


CANCEL_CHUNK_SQL = """
UPDATE messaging_message SET send_state = 'cancelled', held_for = '', held_until = NULL
WHERE id IN (SELECT id FROM messaging_message
             WHERE campaign_id = %s AND send_state IN ('planned', 'held', 'queued')
             ORDER BY id LIMIT %s FOR NO KEY UPDATE)
"""


class TextProblem(Refused):
    """A text that cannot be sent as it stands."""

    code = "text_problem"


@transaction.atomic
def create_campaign(*, user: User, now: datetime, name: str, connection: Connection, **fields: Any) -> Campaign:
    """A draft; whoever creates it counts as one of its writers."""
    campaign = Campaign(name=name.strip(), connection=connection, editor_ids=[user.pk], **_clean(fields))
    campaign.save()
    audit(actor=user, act="campaign.created", subject=campaign, now=now, name=campaign.name)
    return campaign


@transaction.atomic
def edit_campaign(
    *,
    campaign: Campaign,
    user: User,
    version: int,
    now: datetime,
    include: Iterable[ContactList] | None = None,
    exclude: Iterable[ContactList] | None = None,
    **fields: Any,
) -> Campaign:
    """Change a draft. Raises Stale if somebody saved after `version` was read, WrongState outside draft."""
    campaign = lock(campaign)
    _require(campaign, State.DRAFT)
    if campaign.version != version:
        raise Stale(_("Somebody else saved this campaign meanwhile. Your text is below; compare before saving again."))
    for key, value in _clean(fields).items():
        setattr(campaign, key, value)
    campaign.version += 1
    if user.pk not in campaign.editor_ids:
        campaign.editor_ids = [*campaign.editor_ids, user.pk]
    campaign.save()
    if include is not None:
        _set_audience(campaign, include, excluded=False)
    if exclude is not None:
        _set_audience(campaign, exclude, excluded=True)
    audit(actor=user, act="campaign.edited", subject=campaign, now=now, fields=sorted(fields))
    return campaign


def _clean(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: text.normalize_body(value) if key in BODIES else value for key, value in fields.items()}


def _set_audience(campaign: Campaign, lists: Iterable[ContactList], *, excluded: bool) -> None:
    wanted = {contact_list.pk for contact_list in lists}
    campaign.audience.filter(excluded=excluded).exclude(contact_list__in=wanted).delete()
    for pk in sorted(wanted):
        CampaignAudience.objects.update_or_create(
            campaign=campaign, contact_list_id=pk, defaults={"excluded": excluded}
        )


def lock(campaign: Campaign) -> Campaign:
    """The campaign as it is now, its row held until the transaction ends."""
    return (
        Campaign.objects.select_for_update(of=("self",), no_key=True)
        .select_related("connection", "template_version__template")
        .get(pk=campaign.pk)
    )


def _require(campaign: Campaign, *states: str) -> None:
    if campaign.state not in states:
        raise WrongState(
            _("This campaign is %(state)s; that is not possible now.") % {"state": campaign.get_state_display().lower()}
        )


def problems(campaign: Campaign) -> list[str]:
    """What must be mended before this draft can be submitted, in the user's words."""
    found: list[str | Promise] = []
    if not any((campaign.session_text, campaign.template_version_id, campaign.sms_text)):
        found.append(_("Write a text for at least one lane."))
    for label, body in ((_("Session text"), campaign.session_text), (_("SMS text"), campaign.sms_text)):
        flaws = [*text.find_forbidden(body), *text.find_malformed(body)]
        found += [
            _("%(text)s: “%(found)s” is not possible here.") % {"text": label, "found": flaw.found} for flaw in flaws
        ]
    version = campaign.template_version
    if version and (version.state != TemplateVersion.State.APPROVED or version.template.retired_at):
        found.append(_("The template is not approved."))
    if not campaign.audience.filter(excluded=False).exists():
        found.append(_("Choose at least one list of people."))
    if campaign.until_reply and not campaign.session_text:
        found.append(_("Holding until they write needs a session text."))
    if campaign.not_after and campaign.send_at and campaign.not_after <= campaign.send_at:
        found.append(_("“Not after” lies before the send time."))
    if not is_zone(campaign.time_zone):
        found.append(_("There is no time zone “%s”.") % campaign.time_zone)
    return [str(problem) for problem in found]


def is_zone(name: str) -> bool:
    """Whether this names a time zone."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, a path, a folder
        return False
    return True


@transaction.atomic
def submit_campaign(*, campaign: Campaign, user: User, now: datetime) -> Campaign:
    """Ask for approval: texts and audience are fixed from here on; `planning.materialise` then writes the rows.

    Raises Incomplete with every problem in words.
    """
    campaign = lock(campaign)
    _require(campaign, State.DRAFT)
    found = problems(campaign)
    if found:
        raise Incomplete(" ".join(found))
    campaign.state = State.IN_REVIEW
    campaign.submitted_by, campaign.submitted_at = user, now
    if user.pk not in campaign.editor_ids:
        campaign.editor_ids = [*campaign.editor_ids, user.pk]
    campaign.texts_sha256 = text.body_sha256(campaign.session_text + UNIT_SEPARATOR + campaign.sms_text)
    campaign.save()
    audit(actor=user, act="campaign.submitted", subject=campaign, now=now)
    return campaign


@transaction.atomic
def withdraw_campaign(*, campaign: Campaign, user: User, now: datetime, reason: str = "") -> Campaign:
    """Back to draft, before anything started: the plan and its approval are void."""
    campaign = lock(campaign)
    _require(campaign, State.IN_REVIEW, State.APPROVED, State.SCHEDULED)
    planning.unseal(campaign)
    campaign.state = State.DRAFT
    campaign.approved_by = campaign.approved_at = None
    campaign.launched_by = campaign.launched_at = None
    campaign.submitted_by = campaign.submitted_at = campaign.texts_sha256 = None
    campaign.version += 1
    campaign.save()
    audit(actor=user, act="campaign.returned", subject=campaign, now=now, reason=reason)
    return campaign


@transaction.atomic
def launch_campaign(*, campaign: Campaign, user: User, now: datetime) -> Campaign:
    """Let an approved campaign go, now or at its send time. Of several launches at once one succeeds."""
    campaign = lock(campaign)
    _require(campaign, State.APPROVED)
    later = campaign.send_at is not None and campaign.send_at > now
    campaign.state = State.SCHEDULED if later else State.PREPARING
    campaign.launched_at, campaign.launched_by = now, user
    campaign.save()
    audit(actor=user, act="campaign.launched", subject=campaign, now=now)
    return campaign


@transaction.atomic
def pause_campaign(*, campaign: Campaign, user: User | None, now: datetime, reason: str = "") -> Campaign:
    """Nothing more leaves; what is at the provider finishes. Changes no message."""
    campaign = lock(campaign)
    _require(campaign, State.RUNNING, State.PREPARING)
    campaign.state = State.PAUSED
    campaign.save(update_fields=["state"])
    audit(actor=user, act="campaign.paused", subject=campaign, now=now, reason=reason)
    return campaign


@transaction.atomic
def resume_campaign(*, campaign: Campaign, user: User, now: datetime) -> Campaign:
    """Go on with exactly the rest."""
    campaign = lock(campaign)
    _require(campaign, State.PAUSED)
    started = not Message.objects.filter(campaign=campaign, send_state="planned").exists()
    campaign.state = State.RUNNING if started else State.PREPARING
    campaign.save(update_fields=["state"])
    campaign.incidents.filter(closed_at=None).update(closed_at=now, closed_by=user)
    audit(actor=user, act="campaign.resumed", subject=campaign, now=now)
    return campaign


@transaction.atomic
def cancel_campaign(*, campaign: Campaign, user: User, now: datetime) -> Campaign:
    """For good: planned, held and queued rows will be cancelled (`cancel_rows`); what is being sent finishes."""
    campaign = lock(campaign)
    if campaign.state in (State.FINISHED, State.CANCELLED):
        _require(campaign)
    campaign.state, campaign.finished_at = State.CANCELLED, now
    campaign.save(update_fields=["state", "finished_at"])
    campaign.incidents.filter(closed_at=None).update(closed_at=now, closed_by=user)
    audit(actor=user, act="campaign.cancelled", subject=campaign, now=now)
    return campaign


def cancel_rows(_now: datetime) -> int:
    """Tick: cancel what is left of cancelled campaigns, at most 5,000 rows a transaction."""
    left = planning.campaigns_with_rows(State.CANCELLED, ["planned", "held", "queued"])
    return each_apart(left, _cancel_rows_of, step="cancel")


def _cancel_rows_of(campaign_id: int) -> int:
    total = 0
    while True:
        with transaction.atomic(), database.cursor() as cursor:
            cursor.execute(CANCEL_CHUNK_SQL, [campaign_id, planning.CHUNK])
            total += cursor.rowcount
            if cursor.rowcount < planning.CHUNK:
                return total


def start_due(now: datetime) -> int:
    """Tick: scheduled campaigns whose time has come begin to prepare; preparing ones are started. Idempotent."""
    due = Campaign.objects.filter(state=State.SCHEDULED, send_at__lte=now).values_list("pk", flat=True)
    for campaign_id in list(due):
        Campaign.objects.filter(pk=campaign_id, state=State.SCHEDULED).update(state=State.PREPARING)
    waiting = list(Campaign.objects.filter(state=State.PREPARING).values_list("pk", flat=True))
    return each_apart(waiting, lambda campaign_id: start(campaign_id, now), step="start")


def start(campaign_id: int, now: datetime) -> int:
    """Turn planned rows into queued, held or skipped ones, deciding each again; how many were started.

    Chunk by chunk, each with its cursor in its own transaction: a crash in between is resumed by the next caller.
    """
    total = 0
    while True:
        with transaction.atomic():
            campaign = lock(Campaign(pk=campaign_id))
            if campaign.state != State.PREPARING:
                return total
            started = _start_chunk(campaign, now)
            total += started
            if not started:
                campaign.state = State.RUNNING
                campaign.save(update_fields=["state"])
                return total


def _start_chunk(campaign: Campaign, now: datetime) -> int:
    rule = rule_sql(
        campaign, now, "SELECT contact_id FROM chunk", campaign=campaign.pk, cursor=campaign.start_cursor,
        chunk=planning.CHUNK,
    )  # fmt: skip
    quiet = planning.quiet_verdict(campaign, now)
    sending = "d.lane IN ('session', 'template', 'sms')"
    states = {
        None: f"WHEN {sending} THEN 'queued' WHEN d.lane = 'held' THEN 'held' ELSE 'skipped'",
        Lane.HELD: f"WHEN {sending} OR d.lane = 'held' THEN 'held' ELSE 'skipped'",
        Lane.SKIPPED: "WHEN d.lane = 'held' THEN 'held' ELSE 'skipped'",
    }
    params = rule.params | {
        "quiet_for": quiet.reason if quiet and quiet.lane is Lane.HELD else "",
        "quiet_until": quiet and quiet.until,
        "quiet_reason": quiet.reason if quiet else "",
    }
    sql = START_CHUNK_SQL.format(
        rule=rule.sql,
        state=states[quiet.lane if quiet else None],
        sending=sending,
        sending_reason="%(quiet_reason)s" if quiet else "''",
    )
    with database.cursor() as cursor:
        cursor.execute(sql, params)
        started, last = cursor.fetchone()
    if started:
        campaign.start_cursor = last
        campaign.save(update_fields=["start_cursor"])
    return started


def finish_done(now: datetime) -> int:
    """Tick: campaigns with no row in a passing state are finished."""
    passing = Message.objects.filter(send_state__in=[state.value for state in PASSING])
    running = Campaign.objects.filter(state__in=[State.RUNNING, State.PAUSED]).values_list("pk", flat=True)
    return sum(
        Campaign.objects.filter(pk=pk, state__in=[State.RUNNING, State.PAUSED]).update(
            state=State.FINISHED, finished_at=now
        )
        for pk in list(running)
        if not passing.filter(campaign=pk).exists()
    )


@transaction.atomic
def send_test(*, campaign: Campaign, contact: Contact, user: User, now: datetime) -> Message:
    """Queue the campaign's message to one person as a test: the rule applies, the report does not count it.

    A test leaves the house like any other message, so its texts need their second person first.
    """
    campaign = lock(campaign)
    if campaign.state not in APPROVED:
        raise WrongState(_("A test really leaves: somebody else has to approve the campaign before."))
    message = planning.intended(campaign, contact)
    message.campaign, message.test_of = None, campaign
    message.author, message.send_state, message.timeline_at = user, "queued", now
    message.save()
    audit(actor=user, act="campaign.tested", subject=campaign, now=now, contact=str(contact.public_id))
    return message
