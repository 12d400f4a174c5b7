"""A house full of history, written by set-based SQL in minutes: people, conversations, campaigns, what came of it.

`people` of them, ten times as many messages. Everything is made from the row's number, so two runs write the same.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.contrib.postgres.fields import ArrayField
from django.db import connection as database
from django.db import models
from django.db.models.fields import NOT_PROVIDED

from contacts.addresses import address_hmac
from contacts.models import (
    ConsentEvent,
    Contact,
    ContactField,
    ContactImport,
    ContactList,
    ListMembership,
    Suppression,
)
from messaging.clock import db_now
from messaging.models import (
    AuditEvent,
    Campaign,
    CampaignAudience,
    Connection,
    ConnectionPace,
    Conversation,
    ConversationEvent,
    DeliveryNotice,
    InboundRaw,
    Incident,
    Message,
    ProviderApproval,
    ProviderRequest,
    RequestRecipient,
    Template,
    TemplateVersion,
)

MALAY = "Nurul Siti Ahmad Muhammad Aminah Farah Hafiz Zainab Ismail Rosnah Azman Kamariah Fatimah Razak Yusof".split()  # noqa: SIM905
MALAY_LAST = "Rahman Abdullah Hassan Ibrahim Othman Salleh Ali Karim Jaafar Bakar Idris Latif Mansor".split()  # noqa: SIM905
CHINESE, GIVEN = "陈林黄李王张刘吴蔡杨许郑谢郭", "伟强美玲秀英志明国华建文慧敏丽珍家豪晓燕俊杰"
TAMIL = ["Kavitha a/p Raman", "Suresh a/l Muthu", "Priya a/p Nathan", "கவிதா ராமன்", "Arun a/l Samy", "Devi a/p Gopal"]
SHARES = {"Everybody": 1, "Town": 2, "Clinic": 10, "Volunteers": 100, "Committee": 1000}  # one in so many people
SMALL_CAMPAIGNS, SMALL_SHARE = 56, 0.08
LONG = 77  # the number of the person whose timeline is a tenth of `people` messages long
PER_REQUEST = 5
TEXT = "Dear {{name}}, see you at nine."


@dataclass
class Crowd:
    """What the pages are asked about."""

    people: int
    admin: User
    first_contact: int
    long_contact: int
    finished: Campaign
    running: Campaign
    review: Campaign
    draft: Campaign


def fill(model: type[models.Model], source: str, params: dict[str, Any] | None = None, /, **columns: str) -> int:
    """INSERT … SELECT from `source`; what `columns` (SQL) leave out is the model's default. The first id written."""
    given: dict[str, Any] = dict(params or {})
    values = {}
    for field in model._meta.concrete_fields:
        written = columns.pop(field.attname, None) or _default(field, given)
        if written is not None and not field.primary_key:
            values[field.column] = written
    assert not columns, columns
    names, expressions = ", ".join(f'"{column}"' for column in values), ", ".join(values.values())
    insert = f"INSERT INTO {model._meta.db_table} ({names}) SELECT {expressions} FROM {source} RETURNING id"
    with database.cursor() as cursor:
        cursor.execute(f"WITH written AS ({insert}) SELECT COALESCE(min(id), 0) FROM written", given)
        return cursor.fetchone()[0]


def _default(field: models.Field[Any, Any], params: dict[str, Any]) -> str | None:
    """SQL for what Django would write; None where the database has its own answer, or NULL will do."""
    if isinstance(field, models.UUIDField) and field.default is not NOT_PROVIDED:
        return "gen_random_uuid()"
    if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False):
        return "now()"
    if field.null or field.primary_key or field.db_default is not NOT_PROVIDED:
        return None
    if isinstance(field, models.JSONField):
        return f"'{json.dumps(field.get_default())}'::jsonb".replace("%", "%%")
    params[f"default_{field.column}"] = field.get_default()
    cast = "::int[]" if isinstance(field, ArrayField) else ""
    return f"%(default_{field.column})s{cast}"


def run_sql(sql: str, **params: Any) -> None:
    with database.cursor() as cursor:
        cursor.execute(sql, params)


def numbers(count: int) -> str:
    return f"generate_series(0, {count - 1}) AS n"


def spread(column: str = "n", of: int = 1000) -> str:
    """A number below `of` that looks random and is not."""
    return f"(({column}::bigint * 7919 + 13) %% {of})"


def pick(words: Any, by: str) -> str:
    quoted = ", ".join("'" + word.replace("'", "''") + "'" for word in words)
    return f"(ARRAY[{quoted}])[1 + ({by}) %% {len(words)}]"


def write(people: int) -> Crowd:
    """Everything; commits part by part, then lets the planner look at it."""
    staff = {name: User.objects.create_user(f"crowd-{name}") for name in ("admin", "writer", "approver", "agent")}
    admin = staff["admin"]
    admin.is_staff = admin.is_superuser = True
    admin.save()
    admin.groups.add(Group.objects.get(name="admin"))
    connection = _connections()
    first = _people(people)
    _conversations(people, first, connection, staff["agent"])
    version = _templates(staff, connection)
    campaigns = _campaigns(staff, connection, version)
    _messages(people, first, connection, campaigns, staff["agent"])
    _settle(campaigns, staff["approver"])
    _requests(connection, campaigns)
    _notices(connection)
    _rest(people, first, connection, staff)
    run_sql("VACUUM ANALYZE")
    finished, running, review, draft = Campaign.objects.filter(name__startswith="Everyone").order_by("pk")
    return Crowd(people, admin, first, first + LONG, finished, running, review, draft)


def _connections() -> Connection:
    made = [
        Connection.objects.create(
            name=name, kind="sandbox", base_url="http://127.0.0.1:9", app_key="k", app_secret="s", rate_per_s=200
        )
        for name in ("Crowd main", "Crowd second", "Crowd third")
    ]
    for one in made:
        ConnectionPace.objects.create(connection=one, next_at=db_now())
    return made[0]


def _people(people: int) -> int:
    for key in ("city", "clinic", "amount", "day", "language_spoken"):
        ContactField.objects.get_or_create(key=key, defaults={"label": key.title()})
    third = spread(of=9973)
    chinese = f"{pick(CHINESE, 'n')} || {pick(GIVEN, third)} || {pick(GIVEN, 'n / 7')}"
    malay = f"{pick(MALAY, third)} || ' ' || {pick(['bin', 'binti'], 'n')} || ' ' || {pick(MALAY_LAST, 'n / 5')}"
    msisdn = "('6012' || lpad((n * 61 + 1000000)::text, 8, '0'))"
    first = fill(
        Contact,
        f"{numbers(people)} ORDER BY n",
        hmac_keys(),
        msisdn=msisdn,
        address_hmac=hmac_sql(msisdn),
        name=f"CASE n %% 5 WHEN 0 THEN {chinese} WHEN 1 THEN {pick(TAMIL, 'n / 3')} ELSE {malay} END",
        language=pick(["ms", "zh", "ta", "en"], "n"),
        fields=f"""jsonb_build_object('city', {pick(["Klang", "Ipoh", "Muar"], "n")}, 'amount', n %% 900,
                                      'day', 'Isnin')
                   || CASE WHEN n %% 20 = 0 THEN '{{}}' ELSE jsonb_build_object('clinic', 'Klinik ' || n %% 40) END""",
        whatsapp_bad_at=f"CASE WHEN {spread()} < 10 THEN now() - interval '9 days' END",
        sms_bad_at=f"CASE WHEN {spread()} BETWEEN 5 AND 12 THEN now() - interval '9 days' END",
    )
    one = Contact.objects.get(pk=first)
    assert bytes(one.address_hmac) == address_hmac(one.msisdn or "")
    for name, share in SHARES.items():
        _list(name, f"generate_series(0, {people - 1}, {share}) AS n", first)
    for number in range(20):
        _list(f"Street {number}", f"generate_series({number}, {people - 1}, {max(people // 500, 1)}) AS n", first)
    return first


def hmac_sql(address: str) -> str:
    """contacts.addresses.address_hmac of an SQL expression; its parameters are `hmac_keys`."""
    return f"sha256(%(outer)s || sha256(%(inner)s || convert_to({address}, 'UTF8')))"


def hmac_keys() -> dict[str, bytes]:
    """HMAC's two keys (RFC 2104), for sha256() of the database."""
    key = settings.ADDRESS_HMAC_KEY.encode()
    key = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    return {"inner": bytes(byte ^ 0x36 for byte in key), "outer": bytes(byte ^ 0x5C for byte in key)}


def _list(name: str, source: str, first: int) -> None:
    contact_list = ContactList.objects.create(name=f"Crowd {name}")
    fill(ListMembership, source, contact_list_id=str(contact_list.pk), contact_id=f"{first} + n")


def _conversations(people: int, first: int, connection: Connection, agent: User) -> None:
    """A quarter never wrote, a third has an open window, one in fifty is unread."""
    k = spread()
    wrote = f"""CASE WHEN {k} < 330 THEN now() - {k} * interval '4 minutes' - (n %% 240) * interval '1 second'
                     WHEN {k} < 750 THEN now() - interval '1 day' - {spread(of=40000)} * interval '1 minute' END"""
    fill(
        Conversation,
        f"(SELECT n, {wrote} AS wrote FROM {numbers(people)}) s",
        contact_id=f"{first} + n",
        connection_id=str(connection.pk),
        channel="'whatsapp'",
        last_mo_at="wrote",
        last_message_at=f"COALESCE(wrote + interval '5 minutes', now() - {spread(of=80)} * interval '1 day')",
        unread="CASE WHEN wrote IS NOT NULL AND n %% 50 = 3 THEN 1 + n %% 3 ELSE 0 END",
        asks_to_stop="wrote IS NOT NULL AND n %% 1000 = 3",
        owner_id=f"CASE WHEN n %% 7 = 0 THEN {agent.pk} END",
    )


def _templates(staff: dict[str, User], connection: Connection) -> TemplateVersion:
    writer = f"ARRAY[{staff['writer'].pk}]"
    text = {"text": TEXT, "samples": json.dumps({"name": "Aminah"})}
    body = "%(text)s || ' (' || n || ')'"
    first = fill(
        Template, numbers(60), text, name="'Crowd template ' || n", body=body, samples="%(samples)s::jsonb",
        editor_ids=writer,
    )  # fmt: skip
    for number in (1, 2, 3):
        n = f"(id - {first})"
        fill(
            TemplateVersion, f"messaging_template WHERE id BETWEEN {first} AND {first + 59}", text,
            template_id="id", number=str(number), language="'en'", purpose="'service'", samples="%(samples)s::jsonb",
            body=f"%(text)s || ' (' || {n} || ')'",
            sha256=f"sha256(convert_to(%(text)s || ' (' || {n} || ')', 'UTF8'))",
            editor_ids=writer, submitted_by_id=str(staff["writer"].pk), submitted_at=f"now() - {n} * interval '1 day'",
        )  # fmt: skip
        run_sql(
            "UPDATE messaging_templateversion SET state = 'approved', approved_by_id = %(approver)s, decided_at = now()"
            " WHERE state = 'in_review' AND (number < 3 OR template_id %% 4 > 0)",
            approver=staff["approver"].pk,
        )
    fill(
        ProviderApproval, "messaging_templateversion WHERE state = 'approved'",
        version_id="id", connection_id=str(connection.pk), state="'approved'", at="now()",
    )  # fmt: skip
    return TemplateVersion.objects.filter(template=first, state="approved").latest("number")


def _campaigns(staff: dict[str, User], connection: Connection, version: TemplateVersion) -> int:
    """56 small ones, then four for everyone: finished, running, in review, a draft. Returns the first one's id."""
    writer, big = staff["writer"].pk, SMALL_CAMPAIGNS
    first = fill(
        Campaign, numbers(big + 4), {"text": TEXT},
        name=f"CASE WHEN n < {big} THEN 'Street party ' ELSE 'Everyone ' END || n",
        connection_id=str(connection.pk), template_version_id=str(version.pk), session_text="%(text)s",
        sms_text="%(text)s", editor_ids=f"ARRAY[{writer}]", created_at="now() - (70 - n) * interval '1 day'",
    )  # fmt: skip
    lists = {one.name.removeprefix("Crowd "): one.pk for one in ContactList.objects.filter(name__startswith="Crowd")}
    everyone = f"CASE WHEN n < {big} THEN {lists['Clinic']} ELSE {lists['Everybody']} END"
    fill(CampaignAudience, numbers(big + 4), campaign_id=f"{first} + n", contact_list_id=everyone)
    fill(
        CampaignAudience, f"generate_series({big}, {big + 3}) AS n",
        campaign_id=f"{first} + n", contact_list_id=str(lists["Volunteers"]), excluded="n < 0",
    )  # fmt: skip
    _move(first, big + 3, "in_review", submitted_by_id=writer, submitted_at="now", texts_sha256=b"0" * 32)
    return first


def _settle(first: int, approver: User) -> None:
    """Their messages are written: seal the plans, and take each campaign on to its state."""
    run_sql(
        "UPDATE messaging_campaign SET plan_sealed_at = now(), plan_hash = repeat('0', 64) WHERE state = 'in_review'"
    )
    _move(first, SMALL_CAMPAIGNS + 2, "approved", approved_by_id=approver.pk, approved_at="now")
    for state in ("preparing", "running"):
        _move(first, SMALL_CAMPAIGNS + 2, state, launched_by_id=approver.pk, launched_at="now")
    _move(first, SMALL_CAMPAIGNS + 1, "finished", finished_at="now")


def _move(first: int, count: int, state: str, **fields: Any) -> None:
    """The first `count` campaigns go on to a state."""
    settings_ = ", ".join(f"{name} = %({name})s" for name in ("state", *fields))
    where = f"id >= {first} AND id < {first + count}"
    run_sql(f"UPDATE messaging_campaign SET {settings_} WHERE {where}", state=state, **fields)


def _messages(people: int, first: int, connection: Connection, campaigns: int, agent: User) -> None:
    big = campaigns + SMALL_CAMPAIGNS
    small, before = int(people * SMALL_SHARE), Message.objects.count()
    of_small = f"""(SELECT {campaigns} + c AS campaign, {first} + (c * 997 + m * 11) %% {people} AS contact,
                    c * 31 + m AS n, now() - (60 - c) * interval '1 day' AS at
                    FROM generate_series(0, {SMALL_CAMPAIGNS - 1}) c, generate_series(0, {small - 1}) m) s"""
    _sent(connection, of_small, over=True)
    for campaign, age in ((big, 3), (big + 1, 0)):
        everyone = f"""(SELECT {campaign} AS campaign, {first} + n AS contact, n,
                        now() - interval '{age} days' - n * interval '20 ms' AS at FROM {numbers(people)}) s"""
        _sent(connection, everyone, over=age > 0)
    _planned(connection, big + 2, people, first)
    _talk(connection, people, first, agent)
    missing = people * 10 - (Message.objects.count() - before)
    fill(
        Message, f"messaging_conversation c, generate_series(0, 1) s WHERE last_mo_at IS NOT NULL LIMIT {missing}",
        contact_id="contact_id", connection_id=str(connection.pk), author_id=str(agent.pk), channel="'whatsapp'",
        body="'We open at nine, see you then. 谢谢'", lane="'session'", reason="'window_open'",
        planned_lane="'session'", planned_reason="'window_open'",
        send_state=f"CASE WHEN {spread('c.id')} < 10 THEN 'refused' ELSE 'accepted' END",
        delivery_state=f"CASE WHEN {spread('c.id')} < 10 THEN 'none' ELSE 'delivered' END",
        timeline_at="last_message_at - s * interval '3 days'", accepted_at="last_message_at - s * interval '3 days'",
    )  # fmt: skip


def _sent(connection: Connection, source: str, *, over: bool) -> None:
    """A campaign's messages; of one that is not over a third is still queued, some are under way or held."""
    k = spread()
    waiting = "" if over else "WHEN k BETWEEN 300 AND 630 THEN 'queued' WHEN k = 631 THEN 'sending'"
    waiting += "" if over else " WHEN k BETWEEN 632 AND 650 THEN 'held'"
    state = f"""CASE WHEN k < 100 THEN 'skipped' WHEN k BETWEEN 100 AND 109 THEN 'refused'
                     WHEN k BETWEEN 110 AND {114 if over else 130} THEN 'unknown' {waiting} ELSE 'accepted' END"""
    planned = """CASE WHEN k < 90 THEN 'skipped' WHEN k %% 3 = 0 THEN 'session' WHEN k %% 19 = 1 THEN 'sms'
                      ELSE 'template' END"""
    lane = f"""CASE WHEN k < 100 THEN 'skipped' WHEN state = 'held' THEN 'held' WHEN k %% 57 = 0 THEN 'template'
                    ELSE {planned} END"""
    rows = f"(SELECT *, {state} AS state FROM (SELECT *, {k} AS k FROM {source}) b) c"
    fill(
        Message, f"(SELECT *, {planned} AS planned, {lane} AS became FROM {rows}) d",
        contact_id="contact", connection_id=str(connection.pk), campaign_id="campaign",
        planned_lane="planned", planned_reason=_reason("planned"),
        lane="CASE WHEN state = 'queued' THEN '' ELSE became END",
        reason=f"CASE WHEN state = 'queued' THEN '' ELSE {_reason('became')} END",
        channel="""CASE WHEN state IN ('queued', 'skipped', 'held') THEN '' WHEN became = 'sms' THEN 'sms'
                        ELSE 'whatsapp' END""",
        send_state="state",
        delivery_state="""CASE WHEN state <> 'accepted' THEN 'none' WHEN k %% 20 = 0 THEN 'undelivered'
                               WHEN k %% 20 = 1 THEN 'sent' ELSE 'delivered' END""",
        error_code=f"""CASE WHEN state = 'accepted' AND k %% 20 = 0 THEN {pick(["001", "034", "408", "553"], "n")}
                            ELSE '' END""",
        held_for="CASE WHEN state = 'held' THEN 'until_reply' ELSE '' END",
        due_at="CASE WHEN state = 'queued' THEN at END",
        claim_token="CASE WHEN state = 'sending' THEN gen_random_uuid() END",
        lease_until="CASE WHEN state = 'sending' THEN now() + interval '1 day' END",
        timeline_at="at", created_at="at - interval '1 day'",
        accepted_at="CASE WHEN state = 'accepted' THEN at END",
        final_at="CASE WHEN state = 'accepted' AND k %% 20 <> 1 THEN at + interval '5 seconds' END",
    )  # fmt: skip


def _reason(lane: str) -> str:
    return f"""CASE {lane} WHEN 'session' THEN 'window_open' WHEN 'template' THEN 'template_approved'
        WHEN 'sms' THEN 'sms_text' WHEN 'held' THEN 'until_reply'
        ELSE {pick(["opted_out", "number_bad", "missing_variable:clinic"], "n")} END"""


def _planned(connection: Connection, campaign: int, people: int, first: int) -> None:
    lane = f"CASE WHEN {spread()} < 60 THEN 'skipped' WHEN n %% 3 = 0 THEN 'session' ELSE 'template' END"
    fill(
        Message, f"(SELECT n, {lane} AS planned FROM {numbers(people)}) s",
        contact_id=f"{first} + n", connection_id=str(connection.pk), campaign_id=str(campaign),
        planned_lane="planned", planned_reason=_reason("planned"), timeline_at="now()",
    )  # fmt: skip


def _talk(connection: Connection, people: int, first: int, agent: User) -> None:
    """Two MOs of each who ever wrote, and one person who talks all the time."""
    common = {"connection_id": str(connection.pk), "channel": "'whatsapp'", "purpose": "'service'"}
    fill(
        Message, "messaging_conversation c, generate_series(0, 1) s WHERE last_mo_at IS NOT NULL",
        contact_id="contact_id", direction="'mo'", send_state="'accepted'",
        body=pick(
            ["When do you open?", "Boleh saya datang esok pagi?", "请问几点开门？", "OK", "Terima kasih!"], "c.id + s"
        ),
        timeline_at="last_mo_at - s * interval '3 days'", **common,
    )  # fmt: skip
    fill(
        Message, numbers(people // 10),
        contact_id=str(first + LONG), direction="CASE n %% 2 WHEN 0 THEN 'mo' ELSE 'mt' END",
        send_state="'accepted'", delivery_state="CASE n %% 2 WHEN 0 THEN 'none' ELSE 'delivered' END",
        lane="CASE n %% 2 WHEN 0 THEN '' ELSE 'session' END", author_id=f"CASE n %% 2 WHEN 1 THEN {agent.pk} END",
        body="'Message ' || n || ': ' || repeat('words and words ', n %% 9)",
        timeline_at="now() - n * interval '11 minutes'", **common,
    )  # fmt: skip
    run_sql(
        "UPDATE messaging_conversation SET last_mo_at = now(), last_message_at = now() WHERE contact_id = %(contact)s",
        contact=first + LONG,
    )


def _requests(connection: Connection, campaigns: int) -> None:
    """What left: of the two large campaigns several people a request, of replies one."""
    big = campaigns + SMALL_CAMPAIGNS
    of_campaigns = f"campaign_id IN ({big}, {big + 1})"
    for state in ("accepted", "refused", "unknown"):
        hand_over(connection, f"{of_campaigns} AND send_state = '{state}'", state, PER_REQUEST)
    hand_over(connection, "author_id IS NOT NULL AND id %% 2 = 0 AND send_state = 'accepted'", "accepted", 1)
    hand_over(connection, f"campaign_id = {big + 1} AND send_state = 'sending'", "in_flight", PER_REQUEST)


def hand_over(connection: Connection, where: str, outcome: str, people: int) -> None:
    chosen = (
        f"SELECT *, row_number() OVER (ORDER BY campaign_id, lane, id) - 1 AS n FROM messaging_message WHERE {where}"
    )
    resolved = {"accepted": "'response'", "refused": "'response'"}.get(outcome, "''")
    first = fill(
        ProviderRequest, f"({chosen}) m WHERE n %% {people} = 0 ORDER BY n", {"text": TEXT},
        connection_id=str(connection.pk), token="gen_random_uuid()", channel="channel", lane="lane",
        text="CASE WHEN body = '' THEN %(text)s ELSE body END", outcome=f"'{outcome}'", resolved_by=resolved,
        started_at="timeline_at", deadline="timeline_at + interval '40 seconds'",
        answered_at="timeline_at + interval '1 second'", http_status="200",
        code={"accepted": "'200'", "refused": "'405'"}.get(outcome, "''"),
        ref=f"""CASE '{outcome}' WHEN 'accepted' THEN '78-' || extract(epoch FROM timeline_at)::text || '.' || n
                     ELSE '' END""",
    )  # fmt: skip
    if not first:
        return
    fill(
        RequestRecipient, f"({chosen}) m JOIN contacts_contact c ON c.id = m.contact_id ORDER BY n",
        request_id=f"{first} + n / {people}", message_id="m.id", position=f"n %% {people}",
        address_hmac="c.address_hmac", outcome=f"'{outcome}'", resolved_by=resolved,
        resolved_at="m.timeline_at + interval '1 second'",
    )  # fmt: skip


def _notices(connection: Connection) -> None:
    """A DN for each message that has a delivery state and a request; 3,000 that found no request."""
    told = """SELECT r.id AS recipient, q.ref || '-' || r.position AS msgid, upper(m.delivery_state) AS status,
                     m.error_code, m.timeline_at + interval '5 seconds' AS at, c.msisdn, c.address_hmac,
                     row_number() OVER (ORDER BY r.id) - 1 AS n
              FROM messaging_requestrecipient r JOIN messaging_message m ON m.id = r.message_id
              JOIN messaging_providerrequest q ON q.id = r.request_id JOIN contacts_contact c ON c.id = m.contact_id
              WHERE m.delivery_state <> 'none'"""
    body = "convert_to('status=' || status || '&msgid=' || msgid || '&msisdn=' || msisdn, 'UTF8')"
    common = {"connection_id": str(connection.pk), "received_at": "at"}
    call = {"kind": "'dn'", "method": "'POST'", "body": body, "content_type": "'application/x-www-form-urlencoded'"}
    first = fill(InboundRaw, f"({told}) t ORDER BY n", digested_at="at", **call, **common)
    word = {"status": "status", "error_code": "error_code", "msisdn": "msisdn", "msgid": "msgid"}
    fill(
        DeliveryNotice, f"({told}) t ORDER BY n", raw_id=f"{first} + n", recipient_id="recipient", state="'applied'",
        address_hmac="address_hmac", **word, **common,
    )  # fmt: skip
    lost = f"""(SELECT n, 'DELIVERED' AS status, '' AS error_code, '60129' || n AS msisdn, '79-' || n AS msgid,
                now() - n * interval '1 minute' AS at FROM {numbers(3000)})"""
    first = fill(InboundRaw, f"{lost} t ORDER BY n", digested_at="at", **call, **common)
    fill(DeliveryNotice, f"{lost} t ORDER BY n", raw_id=f"{first} + n", state="'parked'", **word, **common)
    fill(InboundRaw, f"(SELECT * FROM {lost} l LIMIT 300) t", **call, **common)


def _rest(people: int, first: int, connection: Connection, staff: dict[str, User]) -> None:
    """Consent, notes, incidents, imports, and who did what."""
    share, agent = people // 5, staff["agent"].pk
    event = fill(
        ConsentEvent, f"{numbers(share)} ORDER BY n",
        contact_id=f"{first} + n * 5",
        address_hmac=f"(SELECT address_hmac FROM contacts_contact WHERE id = {first} + n * 5)",
        channel="'all'", purpose="'all'", direction="CASE WHEN n %% 7 = 0 THEN 'out' ELSE 'in' END",
        source="'person'", words="'STOP'", at="now() - n * interval '1 minute'",
    )  # fmt: skip
    fill(
        Suppression, f"contacts_consentevent WHERE id >= {event} AND direction = 'out'",
        address_hmac="address_hmac", source="source", event_id="id", since="at",
    )  # fmt: skip
    fill(
        ConversationEvent, "messaging_conversation WHERE id %% 5 = 0",
        contact_id="contact_id", conversation_id="id", kind="'note'", text="'Called back, all well.'",
        actor_id=str(agent), at="last_message_at",
    )  # fmt: skip
    fill(
        Incident, numbers(200),
        connection_id=str(connection.pk), kind="'no_credit'", code="'402'", opened_at="now() - n * interval '1 day'",
        closed_at="CASE WHEN n > 0 THEN now() - n * interval '1 day' + interval '1 hour' END",
        closed_by_id=f"CASE WHEN n > 0 THEN {agent} END",
    )  # fmt: skip
    fill(
        ContactImport, numbers(300),
        file="'imports/people.csv'", file_name="'people-' || n || '.csv'", state="'done'", rows="1000", created="900",
        updated="90", bad="10", created_by_id=str(staff["admin"].pk), finished_at="now() - n * interval '1 hour'",
        mapping="'{\"Telefon\": \"msisdn\", \"Nama\": \"name\"}'::jsonb",
    )  # fmt: skip
    for subject, act, per_row in (("campaign", "campaign.edited", 40), ("template", "template.saved", 40)):
        fill(
            AuditEvent, f"messaging_{subject}, generate_series(1, {per_row}) AS s",
            actor_id=str(staff["writer"].pk), act=f"'{act}'", subject_type=f"'{subject}'",
            subject_id=f"messaging_{subject}.id", at="now() - (60 - s) * interval '1 hour'",
        )  # fmt: skip
    fill(
        AuditEvent, numbers(share), actor_id=str(agent), act="'message.kept_waiting'", subject_type="'message'",
        subject_id="n", at="now() - n * interval '1 minute'",
    )  # fmt: skip
