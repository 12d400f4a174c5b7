"""Who did what to a campaign."""

import pytest

from messaging import campaigns, planning
from messaging.audit import history
from messaging.clock import db_now
from tests.web.campaigns.steps import as_posted, url

pytestmark = pytest.mark.django_db


def test_the_history_says_who_did_what_and_folds_repeated_savings(running, users, sign_in):
    story = sign_in("viewer").get(url(running)).context["story"]
    assert [(line.who, line.did) for line in story][:2] == [("approver", "started it"), ("approver", "approved it")]
    assert len(story) == len({(line.who, line.did) for line in story})


def test_a_new_draft_is_made_in_one_line_and_changed_by_whoever_comes_next(draft, sign_in):
    client = sign_in("composer")
    client.post(url(draft), as_posted(client, draft, session_text="Hi"))
    assert [(line.who, line.did) for line in client.get(url(draft)).context["story"]] == [
        ("composer", "made the draft")
    ]
    made = history(draft).first()
    assert [line.at for line in client.get(url(draft)).context["story"]] == [made.at], "when it was made, not saved"
    admin = sign_in("admin")
    admin.post(url(draft), as_posted(admin, draft, session_text="Hello"))
    story = admin.get(url(draft)).context["story"]
    assert [(line.who, line.did) for line in story] == [("admin", "changed the draft"), ("composer", "made the draft")]


def test_taking_it_back_is_not_returning_it(in_review, users, sign_in):
    client = sign_in("composer")
    client.post(url(in_review, "campaign_act", "withdraw"))
    assert client.get(url(in_review)).context["story"][0].did == "took it back to draft"
    campaigns.submit_campaign(campaign=in_review, user=users["composer"], now=db_now())
    planning.materialise(in_review.pk, db_now())
    sign_in("approver").post(url(in_review, "campaign_return"), {"reason": "Name the hall."})
    assert client.get(url(in_review)).context["story"][0].did == "returned it"
