"""The plan that waits, as its approver and its writers see it."""

import pytest
from django.contrib.auth.models import User

from messaging import approval, campaigns, planning
from messaging.clock import db_now
from tests.factories import make_contact
from tests.web.campaigns.steps import as_posted, fresh, page, url

pytestmark = pytest.mark.django_db


def test_a_plan_that_is_still_written_says_how_far_it_is(draft, users, sign_in):
    campaigns.submit_campaign(campaign=draft, user=users["composer"], now=db_now())
    client = sign_in("approver")
    assert "0 of 5 people have their line" in page(client, draft)
    part = client.get(url(draft, "campaign_live"), {"seen": "planning"}, headers={"HX-Request": "true"})
    assert "0 of 5" in part.content.decode()
    planning.materialise(draft.pk, db_now())
    assert client.get(url(draft, "campaign_live"), {"seen": "planning"})["HX-Refresh"] == "true"


def test_the_approver_sees_counts_texts_and_everyone_and_how_many_messages_it_is(in_review, sign_in):
    shown = page(sign_in("approver"), in_review)
    assert "Approve 3 messages" in shown
    assert "Hi Aminah, see you on Saturday?" in shown
    assert "They are opted out of every way in which this could go." in shown
    assert in_review.plan_hash in shown


def test_the_writer_is_told_why_somebody_else_has_to_approve(in_review, users, sign_in):
    assert "Approve 3 messages" not in page(sign_in("composer"), in_review)
    shown = page(sign_in("admin"), in_review)
    assert "Approve 3 messages" in shown
    withdrawn = campaigns.withdraw_campaign(campaign=in_review, user=users["composer"], now=db_now())
    campaigns.edit_campaign(
        campaign=withdrawn, user=users["admin"], version=withdrawn.version, now=db_now(), name="Ours"
    )
    campaigns.submit_campaign(campaign=withdrawn, user=users["composer"], now=db_now())
    planning.materialise(withdrawn.pk, db_now())
    shown = page(sign_in("admin"), withdrawn)
    assert "You cannot approve this one" in shown
    assert "Approve 3 messages" not in shown
    sign_in("admin").post(url(withdrawn, "campaign_approve"), {"plan_hash": fresh(withdrawn).plan_hash})
    assert fresh(withdrawn).state == "in_review"


def test_whoever_decides_returns_it_and_its_writers_alone_cancel_what_is_in_review(in_review, sign_in):
    decider, writer = page(sign_in("approver"), in_review), page(sign_in("composer"), in_review)
    assert ("Return to its writers…" in decider, "Cancel for good…" in decider) == (True, False)
    assert ("Return to its writers…" in writer, "Cancel for good…" in writer) == (False, True)
    asked = sign_in("composer").get(url(in_review, "campaign_act", "cancel")).content.decode()
    assert "already with the provider" not in asked, "nothing is"


def test_once_it_is_approved_both_may_cancel(approved, sign_in):
    assert all("Cancel for good…" in page(sign_in(role), approved) for role in ("approver", "composer"))


def test_approving_is_of_the_plan_that_was_seen(in_review, sign_in):
    client = sign_in("approver")
    answer = client.post(url(in_review, "campaign_approve"), {"plan_hash": "0" * 64}, follow=True)
    assert "not the one that you saw" in answer.content.decode()
    assert fresh(in_review).state == "in_review"
    client.post(url(in_review, "campaign_approve"), {"plan_hash": in_review.plan_hash})
    assert fresh(in_review).state == "approved"


def test_many_messages_are_approved_by_typing_their_number(in_review, sign_in, monkeypatch):
    monkeypatch.setattr("messaging.web.campaigns.review.MANY", 2)
    client = sign_in("approver")
    values = {"plan_hash": in_review.plan_hash}
    refused = client.post(url(in_review, "campaign_approve"), values | {"count": "4"})
    assert refused.status_code == 422
    assert "it is 3" in refused.content.decode()
    client.post(url(in_review, "campaign_approve"), values | {"count": " 3 "})
    assert fresh(in_review).state == "approved"


def test_returning_needs_a_reason_which_the_writer_then_reads(in_review, users, sign_in):
    approver = sign_in("approver")
    assert approver.post(url(in_review, "campaign_return"), {"reason": " "}).status_code == 422
    assert fresh(in_review).state == "in_review"
    approver.post(url(in_review, "campaign_return"), {"reason": "Name the hall."})
    assert fresh(in_review).state == "draft"
    writer = sign_in("composer")
    shown = page(writer, in_review)
    assert "approver returned it" in shown
    assert shown.index("Name the hall.") < shown.index('id="people"'), "before what is to be changed, not below it all"
    writer.post(url(in_review), as_posted(writer, in_review, sms_text="Hall 2", act="save"))
    assert "approver returned it" in page(writer, in_review), "it stands there while they change it"
    again = {"campaign": fresh(in_review), "user": users["composer"], "now": db_now()}
    campaigns.submit_campaign(**again)
    campaigns.withdraw_campaign(**again)
    assert "returned it</strong>" not in page(writer, in_review), "it was answered"


def test_people_who_joined_since_are_shown_and_not_added(in_review, klang, sign_in):
    klang.members.add(make_contact(name="Late"))
    context = sign_in("approver").get(url(in_review)).context
    assert context["joined"] == 1
    assert context["audience"].audience == 5


def looks_again(client, campaign, seen):
    return client.get(url(campaign, "campaign_live"), {"seen": seen}, headers={"HX-Request": "true"})


def test_the_page_follows_what_others_do_to_the_plan_that_waits(in_review, users, sign_in):
    client = sign_in("composer")
    seen = client.get(url(in_review)).context["seen"]
    assert f'hx-get="{url(in_review, "campaign_live")}?seen={seen}"' in page(client, in_review)
    still = looks_again(client, in_review, seen)
    assert (still.status_code, still.headers.get("HX-Refresh")) == (204, None)
    approval.approve_campaign(
        campaign=in_review, user=users["approver"], now=db_now(), plan_hash=fresh(in_review).plan_hash
    )
    assert looks_again(client, in_review, seen)["HX-Refresh"] == "true"
    seen = client.get(url(in_review)).context["seen"]
    campaigns.launch_campaign(campaign=fresh(in_review), user=users["approver"], now=db_now())
    assert looks_again(client, in_review, seen)["HX-Refresh"] == "true"


def test_a_plan_written_anew_is_another_page(in_review, users, sign_in):
    client = sign_in("approver")
    seen = client.get(url(in_review)).context["seen"]
    again = campaigns.withdraw_campaign(campaign=in_review, user=users["composer"], now=db_now())
    assert looks_again(client, again, seen)["HX-Refresh"] == "true"
    campaigns.submit_campaign(campaign=again, user=users["composer"], now=db_now())
    assert looks_again(client, again, seen)["HX-Refresh"] == "true"
    planning.materialise(again.pk, db_now())
    assert looks_again(client, again, seen)["HX-Refresh"] == "true"


def test_whoever_waits_reads_for_whom(in_review, users, sign_in):
    assert "Waiting for admin or approver" in page(sign_in("composer"), in_review)
    User.objects.exclude(username="composer").update(is_active=False)
    assert "Nobody can approve it" in page(sign_in("composer"), in_review)
