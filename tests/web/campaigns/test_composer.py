"""The composer: people, plan and figures of what is saved."""

import pytest
from django.urls import reverse

from contacts.models import Contact
from messaging.models import Campaign
from messaging.planning import LaneCount
from messaging.web.campaigns.anchors import plan_answer
from messaging.web.campaigns.figures import to_leave
from tests.factories import make_contact
from tests.web.campaigns.steps import as_posted, page, url

pytestmark = pytest.mark.django_db


def test_a_new_campaign_needs_a_name_and_opens_as_a_draft(connection, sign_in):
    client = sign_in("composer")
    answer = client.post(reverse("campaign_new"), {"connection": connection.pk, "purpose": "service"})
    assert answer.status_code == 422
    answer = client.post(
        reverse("campaign_new"), {"name": "Fees", "connection": connection.pk, "purpose": "service"}, follow=True
    )
    assert Campaign.objects.get().name == "Fees"
    assert "No text yet" in answer.content.decode()


def test_the_composer_counts_people_lanes_and_reasons_of_what_is_saved(draft, sign_in):
    context = sign_in("composer").get(url(draft)).context
    assert context["audience"].audience == 5
    assert {group.lane: group.people for group in context["groups"]} == {
        "session": 1, "template": 2, "sms": 0, "held": 0, "skipped": 2,
    }  # fmt: skip
    assert sum(group.people for group in context["groups"]) == context["audience"].audience


@pytest.mark.parametrize(
    ("people", "told"),
    [
        ({}, "0 messages leave"),
        ({"session": 1}, "1 message leaves"),
        ({"template": 2, "sms": 1, "skipped": 2}, "3 messages leave · 2 skipped"),
        ({"session": 1, "held": 22, "skipped": 3}, "1 message leaves · 22 held back · 3 skipped"),
        ({"held": 1200}, "1,200 held back"),
    ],
)
def test_the_plans_one_line_says_apart_what_leaves_and_what_is_held_back(people, told):
    counts = [LaneCount(lane, "", many) for lane, many in people.items()]
    assert plan_answer(to_leave(counts), counts) == told


def test_each_person_has_a_line_with_lane_reason_and_their_own_text(draft, sign_in):
    shown = page(sign_in("composer"), draft)
    assert "Hi Aminah, see you on Saturday?" in shown
    assert "Hello Tan Wei Ling, the gotong-royong is on Saturday." in shown
    assert "They are opted out of every way in which this could go." in shown


def test_the_plan_can_be_narrowed_to_a_lane_and_a_reason(draft, people, sign_in):
    client = sign_in("composer")
    assert [row.contact for row in client.get(url(draft), {"lane": "session"}).context["plan_rows"]] == [people[0]]
    chosen = client.get(url(draft), {"lane": "skipped", "reason": "opted_out"}).context["plan_rows"]
    assert [row.contact for row in chosen] == [people[3]]


@pytest.mark.parametrize("before", ["", "?lane=template"])
def test_a_lane_pressed_on_the_page_is_the_one_that_comes_whatever_stood_there_before(before, draft, people, sign_in):
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{url(draft)}{before}"}
    context = sign_in("composer").get(url(draft), {"lane": "session"}, headers=headers).context
    assert [row.contact for row in context["plan_rows"]] == [people[0]]


def test_the_composer_asks_the_same_number_of_questions_for_five_people_and_for_fifty(
    draft, klang, sign_in, django_assert_max_num_queries
):
    client = sign_in("composer")
    client.get(url(draft))
    with django_assert_max_num_queries(60) as few:
        client.get(url(draft))
    klang.members.add(*[make_contact(name="Somebody") for _more in range(45)])
    with django_assert_max_num_queries(len(few)):
        client.get(url(draft))


def test_a_plan_that_leaves_people_without_a_way_is_amber(draft, sign_in):
    client = sign_in("composer")
    assert anchor(client, draft, "plan").tone == "wait", "somebody has no name, which a text asks for"
    Contact.objects.filter(name="").update(name="Noor")
    assert anchor(client, draft, "plan").tone == "ok"
    client.post(url(draft), as_posted(client, draft, template_version=""))
    assert anchor(client, draft, "plan").tone == "wait", "a free text alone leaves out whoever has not written"


def anchor(client, draft, key):
    return next(one for one in client.get(url(draft)).context["anchors"] if one.key == key)
