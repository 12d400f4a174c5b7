"""The flight plan: a row for everyone, sums that close, a hash that anybody can compute again."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from django.db import connection as database

from contacts.models import Contact
from messaging import campaigns, planning
from messaging.clock import db_now
from messaging.models import AudienceRemoval, Campaign, Message
from messaging.planning import forgetting, writing
from messaging.planning.audience import everyone_sql
from tests.factories import (
    make_approved_campaign,
    make_connection,
    make_contact,
    make_conversation,
    make_draft,
    make_list,
    make_user,
)

pytestmark = pytest.mark.django_db


def people(count: int) -> list[Contact]:
    return [make_contact(name=f"Person {n}") for n in range(count)]


def submitted(campaign: Campaign) -> Campaign:
    return campaigns.submit_campaign(campaign=campaign, user=make_user(), now=db_now())


def sealed(campaign: Campaign) -> Campaign:
    campaign = submitted(campaign)
    assert planning.materialise(campaign.pk, db_now())
    campaign.refresh_from_db()
    return campaign


def test_everyone_has_one_planned_row_with_lane_and_reason():
    contacts = [*people(3), make_contact(name="")]
    campaign = sealed(make_draft(make_connection(), [make_list(contacts)]))
    rows = {row.contact_id: (row.planned_lane, row.planned_reason, row.send_state) for row in Message.objects.all()}
    assert rows == {contact.pk: ("template", "template_approved", "planned") for contact in contacts[:3]} | {
        contacts[3].pk: ("skipped", "missing_variable:name", "planned")
    }
    assert campaign.plan_sealed_at


def test_listed_is_removed_and_audience_whatever_the_lists():
    contacts = people(10)
    campaign = make_draft(make_connection(), [make_list(contacts[:6]), make_list(contacts[4:])])
    campaign = campaigns.edit_campaign(
        campaign=campaign, user=make_user(), version=campaign.version, now=db_now(), exclude=[make_list(contacts[8:])]
    )
    before = planning.audience_counts(campaign)
    assert (before.listed, before.removed_by_reason, before.audience) == (12, {"duplicate": 2, "excluded": 2}, 8)
    campaign = sealed(campaign)
    assert planning.audience_counts(campaign) == before
    assert AudienceRemoval.objects.filter(campaign=campaign).count() == before.removed
    assert Message.objects.filter(campaign=campaign).count() == before.audience


@pytest.mark.parametrize(
    ("include", "exclude", "left"),
    [
        ([range(6)], [], range(6)),
        ([range(6), range(4, 10)], [], range(10)),
        ([range(6)], [range(4, 10)], range(4)),
        ([range(6), range(4, 10)], [range(2), range(8, 10)], range(2, 8)),
        ([range(3)], [range(3)], range(0)),
        ([], [range(3)], range(0)),
    ],
)
def test_the_counts_read_everyone_of_the_lists_once(include, exclude, left):
    contacts = people(10)

    def lists(of):
        return [make_list([contacts[n] for n in members]) for members in of]

    campaign = make_draft(make_connection(), lists(include))
    campaign = campaigns.edit_campaign(
        campaign=campaign, user=make_user(), version=campaign.version, now=db_now(), exclude=lists(exclude)
    )
    sql, params = everyone_sql(campaign)
    with database.cursor() as cursor:
        cursor.execute(f"{sql} ORDER BY 1", params)
        everyone = [row[0] for row in cursor.fetchall()]
        cursor.execute(f"SELECT contact_id FROM ({planning.MEMBERS_SQL}) m ORDER BY 1", {"campaign": campaign.pk})
        assert everyone == [row[0] for row in cursor.fetchall()] == [contacts[n].pk for n in left]
    assert sum(count.people for count in planning.forecast(campaign=campaign, at=db_now())) == len(left)


def test_a_plan_is_resumed_where_a_crash_left_it(monkeypatch):
    monkeypatch.setattr("messaging.planning.rows.CHUNK", 4)
    campaign = submitted(make_draft(make_connection(), [make_list(people(10))]))
    written = writing._write_chunk(campaign, db_now())  # the first chunk committed, then the worker died
    assert (written, Message.objects.count()) == (4, 4)
    assert planning.materialise_waiting(db_now()) == 1
    assert Message.objects.filter(campaign=campaign).count() == 10
    assert planning.materialise(campaign.pk, db_now()), "asking again changes nothing"
    assert Message.objects.filter(campaign=campaign).count() == 10


def test_the_hash_is_of_people_lanes_reasons_and_texts_in_uuid_order():
    connection = make_connection()
    wrote, silent, nameless = make_contact(name="Aminah"), make_contact(name="陈伟"), make_contact(name="")
    make_conversation(wrote, connection, last_mo_at=db_now())
    campaign = sealed(make_draft(connection, [make_list([wrote, silent, nameless])]))
    texts = {wrote: b"Hi Aminah", silent: "Dear 陈伟".encode()}
    lines = {
        wrote: f"{wrote.public_id}|session|window_open|{hashlib.sha256(texts[wrote]).hexdigest()}\n",
        silent: f"{silent.public_id}|template|template_approved|{hashlib.sha256(texts[silent]).hexdigest()}\n",
        nameless: f"{nameless.public_id}|skipped|missing_variable:name|-\n",
    }
    whole = "".join(lines[contact] for contact in sorted(lines, key=lambda contact: str(contact.public_id)))
    assert campaign.plan_hash == hashlib.sha256(whole.encode()).hexdigest()
    assert planning.plan_hash(campaign) == campaign.plan_hash, "the same facts give the same hash"


def test_the_plan_speaks_of_the_send_time():
    connection = make_connection()
    contact = make_contact(name="Aminah")
    make_conversation(contact, connection, last_mo_at=db_now())
    later = db_now() + timedelta(hours=30)
    campaign = make_draft(connection, [make_list([contact])], send_at=later)
    assert planning.preview(campaign=campaign, contact=contact, at=db_now()).lane == "session"
    row = planning.preview(campaign=campaign, contact=contact, at=later)
    assert (row.lane, row.text) == ("template", "Dear Aminah")
    sealed(campaign)
    assert Message.objects.get().planned_lane == "template"


def test_people_who_join_a_list_after_the_plan_are_not_in_it():
    members = make_list(people(2))
    campaign = sealed(make_draft(make_connection(), [members]))
    members.members.add(make_contact())
    planning.materialise(campaign.pk, db_now())
    assert Message.objects.filter(campaign=campaign).count() == 2


def test_back_to_draft_the_plan_is_forgotten():
    campaign = sealed(make_draft(make_connection(), [make_list(people(3))]))
    campaign = campaigns.withdraw_campaign(campaign=campaign, user=make_user(), now=db_now())
    assert (campaign.state, campaign.plan_hash, campaign.plan_sealed_at) == ("draft", "", None)
    assert planning.forget_plans(db_now()) == 3
    assert planning.forget_plans(db_now()) == 0
    assert not Message.objects.exists()
    sealed(campaign)
    assert Message.objects.count() == 3


def test_what_is_left_of_a_plan_goes_before_the_next_one_is_written(monkeypatch):
    monkeypatch.setattr("messaging.planning.rows.CHUNK", 2)
    connection, user = make_connection(), make_user()
    stay, leave = people(3), people(2)
    campaign = sealed(make_draft(connection, [make_list([*stay, *leave]), make_list(stay)], user=user))
    assert AudienceRemoval.objects.count() == 3
    campaign = campaigns.withdraw_campaign(campaign=campaign, user=user, now=db_now())
    forgetting.forget_chunk(campaign)  # … and then the worker died
    assert Message.objects.count() == 3
    later, kept = db_now() + timedelta(days=2), make_list(stay)
    campaigns.edit_campaign(
        campaign=campaign, user=user, version=campaign.version, now=db_now(), include=[kept], not_after=later
    )
    sealed(campaign)
    assert set(Message.objects.values_list("contact", "not_after")) == {(contact.pk, later) for contact in stay}
    assert not AudienceRemoval.objects.exists()


def test_forgetting_touches_no_plan_that_somebody_reviews_or_approved():
    sealed(make_draft(make_connection(), [make_list(people(2))]))
    make_approved_campaign(make_connection(), people(2))
    assert planning.forget_plans(db_now()) == 0
    assert Message.objects.count() == 4


def test_values_that_are_no_text_are_hashed_as_they_are_sent():
    contact = make_contact(fields={"points": 7, "member": True, "town": None})
    body = "You have {{points}}, member {{member}}"
    campaign = sealed(make_draft(make_connection(), [make_list([contact])], template_version=None, sms_text=body))
    row = planning.preview(campaign=campaign, contact=contact, at=db_now())
    assert row.text == "You have 7, member true"
    digest = hashlib.sha256(row.text.encode()).hexdigest()
    line = f"{contact.public_id}|sms|sms_text|{digest}\n"
    assert campaign.plan_hash == hashlib.sha256(line.encode()).hexdigest()
