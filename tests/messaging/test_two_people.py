"""No door lets one person write a text and approve it. Here: the doors that need no code of ours, SQL and the ORM."""

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db import connection as database
from psycopg.errors import CheckViolation, NotNullViolation

from messaging import campaigns, planning
from messaging.clock import db_now
from messaging.models import Campaign, TemplateVersion
from tests.factories import (
    make_approved_campaign,
    make_approved_version,
    make_connection,
    make_contact,
    make_draft,
    make_list,
    make_mt,
    make_running_campaign,
    make_user,
    make_version,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    """Their ids, by what they do."""
    return {name: make_user(name).pk for name in ("writer", "submitter", "reviewer")}


def make_planned_campaign(connection, contacts):
    """In review, its plan sealed."""
    campaign = make_draft(connection, [make_list(contacts)])
    campaigns.submit_campaign(campaign=campaign, user=make_user(), now=db_now())
    planning.materialise(campaign.pk, db_now())
    return campaign


def run(sql: str, **params) -> int:
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.rowcount


def refused(sql: str, **params) -> bool:
    try:
        run(sql, **params)
    except IntegrityError as error:
        return isinstance(error.__cause__, CheckViolation | NotNullViolation)
    return False


# Versions


@pytest.fixture
def version(people):
    """In review: `writer` wrote the draft, `submitter` submitted it."""
    writer, submitter = User.objects.get(pk=people["writer"]), User.objects.get(pk=people["submitter"])
    return make_version(author=writer, editor_ids=[writer.pk, submitter.pk], submitted_by=submitter)


APPROVE = "UPDATE messaging_templateversion SET state = 'approved', approved_by_id = %(reviewer)s WHERE id = %(id)s"


def test_sql_that_approves_in_another_persons_name_is_taken(version, people):
    assert run(APPROVE, id=version.pk, **people) == 1
    assert TemplateVersion.objects.get().approved_by_id == people["reviewer"]


@pytest.mark.parametrize(
    "assignments",
    [
        "state = 'approved', approved_by_id = %(writer)s",
        "state = 'approved', approved_by_id = %(submitter)s",
        "state = 'approved', approved_by_id = NULL",
        "state = 'approved'",
        "state = 'retired', approved_by_id = %(reviewer)s",
        "approved_by_id = %(reviewer)s",
        "state = 'returned', approved_by_id = %(reviewer)s",
        "state = 'approved', approved_by_id = %(submitter)s, submitted_by_id = %(reviewer)s",
        "state = 'approved', approved_by_id = %(writer)s, editor_ids = ARRAY[%(submitter)s]",
        "state = 'approved', approved_by_id = %(writer)s, editor_ids = ARRAY[%(submitter)s, NULL]::int[]",
        "state = 'approved', approved_by_id = %(writer)s, editor_ids = NULL",
        "state = 'approved', approved_by_id = %(reviewer)s, body = 'Send money'",
        "state = 'approved', approved_by_id = %(reviewer)s, sha256 = sha256('Send money')",
        "editor_ids = '{}'",
        "editor_ids = editor_ids || NULL::int",
        "submitted_by_id = %(reviewer)s",
        "submitted_at = now()",
        "body = body || '.'",
        "samples = '{}', body = 'x'",
        "language = 'ms'",
        "purpose = 'marketing'",
        "number = 2",
    ],
)
def test_no_update_of_a_version_gets_round_its_second_person(version, people, assignments):
    assert refused(f"UPDATE messaging_templateversion SET {assignments} WHERE id = %(id)s", id=version.pk, **people)


@pytest.mark.parametrize(
    "assignments",
    [
        "approved_by_id = %(writer)s",
        "approved_by_id = %(submitter)s",
        "approved_by_id = NULL",
        "state = 'in_review'",
        "state = 'in_review', approved_by_id = NULL",
        "body = 'Send money'",
        "body = 'Send money', sha256 = sha256('Send money')",
        "editor_ids = ARRAY[%(submitter)s]",
    ],
)
def test_an_approved_version_stays_as_it_was_approved(version, people, assignments):
    run(APPROVE, id=version.pk, **people)
    assert refused(f"UPDATE messaging_templateversion SET {assignments} WHERE id = %(id)s", id=version.pk, **people)


@pytest.mark.parametrize("state", ["approved", "in_review", "retired"])
def test_a_returned_version_comes_back_in_no_way(version, people, state):
    run("UPDATE messaging_templateversion SET state = 'returned' WHERE id = %(id)s", id=version.pk)
    sql = "UPDATE messaging_templateversion SET state = %(state)s, approved_by_id = %(reviewer)s WHERE id = %(id)s"
    assert refused(sql, id=version.pk, state=state, **people)


COPY_VERSION = """
INSERT INTO messaging_templateversion (public_id, template_id, number, language, purpose, body, samples, sha256, state,
                                       editor_ids, submitted_by_id, submitted_at, approved_by_id)
SELECT gen_random_uuid(), template_id, number + 1, language, purpose, body, samples, sha256, {state}, {editors},
       {submitter}, now(), {approver}
FROM messaging_templateversion WHERE id = %(id)s {conflict}
"""
HONEST = {"state": "'in_review'", "editors": "editor_ids", "submitter": "submitted_by_id", "approver": "NULL"}


@pytest.mark.parametrize(
    "row",
    [
        {"state": "'approved'", "approver": "%(reviewer)s"},
        {"state": "'approved'", "approver": "%(submitter)s"},
        {"state": "'retired'", "approver": "%(reviewer)s"},
        {"approver": "%(reviewer)s"},
        {"editors": "ARRAY[%(submitter)s]"},
        {"editors": "'{{}}'::int[]"},
        {"editors": "editor_ids || NULL::int"},
        {"submitter": "%(reviewer)s"},
        {"submitter": "NULL"},
    ],
)
def test_no_insert_of_a_version_begins_approved_or_hides_a_writer(version, people, row):
    run("UPDATE messaging_templateversion SET state = 'returned' WHERE id = %(id)s", id=version.pk)
    assert refused(COPY_VERSION.format(**HONEST | row, conflict=""), id=version.pk, **people)
    assert not refused(COPY_VERSION.format(**HONEST, conflict=""), id=version.pk, **people)


def test_an_upsert_does_not_approve_for_its_writer(version, people):
    sql = COPY_VERSION.replace("number + 1", "number").format(
        **HONEST,
        conflict="ON CONFLICT (template_id, number) DO UPDATE SET state = 'approved', approved_by_id = %(writer)s",
    )
    assert refused(sql, id=version.pk, **people)
    assert not refused(sql.replace("%(writer)s", "%(reviewer)s"), id=version.pk, **people)


def test_a_merge_does_not_approve_for_its_writer(version, people):
    sql = """
        MERGE INTO messaging_templateversion v USING (VALUES (%(id)s)) AS one (id) ON v.id = one.id
        WHEN MATCHED THEN UPDATE SET state = 'approved', approved_by_id = %(writer)s
    """
    assert refused(sql, id=version.pk, **people)


def test_taking_a_writer_out_of_the_draft_first_does_not_help(version):
    for editors in ([], [0], None):
        assert refused("UPDATE messaging_template SET editor_ids = %(editors)s", editors=editors)


def test_the_orm_does_not_approve_for_its_writer(version, people):
    with pytest.raises(IntegrityError), transaction.atomic():
        TemplateVersion.objects.update(state="approved", approved_by=people["writer"])
    version.state, version.approved_by_id = "approved", people["writer"]
    with pytest.raises(IntegrityError), transaction.atomic():
        version.save()


# Campaigns


@pytest.fixture
def campaign(people):
    """In review: `writer` edited it, `submitter` submitted it."""
    campaign = Campaign.objects.create(
        name="C", connection=make_connection(), sms_text="Salam.", editor_ids=[people["writer"], people["submitter"]]
    )
    campaign.audience.create(contact_list=make_list())
    campaign.state, campaign.submitted_by_id, campaign.submitted_at = "in_review", people["submitter"], db_now()
    campaign.texts_sha256 = b"x" * 32
    campaign.save()
    return campaign


APPROVE_CAMPAIGN = "UPDATE messaging_campaign SET state = 'approved', approved_by_id = %(reviewer)s WHERE id = %(id)s"
UPDATE_CAMPAIGN = "UPDATE messaging_campaign SET {} WHERE id = %(id)s"


def test_sql_that_approves_a_campaign_in_another_persons_name_is_taken(campaign, people):
    assert run(APPROVE_CAMPAIGN, id=campaign.pk, **people) == 1


@pytest.mark.parametrize(
    "assignments",
    [
        "state = 'approved', approved_by_id = %(writer)s",
        "state = 'approved', approved_by_id = %(submitter)s",
        "state = 'approved'",
        "state = 'scheduled', approved_by_id = %(reviewer)s",
        "state = 'running', approved_by_id = %(reviewer)s",
        "approved_by_id = %(reviewer)s",
        "state = 'cancelled', approved_by_id = %(reviewer)s",
        "state = 'approved', approved_by_id = %(submitter)s, submitted_by_id = %(reviewer)s",
        "state = 'approved', approved_by_id = %(submitter)s, submitted_by_id = NULL",
        "state = 'approved', approved_by_id = %(writer)s, editor_ids = ARRAY[%(submitter)s]",
        "state = 'approved', approved_by_id = %(reviewer)s, sms_text = 'Send money'",
        "state = 'approved', approved_by_id = %(reviewer)s, texts_sha256 = sha256('Send money')",
        "state = 'draft', editor_ids = '{}'",
        "state = 'draft', editor_ids = ARRAY[%(writer)s], submitted_by_id = NULL",
        "state = 'draft', approved_by_id = %(reviewer)s",
        "editor_ids = editor_ids || NULL::int",
        "editor_ids = editor_ids || %(reviewer)s",
        "submitted_by_id = %(writer)s",
        "sms_text = 'Send money'",
        "session_text = 'Send money'",
        "template_version_id = 1",
        "send_at = now()",
        "not_after = now()",
        "until_reply = true",
        "quiet_from = '09:00', quiet_to = '10:00'",
        "time_zone = 'UTC'",
        "purpose = 'marketing'",
    ],
)
def test_no_update_of_a_campaign_in_review_gets_round_its_second_person(campaign, people, assignments):
    assert refused(UPDATE_CAMPAIGN.format(assignments), id=campaign.pk, **people)


@pytest.mark.parametrize("state", ["approved", "scheduled", "preparing", "running", "paused", "finished", "in_review"])
@pytest.mark.parametrize("approver", ["writer", "reviewer"])
def test_a_draft_jumps_over_nothing(people, state, approver):
    Campaign.objects.create(
        name="C", connection=make_connection(), editor_ids=[people["writer"]], texts_sha256=b"x" * 32
    )
    sql = "UPDATE messaging_campaign SET state = %(state)s, submitted_by_id = %(writer)s, submitted_at = now(), "
    assert refused(sql + f"approved_by_id = %({approver})s", state=state, **people)


@pytest.mark.parametrize(
    "assignments",
    [
        "approved_by_id = %(writer)s",
        "approved_by_id = NULL",
        "state = 'in_review', approved_by_id = NULL",
        "state = 'in_review'",
        "state = 'draft'",
        "sms_text = 'Send money'",
        "sms_text = 'Send money', texts_sha256 = sha256('Send money')",
        "editor_ids = ARRAY[%(submitter)s]",
    ],
)
def test_an_approved_campaign_stays_as_it_was_approved(campaign, people, assignments):
    run(APPROVE_CAMPAIGN, id=campaign.pk, **people)
    assert refused(UPDATE_CAMPAIGN.format(assignments), id=campaign.pk, **people)


def test_back_in_draft_the_approval_is_void_and_the_writers_stay(campaign, people):
    run(APPROVE_CAMPAIGN, id=campaign.pk, **people)
    run(UPDATE_CAMPAIGN.format("state = 'draft', approved_by_id = NULL"), id=campaign.pk)
    assert refused(UPDATE_CAMPAIGN.format("editor_ids = ARRAY[%(submitter)s]"), id=campaign.pk, **people)
    run(UPDATE_CAMPAIGN.format("state = 'in_review'"), id=campaign.pk)
    for person in ("writer", "submitter"):
        assert refused(APPROVE_CAMPAIGN, id=campaign.pk, reviewer=people[person])


INSERT_CAMPAIGN = """
INSERT INTO messaging_campaign (public_id, name, connection_id, purpose, session_text, sms_text, until_reply, time_zone,
    state, editor_ids, submitted_by_id, submitted_at, texts_sha256, approved_by_id, plan_cursor, plan_hash,
    start_cursor, created_at, version)
SELECT gen_random_uuid(), 'D', connection_id, purpose, '', sms_text, false, time_zone, %(state)s, editor_ids,
    submitted_by_id, submitted_at, texts_sha256, %(approver)s, 0, '', 0, now(), 0
FROM messaging_campaign WHERE id = %(id)s
"""


@pytest.mark.parametrize("state", [state for state in Campaign.State.values if state != "draft"])
def test_no_insert_of_a_campaign_begins_beyond_draft(campaign, people, state):
    assert refused(INSERT_CAMPAIGN, id=campaign.pk, state=state, approver=people["reviewer"])


def test_a_draft_is_inserted_without_an_approver_only(campaign, people):
    assert refused(INSERT_CAMPAIGN, id=campaign.pk, state="draft", approver=people["reviewer"])
    assert not refused(INSERT_CAMPAIGN, id=campaign.pk, state="draft", approver=None)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO messaging_campaignaudience (campaign_id, contact_list_id, excluded) SELECT %(id)s, %(list)s, true",
        "UPDATE messaging_campaignaudience SET contact_list_id = %(list)s WHERE campaign_id = %(id)s",
        "UPDATE messaging_campaignaudience SET excluded = true WHERE campaign_id = %(id)s",
        "UPDATE messaging_campaignaudience SET campaign_id = %(draft)s WHERE campaign_id = %(id)s",
        "UPDATE messaging_campaignaudience SET campaign_id = %(id)s WHERE campaign_id = %(draft)s",
        "DELETE FROM messaging_campaignaudience WHERE campaign_id = %(id)s",
    ],
)
def test_the_audience_of_a_submitted_campaign_stays(campaign, sql):
    draft = Campaign.objects.create(name="D", connection=campaign.connection)
    draft.audience.create(contact_list=make_list())
    assert refused(sql, id=campaign.pk, draft=draft.pk, list=make_list().pk)
    assert not refused("DELETE FROM messaging_campaignaudience WHERE campaign_id = %(draft)s", draft=draft.pk)


# Rows that change places


def test_two_versions_do_not_change_places(version, people):
    """Foreign keys are checked at the end of a transaction, so that every campaign would keep its reference."""
    run(APPROVE, id=version.pk, **people)
    assert refused("UPDATE messaging_templateversion SET id = -id WHERE id = %(id)s", id=version.pk)
    assert refused("UPDATE messaging_template SET id = -id WHERE id = %(id)s", id=version.template_id)


def test_two_campaigns_do_not_change_places(campaign):
    assert refused(UPDATE_CAMPAIGN.format("id = -id"), id=campaign.pk)


# The people of a campaign

ADD = """
INSERT INTO messaging_message (public_id, direction, contact_id, connection_id, campaign_id, fallback_of_id, purpose,
    body, variables, reference, channel, planned_lane, planned_reason, lane, reason, send_state, delivery_state,
    until_reply, held_for, claims_lost, tries, alone, error_code, provider_id, repeated, created_at, timeline_at)
SELECT gen_random_uuid(), 'mt', %(contact)s, connection_id, id, %(fallback_of)s, purpose, '', '{{}}', '', '', 'session',
    'window_open', '', '', 'planned', 'none', false, '', 0, 0, false, '', '', false, now(), now()
FROM messaging_campaign WHERE id = %(id)s
""".replace("{{}}", "{}")


@pytest.mark.parametrize("make", [make_planned_campaign, make_approved_campaign, make_running_campaign])
def test_nobody_joins_a_campaign_once_its_plan_is_sealed(make):
    campaign = make(make_connection(), [make_contact(name="A")])
    assert refused(ADD, id=campaign.pk, contact=make_contact().pk, fallback_of=None)


def test_a_fallback_is_for_the_same_person_of_the_same_campaign():
    campaign = make_running_campaign(make_connection(), [make_contact(name="A"), make_contact(name="B")])
    first, second = campaign.messages.order_by("pk")
    assert refused(ADD, id=campaign.pk, contact=make_contact().pk, fallback_of=first.pk)
    assert refused(ADD, id=campaign.pk, contact=first.contact_id, fallback_of=second.pk)
    elsewhere = make_running_campaign(campaign.connection, [first.contact])
    assert refused(ADD, id=elsewhere.pk, contact=first.contact_id, fallback_of=first.pk)
    assert not refused(ADD, id=campaign.pk, contact=first.contact_id, fallback_of=first.pk)


def test_a_message_moves_into_no_campaign_and_out_of_none():
    campaign = make_running_campaign(make_connection(), [make_contact(name="A")])
    single = make_mt(connection=campaign.connection)
    move = "UPDATE messaging_message SET campaign_id = %(campaign)s WHERE id = %(id)s"
    assert refused(move, id=single.pk, campaign=campaign.pk)
    assert refused(move, id=campaign.messages.get().pk, campaign=None)
    assert not refused(move, id=single.pk, campaign=None)


# What was said stays said


@pytest.mark.parametrize("act", ["UPDATE {} SET at = now()", "DELETE FROM {}"])
@pytest.mark.parametrize("table", ["messaging_templatereview", "messaging_auditevent"])
def test_reviews_and_audit_events_are_never_changed(people, table, act):
    version = make_approved_version()
    run(
        "INSERT INTO messaging_templatereview (version_id, reviewer_id, decision, reason, at) "
        "VALUES (%(version)s, %(reviewer)s, 'approved', '', now())",
        version=version.pk,
        **people,
    )
    run(
        "INSERT INTO messaging_auditevent (act, subject_type, subject_id, detail, at) VALUES ('x', 'y', 1, '{}', now())"
    )
    assert refused(act.format(table))


@pytest.mark.parametrize(
    "table", ["messaging_auditevent", "messaging_templatereview", "contacts_consentevent", "messaging_templateversion"]
)
def test_what_was_said_is_not_emptied_either(table):
    """Nor by way of a table that it refers to. Outside tests the setting is not there at all."""
    run("SET LOCAL switchboard.allow_truncate = off")
    assert refused(f"TRUNCATE {table} CASCADE")
