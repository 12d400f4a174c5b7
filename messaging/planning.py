"""The flight plan: what will happen to everyone in a campaign, and why, before anything leaves.

A draft's plan is only counted. Asking for approval writes one planned row a person, in chunks that can be resumed;
sealing the plan fixes its hash, and approval names the hash that the approver saw.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import connection as database
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, QuerySet

from contacts.models import Contact
from messaging import text
from messaging.apart import each_apart
from messaging.facts import Bodies, Prepared, placeholder_values, prepare, quiet_hours, render_lanes
from messaging.models import AudienceRemoval, Campaign, Message
from messaging.policy import SENDING_LANES, Lane, Reason, Verdict
from messaging.rule_sql import rule_sql
from messaging.statuses import Channel

CHUNK = 5_000  # rows a transaction touches at most (design: lock order and short transactions)

MEMBERS_SQL = """
SELECT DISTINCT m.contact_id FROM contacts_listmembership m
JOIN messaging_campaignaudience a ON a.contact_list_id = m.contact_list_id AND a.campaign_id = %(campaign)s
WHERE NOT a.excluded AND NOT EXISTS (
    SELECT 1 FROM contacts_listmembership x
    JOIN messaging_campaignaudience e ON e.contact_list_id = x.contact_list_id AND e.campaign_id = %(campaign)s
    WHERE e.excluded AND x.contact_id = m.contact_id)
"""
AUDIENCE_SQL = """
SELECT count(*), count(*) FILTER (WHERE x.contact_id IS NOT NULL),
       count(DISTINCT m.contact_id) FILTER (WHERE x.contact_id IS NULL)
FROM contacts_listmembership m
JOIN messaging_campaignaudience a ON a.contact_list_id = m.contact_list_id AND a.campaign_id = %(campaign)s
LEFT JOIN (
    SELECT DISTINCT x.contact_id FROM contacts_listmembership x
    JOIN messaging_campaignaudience e ON e.contact_list_id = x.contact_list_id AND e.campaign_id = %(campaign)s
    WHERE e.excluded) x ON x.contact_id = m.contact_id
WHERE NOT a.excluded
"""
# Without its order a look at one campaign reads the whole table: the planner expects to meet a row at once.
WITH_ROWS_SQL = """
SELECT k.id FROM messaging_campaign k CROSS JOIN LATERAL (
    SELECT 1 FROM messaging_message m WHERE m.campaign_id = k.id AND m.send_state = ANY (%s)
    ORDER BY m.campaign_id, m.send_state LIMIT 1) m
WHERE k.state = %s
"""
REMOVALS_SQL = """
SELECT m.contact_id, m.contact_list_id,
       CASE WHEN x.list_id IS NOT NULL THEN 'excluded' ELSE 'duplicate' END AS reason,
       COALESCE(x.list_id, m.first_list) AS because_of
FROM (SELECT m.contact_id, m.contact_list_id,
             min(m.contact_list_id) OVER (PARTITION BY m.contact_id) AS first_list
      FROM contacts_listmembership m
      JOIN messaging_campaignaudience a ON a.contact_list_id = m.contact_list_id AND a.campaign_id = %(campaign)s
      WHERE NOT a.excluded) m
LEFT JOIN LATERAL (
    SELECT min(x.contact_list_id) AS list_id FROM contacts_listmembership x
    JOIN messaging_campaignaudience e ON e.contact_list_id = x.contact_list_id AND e.campaign_id = %(campaign)s
    WHERE e.excluded AND x.contact_id = m.contact_id) x ON true
WHERE x.list_id IS NOT NULL OR m.contact_list_id <> m.first_list
"""


@dataclass(frozen=True, slots=True)
class LaneCount:
    """How many people have this lane for this reason."""

    lane: str
    reason: str
    people: int


@dataclass(frozen=True, slots=True)
class AudienceCounts:
    """listed = removed + audience, always."""

    listed: int
    audience: int
    removed_by_reason: dict[str, int]

    @property
    def removed(self) -> int:
        return sum(self.removed_by_reason.values())


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One person's line of the plan: the verdict, and the text that they would get ("" if none)."""

    contact: Contact
    lane: str
    reason: str
    text: str
    parts: int
    until: datetime | None = None
    window_ends_at: datetime | None = None


def plan_time(campaign: Campaign, now: datetime) -> datetime:
    """The instant that the plan speaks of: the campaign's send time, or now if that is past or open."""
    return max(campaign.send_at or now, now)


def forecast(*, campaign: Campaign, at: datetime) -> list[LaneCount]:
    """The plan's counts for the audience as it is now, if it left at `at`. One statement."""
    rule = rule_sql(campaign, at, MEMBERS_SQL, campaign=campaign.pk)
    with database.cursor() as cursor:
        cursor.execute(f"SELECT lane, reason, count(*) FROM ({rule.sql}) d GROUP BY 1, 2", rule.params)
        counts = [LaneCount(*row) for row in cursor.fetchall()]
    return _ordered(_with_quiet_hours(counts, campaign, at))


def _with_quiet_hours(counts: list[LaneCount], campaign: Campaign, at: datetime) -> list[LaneCount]:
    """Quiet hours turn every sending lane into a hold, or into expiry if they end past not_after."""
    hold = quiet_verdict(campaign, at)
    if hold is None:
        return counts
    kept = [count for count in counts if count.lane not in SENDING_LANES]
    quiet = sum(count.people for count in counts if count.lane in SENDING_LANES)
    return [*kept, LaneCount(hold.lane, hold.reason, quiet)] if quiet else kept


def quiet_verdict(campaign: Campaign, at: datetime) -> Verdict | None:
    """What quiet hours make of anyone who could be sent to at `at`; None outside them."""
    quiet = quiet_hours(campaign)
    until = quiet and quiet.until(at)
    if not until:
        return None
    if campaign.not_after is not None and until > campaign.not_after:
        return Verdict(Lane.SKIPPED, Reason.EXPIRED)
    return Verdict(Lane.HELD, Reason.QUIET_HOURS, until)


def planned_counts(campaign: Campaign) -> list[LaneCount]:
    """The counts of the planned rows as they were written."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT planned_lane, planned_reason, count(*) FROM messaging_message "
            "WHERE campaign_id = %s AND fallback_of_id IS NULL GROUP BY 1, 2",
            [campaign.pk],
        )
        return _ordered([LaneCount(*row) for row in cursor.fetchall()])


def _ordered(counts: list[LaneCount]) -> list[LaneCount]:
    lanes = list(Lane)
    return sorted(counts, key=lambda count: (lanes.index(Lane(count.lane)), -count.people, count.reason))


def audience_counts(campaign: Campaign) -> AudienceCounts:
    """Listed, removed and audience: of the sealed plan if there is one, else of the lists as they are now."""
    if campaign.plan_sealed_at:
        return sealed_counts(campaign, Message.objects.filter(campaign=campaign).counted().count())
    with database.cursor() as cursor:
        cursor.execute(AUDIENCE_SQL, {"campaign": campaign.pk})
        listed, excluded, audience = cursor.fetchone()
    removed = {"duplicate": listed - excluded - audience, "excluded": excluded}
    return AudienceCounts(listed, audience, {reason: rows for reason, rows in removed.items() if rows})


def sealed_counts(campaign: Campaign, audience: int) -> AudienceCounts:
    """The same for a sealed plan of so many people."""
    rows = AudienceRemoval.objects.filter(campaign=campaign).order_by().values_list("reason").annotate(rows=Count("*"))
    removed: dict[str, int] = dict(rows)
    return AudienceCounts(audience + sum(removed.values()), audience, removed)


def preview(*, campaign: Campaign, contact: Contact, at: datetime) -> PlanRow:
    """One person's line of the plan at `at`, with the text rendered, whether or not they are in the audience."""
    return plan_rows(campaign, [contact], at)[0]


def plan_rows(campaign: Campaign, contacts: list[Contact], at: datetime) -> list[PlanRow]:
    """Lines of the plan for these people, decided now by the rule itself."""
    messages = [intended(campaign, contact) for contact in contacts]
    prepared = prepare(messages, connection=campaign.connection, now=at, queued=False)
    return [_plan_row(contact, one, at) for contact, one in zip(contacts, prepared, strict=True) if one]


def intended(campaign: Campaign, contact: Contact) -> Message:
    """The message that a campaign means for one person, unsaved."""
    return Message(
        campaign=campaign,
        contact=contact,
        connection=campaign.connection,
        purpose=campaign.purpose,
        not_after=campaign.not_after,
        until_reply=campaign.until_reply,
    )


def _plan_row(contact: Contact, one: Prepared, at: datetime) -> PlanRow:
    verdict = one.decide(at)
    lane = verdict.lane if verdict.sends else next(iter(one.texts), None)
    words = one.texts.get(lane, "") if lane and verdict.lane is not Lane.SKIPPED else ""
    return PlanRow(
        contact,
        verdict.lane,
        verdict.reason,
        words,
        sms_parts(lane, words, contact.msisdn),
        verdict.until,
        verdict.window_ends_at,
    )


def sms_parts(lane: Lane | None, words: str, msisdn: str | None) -> int:
    """Parts of an SMS with the platform's prefix; a WhatsApp message is one."""
    if not words:
        return 0
    return text.sms_parts(words, text.sms_prefix_len(msisdn or "")).parts if lane and lane.channel == Channel.SMS else 1


def materialise(campaign_id: int, now: datetime) -> bool:
    """Write the planned rows of a campaign in review, chunk by chunk; True once the plan is sealed.

    Each chunk commits with its cursor, so a crash loses nothing and a second caller waits its turn.
    """
    while True:
        with transaction.atomic():
            campaign = _lock(campaign_id)
            if campaign.state != Campaign.State.IN_REVIEW or campaign.plan_sealed_at:
                return bool(campaign.plan_sealed_at)
            if campaign.plan_cursor == 0 and _forget_chunk(campaign):
                continue
            if _write_chunk(campaign, now):
                continue
            _write_removals(campaign)
            _seal(campaign, now)
            return True


def _lock(campaign_id: int) -> Campaign:
    return (
        Campaign.objects.select_for_update(of=("self",))
        .select_related("connection", "template_version")
        .get(pk=campaign_id)
    )


def _write_chunk(campaign: Campaign, now: datetime) -> int:
    """The next planned rows by contact id; 0 when everyone has one."""
    at = plan_time(campaign, now)
    members = f"SELECT contact_id FROM ({MEMBERS_SQL}) m WHERE contact_id > %(cursor)s ORDER BY 1 LIMIT %(chunk)s"
    rule = rule_sql(campaign, at, members, campaign=campaign.pk, cursor=campaign.plan_cursor, chunk=CHUNK)
    quiet = quiet_verdict(campaign, at)
    lane, reason = (quiet.lane, quiet.reason) if quiet else (None, None)
    with database.cursor() as cursor:
        cursor.execute(
            f"""
            WITH decided AS MATERIALIZED ({rule.sql}), written AS (
                INSERT INTO messaging_message (
                    public_id, direction, contact_id, connection_id, campaign_id, purpose, body, variables, reference,
                    channel, planned_lane, planned_reason, lane, reason, send_state, delivery_state, not_after,
                    until_reply, held_for, claims_lost, tries, alone, error_code, provider_id, repeated,
                    created_at, timeline_at)
                SELECT gen_random_uuid(), 'mt', contact_id, %(connection)s, %(campaign)s, %(purpose)s, '', '{{}}', '',
                       '', {_unless_quiet("lane", lane)},
                       {_unless_quiet("reason", reason)}, '', '', 'planned', 'none', %(not_after)s,
                       %(until_reply)s, '', 0, 0, false, '', '', false, %(now)s, %(at)s
                FROM decided ORDER BY contact_id
                ON CONFLICT DO NOTHING)
            SELECT count(*), max(contact_id) FROM decided
            """,
            rule.params | {"not_after": campaign.not_after, "until_reply": campaign.until_reply, "now": now},
        )
        people, last = cursor.fetchone()
    if people:
        campaign.plan_cursor = last
        campaign.save(update_fields=["plan_cursor"])
    return people


def _unless_quiet(column: str, word: str | None) -> str:
    """A sending lane during quiet hours is planned as a hold."""
    sending = ", ".join(f"'{lane}'" for lane in SENDING_LANES)
    return f"CASE WHEN lane IN ({sending}) THEN '{word}' ELSE {column} END" if word else column


def _write_removals(campaign: Campaign) -> None:
    with database.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO messaging_audienceremoval
                    (campaign_id, contact_id, contact_list_id, reason, because_of_id)
                SELECT %(campaign)s, contact_id, contact_list_id, reason, because_of FROM ({REMOVALS_SQL}) r
                ON CONFLICT DO NOTHING""",
            {"campaign": campaign.pk},
        )


def _seal(campaign: Campaign, now: datetime) -> None:
    campaign.plan_hash = plan_hash(campaign)
    campaign.plan_sealed_at = now
    campaign.save(update_fields=["plan_hash", "plan_sealed_at"])


def unseal(campaign: Campaign) -> None:
    """Make void the plan of a campaign that goes back to draft; the caller holds its row and saves it.

    Its rows are only remains then: `forget_plans` deletes them, and the next plan does before it writes its first row.
    """
    campaign.plan_cursor, campaign.plan_sealed_at, campaign.plan_hash = 0, None, ""


def forget_plans(_now: datetime) -> int:
    """Tick: delete what is left of the plans of campaigns that went back to draft; how many rows that were."""
    planned = campaigns_with_rows(Campaign.State.DRAFT, ["planned"])
    removed = Campaign.objects.filter(Exists(_removed(OuterRef("pk"))), state=Campaign.State.DRAFT)
    return each_apart({*planned, *removed.values_list("pk", flat=True)}, _forget, step="forget")


def campaigns_with_rows(state: str, send_states: list[str]) -> list[int]:
    """The campaigns in this state that have messages in one of those."""
    with database.cursor() as cursor:
        cursor.execute(WITH_ROWS_SQL, [send_states, state])
        return [row[0] for row in cursor.fetchall()]


def _forget(campaign_id: int) -> int:
    total = 0
    while True:
        with transaction.atomic():
            campaign = _lock(campaign_id)
            gone = _forget_chunk(campaign) if campaign.state == Campaign.State.DRAFT else 0
        if not gone:
            return total
        total += gone


def _forget_chunk(campaign: Campaign) -> int:
    """Delete at most CHUNK remains of a plan; 0 when there are none."""
    for remains in (_planned(campaign.pk), _removed(campaign.pk)):
        gone, _by_model = remains.filter(pk__in=list(remains.values_list("pk", flat=True)[:CHUNK])).delete()
        if gone:
            return gone
    return 0


def _planned(campaign_id: int) -> QuerySet[Message]:
    return Message.objects.filter(campaign=campaign_id, send_state="planned")


def _removed(campaign_id: int | OuterRef) -> QuerySet[AudienceRemoval]:
    return AudienceRemoval.objects.filter(campaign=campaign_id)


def plan_hash(campaign: Campaign) -> str:
    """SHA-256 over a line `uuid|lane|reason|hex sha256 of the text or -` for each person, in UUID order."""
    digest = hashlib.sha256()
    for line in _plan_lines(campaign):
        digest.update(line.encode())
    return digest.hexdigest()


def _plan_lines(campaign: Campaign) -> Iterator[str]:
    bodies = Bodies.of_campaign(campaign)
    constant: dict[str, str] = {
        lane: text.body_sha256(body).hex() for lane, body in bodies.of.items() if not text.placeholders(body)
    }
    rows = (
        Message.objects.filter(campaign=campaign)
        .counted()
        .order_by("contact__public_id")
        .values_list(
            "contact__public_id",
            "planned_lane",
            "planned_reason",
            "contact__name",
            "contact__msisdn",
            "contact__fields",
        )
    )
    for public_id, lane, reason, name, msisdn, fields in rows.iterator(chunk_size=5_000):
        shown = constant.get(lane) or _text_hash(bodies, lane, placeholder_values(fields, name, msisdn))
        yield f"{public_id}|{lane}|{reason}|{shown}\n"


def _text_hash(bodies: Bodies, lane: str, values: dict[str, str]) -> str:
    if lane not in SENDING_LANES:
        return "-"
    words = render_lanes(bodies, values)[0].get(Lane(lane))
    return text.body_sha256(words).hex() if words else "-"


def materialise_waiting(now: datetime) -> int:
    """Go on with every plan that a crash, or nobody's nudge, left unsealed."""
    waiting = Campaign.objects.filter(state=Campaign.State.IN_REVIEW, plan_sealed_at=None)
    ids = list(waiting.order_by("submitted_at").values_list("pk", flat=True))
    return each_apart(ids, lambda campaign_id: materialise(campaign_id, now), step="plan")
