"""What holds for the pages of a campaign in whatever state it is."""

import re

import pytest
from django.urls import reverse

from messaging import approval, campaigns, planning
from messaging.clock import db_now
from tests.factories import make_contact, make_list
from tests.web.campaigns.steps import fresh, page, url, write
from tests.web.test_pages import FORBIDDEN

pytestmark = pytest.mark.django_db


def test_who_is_left_out_is_left_out_for_a_reason_on_every_page(users, connection, people, sign_in):
    lists = [make_list(people[:3], "A"), make_list(people[1:], "B")]
    campaign = write(users["composer"], connection, lists, exclude=[make_list(people[4:], "Never")])
    client = sign_in("approver")
    for state in ("draft", "in_review", "running"):
        shown = re.sub(r"<[^>]+>|\s+", " ", page(client, campaign))
        assert "2 already in another list" in shown, state
        assert "1 in an excluded list" in shown, state
        if state == "draft":
            campaigns.submit_campaign(campaign=campaign, user=users["composer"], now=db_now())
            planning.materialise(campaign.pk, db_now())
        elif state == "in_review":
            seen = {"user": users["approver"], "plan_hash": fresh(campaign).plan_hash, "now": db_now()}
            approval.approve_campaign(campaign=campaign, **seen)
            campaigns.launch_campaign(campaign=campaign, user=users["approver"], now=db_now())
            campaigns.start(campaign.pk, db_now())


@pytest.mark.parametrize("state", ["draft", "in_review", "running"])
def test_sms_parts_stand_where_there_is_an_sms_and_only_at_who_gets_it(state, users, connection, people, sign_in):
    client = sign_in("composer")
    told = {"session_text": "Hi {{name}}", "template_version": None}
    by_sms = write(users["composer"], connection, [make_list(people)], sms_text="Come on Saturday", **told)
    without = write(users["composer"], connection, [make_list(people)], **told)
    for campaign in (by_sms, without):
        if state != "draft":
            campaigns.submit_campaign(campaign=campaign, user=users["composer"], now=db_now())
            planning.materialise(campaign.pk, db_now())
        if state == "running":
            seen = {"user": users["approver"], "plan_hash": fresh(campaign).plan_hash, "now": db_now()}
            approval.approve_campaign(campaign=campaign, **seen)
            campaigns.launch_campaign(campaign=campaign, user=users["approver"], now=db_now())
            campaigns.start(campaign.pk, db_now())
    by_sms.messages.filter(send_state="queued", contact=people[0]).update(lane="session", parts=1)
    by_sms.messages.filter(send_state="queued").exclude(contact=people[0]).update(lane="sms", parts=1)
    context = client.get(url(by_sms)).context
    rows = context["plan_rows"] if state == "draft" else context["page"].rows
    assert {row.lane: row.parts for row in rows} == {"session": 0, "sms": 1, "skipped": 0}
    assert 'class="num">SMS parts</th>' in page(client, by_sms)
    assert 'class="num">SMS parts</th>' not in page(client, without)


@pytest.fixture
def every_page(draft, users, connection, klang):
    """A page of each state."""
    found = [draft, write(users["composer"], connection, [])]
    for step in range(4):
        campaign = write(users["composer"], connection, [klang])
        campaigns.submit_campaign(campaign=campaign, user=users["composer"], now=db_now())
        found.append(campaign)
        if step == 0:
            continue
        planning.materialise(campaign.pk, db_now())
        if step == 1:
            continue
        seen = {"user": users["approver"], "plan_hash": fresh(campaign).plan_hash, "now": db_now()}
        approval.approve_campaign(campaign=campaign, **seen)
        if step == 2:
            continue
        campaigns.launch_campaign(campaign=campaign, user=users["approver"], now=db_now())
        campaigns.start(campaign.pk, db_now())
    return [url(campaign) for campaign in found] + [reverse("campaign_list"), reverse("campaign_new")]


def test_no_page_carries_what_the_csp_forbids(every_page, sign_in):
    client = sign_in("admin")
    for address in every_page:
        assert not FORBIDDEN.findall(client.get(address).content.decode()), address


def test_every_box_has_a_label_and_every_id_is_there_once(every_page, sign_in):
    client = sign_in("admin")
    for address in every_page:
        shown = client.get(address).content.decode()
        ids = re.findall(r'\sid="([^"]+)"', shown)
        assert len(ids) == len(set(ids)), address
        labelled = set(re.findall(r'<label[^>]*for="([^"]+)"', shown))
        kinds = r'<(?:input|select|textarea)(?![^>]*type="(?:hidden|checkbox|radio)")[^>]*id="([^"]+)"'
        assert set(re.findall(kinds, shown)) <= labelled, address


def test_what_people_wrote_is_never_markup(users, connection, sign_in):
    person = make_contact(name="<script>alert(1)</script>")
    campaign = write(
        users["composer"], connection, [make_list([person], "<b>List</b>")], session_text="<i>{{name}}</i>"
    )
    shown = page(sign_in("composer"), campaign)
    assert "<script>alert" not in shown
    assert "<i>" not in shown
    assert "<b>List" not in shown
