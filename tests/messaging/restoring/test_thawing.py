"""Going on after a restore: what may have left is unknown, what certainly did not goes on."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from datetime import time as clock_time
from zoneinfo import ZoneInfo

import pytest

from messaging import campaigns, holds, reports, sending
from messaging.clock import db_now
from messaging.connections import freeze_connection
from messaging.errors import WrongState
from messaging.models import Campaign, Incident, KnownDatabase, Message, ProviderRequest, RequestRecipient
from messaging.restoring import same_database, thaw, thaw_preview
from messaging.sending.claim import Marks, claim
from tests.factories import make_approved_campaign, make_connection, make_contact, make_running_campaign, make_user

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def user():
    return make_user()


def people(count=3):
    return [make_contact(name=f"Person {n}") for n in range(count)]


def frozen(connection):
    same_database()
    freeze_connection(connection_id=connection.pk, detail="A backup.", now=db_now())
    connection.refresh_from_db()
    return connection


def states(campaign):
    return sorted(Message.objects.filter(campaign=campaign).values_list("send_state", flat=True))


def test_rows_that_were_queued_or_claimed_become_unknown_with_a_request_that_a_dn_can_settle(connection, user):
    campaign = make_running_campaign(connection, people(4))
    claim(connection, limit=2, marks=Marks())
    frozen(connection)
    assert thaw_preview(connection).doubtful == 4
    assert thaw(connection=connection, user=user, now=db_now()) == 4
    connection.refresh_from_db()
    assert (connection.state, states(campaign)) == ("ok", ["unknown"] * 4)
    assert not Incident.objects.filter(closed_at=None).exists()
    assert set(ProviderRequest.objects.values_list("outcome", "resolved_by")) == {("unknown", "restore")}
    assert RequestRecipient.objects.filter(outcome="unknown", superseded_at=None).count() == 4
    assert ProviderRequest.objects.first().text == "Dear Person 0"
    assert reports.sums(campaign).unknown == 4


def test_a_person_judges_them_like_any_other_unknown(connection, user):
    campaign = make_running_campaign(connection, people(2))
    thaw(connection=frozen(connection), user=user, now=db_now())
    first, second = Message.objects.filter(campaign=campaign)
    sending.treat_as_sent(message=first, user=user, now=db_now())
    sending.send_again(message=second, user=user, now=db_now())
    assert states(campaign) == ["accepted", "queued"]


def test_what_was_not_due_before_the_freeze_certainly_did_not_leave(connection, user):
    campaign = make_running_campaign(connection, people(3))
    ids = list(Message.objects.values_list("pk", flat=True))
    Message.objects.filter(pk=ids[0]).update(due_at=db_now() + HOUR)
    Message.objects.filter(pk=ids[1]).update(send_state="held", held_for="quiet_hours", held_until=db_now() + HOUR)
    thaw(connection=frozen(connection), user=user, now=db_now())
    assert states(campaign) == ["held", "queued", "unknown"]


def test_what_was_written_or_launched_after_the_freeze_goes_on(connection, user):
    campaign = make_approved_campaign(connection, people(2))
    frozen(connection)
    campaigns.launch_campaign(campaign=campaign, user=user, now=db_now())
    later = make_running_campaign(connection, people(1))
    campaigns.start_due(db_now())
    assert thaw(connection=connection, user=user, now=db_now()) == 0
    assert states(campaign) + states(later) == ["queued"] * 3


def test_a_scheduled_campaign_whose_time_passed_may_have_left_and_one_whose_time_is_to_come_has_not(connection, user):
    soon = db_now() + timedelta(seconds=0.1)
    passed, coming = (make_approved_campaign(connection, people(2), send_at=at) for at in (soon, soon + HOUR))
    for campaign in (passed, coming):
        campaigns.launch_campaign(campaign=campaign, user=user, now=soon - HOUR)
    while db_now() <= soon:
        time.sleep(0.05)
    frozen(connection)
    assert thaw_preview(connection).approved == sorted([passed.name, coming.name])
    thaw(connection=connection, user=user, now=db_now())
    assert (states(passed), states(coming)) == (["unknown"] * 2, ["planned"] * 2)


def test_a_paused_campaign_may_have_been_resumed_and_a_cancelled_one_never_leaves(connection, user):
    paused, cancelled = (make_running_campaign(connection, people(1)) for _ in range(2))
    Campaign.objects.filter(pk=paused.pk).update(state="paused")
    Campaign.objects.filter(pk=cancelled.pk).update(state="cancelled")
    thaw(connection=frozen(connection), user=user, now=db_now())
    assert (states(paused), states(cancelled)) == (["unknown"], ["queued"])


def test_another_connections_rows_wait_for_their_own_decision(connection, user):
    other = make_running_campaign(make_connection(), people(1))
    thaw(connection=frozen(connection), user=user, now=db_now())
    assert states(other) == ["queued"]


def test_whoever_is_cut_off_in_the_middle_finds_it_frozen_and_goes_on(connection, user, monkeypatch):
    from messaging.restoring import thawing

    campaign = make_running_campaign(connection, people(5))
    frozen(connection)
    monkeypatch.setattr(thawing, "CHUNK", 2)
    real, calls = thawing._doubt, []

    def cut_off(*args):
        calls.append(args)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*args)

    monkeypatch.setattr(thawing, "_doubt", cut_off)
    with pytest.raises(KeyboardInterrupt):
        thaw(connection=connection, user=user, now=db_now())
    connection.refresh_from_db()
    assert connection.state == "frozen"
    assert thaw(connection=connection, user=user, now=db_now()) == 3
    assert states(campaign) == ["unknown"] * 5


def test_only_a_frozen_connection_is_thawed(connection, user):
    with pytest.raises(WrongState):
        thaw(connection=connection, user=user, now=db_now())


def test_the_preview_names_the_backups_age_and_campaigns_that_may_have_been_launched_since(connection):
    campaign = make_approved_campaign(connection, people(1))
    frozen(connection)
    then = db_now() - HOUR
    KnownDatabase.objects.update(lost_since=then)
    preview = thaw_preview(connection)
    assert (preview.lost_since, preview.approved) == (then, [campaign.name])


def test_what_is_held_for_the_night_only_since_the_thaw_may_have_left_in_the_afternoon(connection, user):
    zone = ZoneInfo("Asia/Kuala_Lumpur")
    three = datetime.combine(db_now().astimezone(zone).date() + timedelta(days=1), clock_time(15), zone)
    campaign = make_approved_campaign(
        connection, [make_contact(name="A"), make_contact(name="B")],
        send_at=three, quiet_from=clock_time(21), quiet_to=clock_time(8),
    )  # fmt: skip
    campaigns.launch_campaign(campaign=campaign, user=user, now=three - timedelta(hours=1))
    same_database()
    night = three + timedelta(hours=6, minutes=30)
    freeze_connection(connection_id=connection.pk, detail="A backup.", now=night)
    connection.refresh_from_db()
    assert thaw(connection=connection, user=user, now=night + timedelta(minutes=10)) == 2
    holds.wake(three + timedelta(hours=18))
    assert set(Message.objects.values_list("send_state", flat=True)) == {"unknown"}


def test_a_campaign_paused_while_it_was_prepared_may_have_gone_on(connection, user):
    campaign = make_approved_campaign(connection, [make_contact(name="A"), make_contact(name="B")])
    campaigns.launch_campaign(campaign=campaign, user=user, now=db_now())
    campaigns.pause_campaign(campaign=campaign, user=user, now=db_now())
    same_database()
    freeze_connection(connection_id=connection.pk, detail="A backup.", now=db_now())
    connection.refresh_from_db()
    assert thaw_preview(connection).doubtful == 2
    assert thaw(connection=connection, user=user, now=db_now()) == 2
    campaigns.resume_campaign(campaign=Campaign.objects.get(), user=user, now=db_now())
    campaigns.start_due(db_now())
    assert set(Message.objects.values_list("send_state", flat=True)) == {"unknown"}
