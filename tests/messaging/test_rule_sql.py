"""The SQL twin says of a whole population what `policy.decide` says of each person in it."""

from collections import Counter
from datetime import UTC, datetime, time, timedelta

import pytest
from django.db import connection as database
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contacts.models import ConsentEvent, Contact, Suppression
from messaging import campaigns as services
from messaging import planning
from messaging.clock import db_now
from messaging.facts import prepare
from messaging.models import Campaign, CampaignAudience, Connection, Conversation, Message
from messaging.policy import Reason
from messaging.rule_sql import rule_sql
from tests.factories import make_approved_version, make_connection, make_contact, make_draft, make_list, make_user

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
EDGE = NOON - timedelta(hours=24)
CHANNELS = ["all", "whatsapp", "sms"]
PURPOSES = ["all", "service", "marketing"]
BODIES = ["", "Hello", "Hello {{name}}", "{{town}}, {{name}}: {{when}} {{msisdn}}"]
VALUES = ["Klang", "", "  ", "two  blanks", "tab\there", "x" * 1025, "line\nbreak", " ", "巴生", "கிள்ளான்", " "]

people = st.fixed_dictionaries(
    {
        "numbered": st.sampled_from([True, True, True, False]),
        "name": st.sampled_from(["Aminah", "", " ", "陈 伟", "A  B"]),
        "fields": st.dictionaries(
            st.sampled_from(["town", "when"]), st.one_of(st.sampled_from(VALUES), st.integers(0, 9), st.none())
        ),
        "erased": st.sampled_from([False, False, False, True]),
        "bad": st.sets(st.sampled_from(["whatsapp", "sms"])),
        "mo": st.sampled_from([None, EDGE, EDGE + timedelta(seconds=60), EDGE + timedelta(seconds=59), NOON]),
        "out": st.sets(st.tuples(st.sampled_from(CHANNELS), st.sampled_from(PURPOSES)), max_size=2),
        "agreed": st.booleans(),
        "got": st.lists(st.sampled_from([EDGE, EDGE + timedelta(seconds=1), NOON]), max_size=2),
    }
)  # fmt: skip
TRIES = [None, ("accepted", "delivered"), ("accepted", "undelivered"), ("accepted", "none"), ("unknown", "none"),
         ("unknown", "undelivered"), ("planned", "none"), ("queued", "none"), ("refused", "none"), ("stuck", "none"),
]  # fmt: skip
tries = st.tuples(st.sampled_from(TRIES), st.sampled_from(TRIES))  # in the first campaign, and in one after the asked
campaigns = st.fixed_dictionaries(
    {
        "session_text": st.sampled_from(BODIES),
        "sms_text": st.sampled_from(BODIES),
        "purpose": st.sampled_from(["service", "marketing"]),
        "until_reply": st.booleans(),
        "not_after": st.sampled_from([None, NOON, NOON - timedelta(seconds=1), NOON + timedelta(hours=1)]),
    }
)
connections = st.fixed_dictionaries(
    {
        "window_margin_s": st.sampled_from([0, 60]),
        "daily_cap": st.sampled_from([None, 0, 1, 2]),
        "marketing_in_templates": st.booleans(),
        "marketing_needs_opt_in": st.booleans(),
    }
)


def make_person(connection: Connection, person: dict) -> Contact:
    contact = make_contact(
        **{} if person["numbered"] else {"wa_id": f"u{Contact.objects.count()}"},
        name=person["name"],
        fields=person["fields"],
        erased_at=NOON if person["erased"] else None,
        **{f"{channel}_bad_at": NOON for channel in person["bad"]},
    )
    if person["mo"]:
        Conversation.objects.create(
            contact=contact, connection=connection, channel="whatsapp", last_mo_at=person["mo"], last_message_at=NOON
        )
    event = {"contact": contact, "address_hmac": contact.address_hmac, "channel": "all", "source": "staff", "at": NOON}
    for channel, purpose in person["out"]:
        said = ConsentEvent.objects.create(**event, direction="out", purpose=purpose)
        Suppression.objects.create(
            address_hmac=contact.address_hmac, channel=channel, purpose=purpose, source="staff", event=said, since=NOON
        )
    if person["agreed"]:
        ConsentEvent.objects.create(**event, direction="in", purpose="marketing")
    for at in person["got"]:
        Message.objects.create(
            contact=contact, connection=connection, send_state="accepted", lane="template", timeline_at=at
        )
    return contact


def make_try(connection: Connection, people: list[tuple[Contact, tuple[str, str] | None]], **fields) -> Campaign:
    """A campaign on its way, with a row in these two states for everyone who has any."""
    user = make_user()
    campaign = make_draft(connection, [make_list()], user=user, **fields)
    services.submit_campaign(campaign=campaign, user=user, now=db_now())
    for contact, states in people:
        if states:
            Message.objects.create(
                campaign=campaign, contact=contact, connection=connection, lane="template", timeline_at=EDGE,
                send_state=states[0], delivery_state=states[1],
            )  # fmt: skip
    return campaign


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    population=st.lists(st.tuples(people, tries), min_size=1, max_size=12),
    retries=st.booleans(),
    fields=campaigns,
    limits=connections,
    template=st.sampled_from(["", "Dear {{name}}, {{town}}", "Fixed"]),
    retired=st.booleans(),
)
def test_the_twin_agrees_with_the_rule_on_any_population(population, retries, fields, limits, template, retired):
    connection = make_connection(**limits)
    contacts = [make_person(connection, person) for person, _tried in population]
    version = make_approved_version(template) if template else None
    if version and retired:
        version.state = "retired"
        version.save()
    first = make_try(
        connection, [(contact, tried[0]) for contact, (_, tried) in zip(contacts, population, strict=True)]
    )
    retry_of = first if retries else None
    campaign = Campaign.objects.create(
        name="c", connection=connection, template_version=version, retry_of=retry_of, **fields
    )
    later = [(contact, tried[1]) for contact, (_, tried) in zip(contacts, population, strict=True)]
    make_try(connection, later, retry_of=first)
    rule = rule_sql(campaign, NOON, "SELECT unnest(%(ids)s) AS contact_id", ids=[contact.pk for contact in contacts])
    with database.cursor() as cursor:
        cursor.execute(rule.sql, rule.params)
        twin = {contact_id: (lane, reason) for contact_id, lane, reason in cursor.fetchall()}
    prepared = prepare(
        [planning.intended(campaign, contact) for contact in contacts], connection=connection, now=NOON, queued=False
    )
    verdicts = [one.decide(NOON) for one in prepared]
    assert twin == {
        contact.pk: (verdict.lane, verdict.reason) for contact, verdict in zip(contacts, verdicts, strict=True)
    }
    CampaignAudience.objects.create(campaign=campaign, contact_list=make_list(contacts))
    counts = planning.forecast(campaign=campaign, at=NOON)
    assert {(count.lane, count.reason): count.people for count in counts} == Counter(twin.values())


@pytest.mark.django_db
def test_counts_of_a_draft_are_the_plan_of_each_person():
    connection = make_connection()
    wrote, silent, stopped = (make_contact(name=name) for name in ("Aminah", "Bala", "Chong"))
    Conversation.objects.create(
        contact=wrote, connection=connection, channel="whatsapp", last_mo_at=NOON, last_message_at=NOON
    )
    event = ConsentEvent.objects.create(
        contact=stopped, address_hmac=stopped.address_hmac, channel="all", purpose="all", direction="out",
        source="person", at=NOON,
    )  # fmt: skip
    Suppression.objects.create(address_hmac=stopped.address_hmac, source="person", event=event, since=NOON)
    campaign = make_draft(connection, [make_list([wrote, silent, stopped])])
    counts = {(count.lane, count.reason): count.people for count in planning.forecast(campaign=campaign, at=NOON)}
    assert counts == {("session", "window_open"): 1, ("template", "template_approved"): 1, ("skipped", "opted_out"): 1}
    rows = planning.plan_rows(campaign, [wrote, silent, stopped], NOON)
    assert [(row.lane, row.text) for row in rows] == [
        ("session", "Hi Aminah"),
        ("template", "Dear Bala"),
        ("skipped", ""),
    ]


@pytest.mark.django_db
def test_quiet_hours_hold_whoever_could_be_sent_to():
    campaign = make_draft(make_connection(), [make_list([make_contact(name="Aminah"), make_contact(name="")])])
    campaign.quiet_from, campaign.quiet_to, campaign.time_zone = time(11), time(13), "UTC"
    counts = {(count.lane, count.reason): count.people for count in planning.forecast(campaign=campaign, at=NOON)}
    assert counts == {("held", Reason.QUIET_HOURS): 1, ("skipped", "missing_variable:name"): 1}
