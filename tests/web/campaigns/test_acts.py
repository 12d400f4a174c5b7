"""Start, schedule, pause, resume, cancel: each asks first."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from messaging import approval, campaigns, planning
from messaging.clock import db_now
from tests.web.campaigns.steps import fresh, page, url, write

pytestmark = pytest.mark.django_db


def test_an_approved_campaign_is_started_after_a_question_that_says_how_many(approved, sign_in):
    client = sign_in("composer")
    assert "Start sending 3 messages" in page(client, approved)
    asked = client.get(url(approved, "campaign_act", "launch")).content.decode()
    assert "3 messages will begin to leave now" in asked
    assert "Start sending 3 messages</button>" in asked, "the question has the words of the button that led to it"
    assert fresh(approved).state == "approved"
    client.post(url(approved, "campaign_act", "launch"))
    assert fresh(approved).state == "preparing"


@pytest.mark.parametrize(
    ("hour", "quiet_from", "said"), [(22, None, True), (7, None, True), (12, None, False), (22, time(22), False)]
)
def test_who_starts_at_night_without_quiet_hours_is_told_what_time_it_is(
    hour, quiet_from, said, users, connection, klang, sign_in, monkeypatch
):
    hours = {"quiet_from": quiet_from, "quiet_to": quiet_from and time(7)}
    campaign = approve(write(users["composer"], connection, [klang], **hours), users)
    at = datetime(2026, 11, 27, hour, 30, tzinfo=ZoneInfo("Asia/Kuala_Lumpur"))
    monkeypatch.setattr("messaging.web.campaigns.acts.db_now", lambda: at)
    asked = sign_in("composer").get(url(campaign, "campaign_act", "launch")).content.decode()
    assert (f"It is {hour:02}:30 in Asia/Kuala_Lumpur, and the campaign has no quiet hours." in asked) is said


def approve(campaign, users):
    campaigns.submit_campaign(campaign=campaign, user=users["composer"], now=db_now())
    planning.materialise(campaign.pk, db_now())
    sealed = fresh(campaign)
    return approval.approve_campaign(campaign=sealed, user=users["approver"], plan_hash=sealed.plan_hash, now=db_now())


def test_a_later_time_makes_it_scheduled(users, connection, klang, sign_in):
    campaign = approve(write(users["composer"], connection, [klang], send_at=db_now() + timedelta(days=1)), users)
    client = sign_in("approver")
    assert "Schedule 3 messages" in page(client, campaign)
    assert "Schedule 3 messages</button>" in client.get(url(campaign, "campaign_act", "launch")).content.decode()
    said = client.post(url(campaign, "campaign_act", "launch"), follow=True).content.decode()
    assert fresh(campaign).state == "scheduled"
    assert "Scheduled." in said
    assert "Begins on" in said


def test_whoever_launches_for_later_scheduled_it_and_did_not_start_it(users, connection, klang, sign_in):
    later = db_now() + timedelta(days=1)
    campaign = write(users["composer"], connection, [klang], send_at=later)
    campaigns.submit_campaign(campaign=campaign, user=users["composer"], now=db_now())
    planning.materialise(campaign.pk, db_now())
    arguments = {"user": users["approver"], "plan_hash": fresh(campaign).plan_hash, "now": db_now()}
    approval.approve_campaign(campaign=campaign, **arguments)
    campaigns.launch_campaign(campaign=campaign, user=users["approver"], now=db_now())
    client = sign_in("viewer")
    assert "</strong> scheduled it" in page(client, campaign)
    assert "started it" not in page(client, campaign)
    campaigns.start_due(later)
    assert "approver scheduled it for" in page(client, campaign)
    assert "started it" not in page(client, campaign)


def test_a_running_campaign_is_paused_and_resumed(running, sign_in):
    client = sign_in("approver")
    client.post(url(running, "campaign_act", "pause"))
    assert "0 of 3 submitted · 3 to send. What has not left yet waits until somebody resumes it." in page(
        client, running
    )
    client.post(url(running, "campaign_act", "resume"))
    assert fresh(running).state == "running"


def test_cancelling_says_first_what_it_means_and_a_second_time_is_refused_in_words(running, sign_in):
    client = sign_in("approver")
    assert "3 messages will not be sent" in client.get(url(running, "campaign_act", "cancel")).content.decode()
    client.post(url(running, "campaign_act", "cancel"))
    assert fresh(running).state == "cancelled"
    again = client.post(url(running, "campaign_act", "cancel"), follow=True)
    assert "not possible now" in again.content.decode()


def test_before_the_start_cancelling_names_the_messages_of_its_plan(in_review, sign_in):
    asked = sign_in("composer").get(url(in_review, "campaign_act", "cancel")).content.decode()
    assert "Cancel “Gotong-royong” for good?" in asked
    assert "3 messages will not be sent" in asked, "of five people two are skipped anyway"


def test_cancelling_a_draft_speaks_of_no_messages(draft, sign_in):
    asked = sign_in("composer").get(url(draft, "campaign_act", "cancel")).content.decode()
    assert "cannot be started again" in asked
    assert "will not be sent" not in asked
