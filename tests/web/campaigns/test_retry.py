"""Each group of failures has the one button that helps: another try, another text, or the people to look at."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from messaging.models import Campaign, Message
from tests.web.campaigns.steps import page, settle, url

pytestmark = pytest.mark.django_db
LATER, TEXT, NUMBER = "501", "575", "505"


def groups(client, campaign):
    return client.get(url(campaign)).context["failures"]


def press(client, campaign, to_do):
    return client.post(url(campaign, "campaign_retry"), {"to_do": to_do})


@pytest.mark.parametrize(
    ("code", "button"), [(LATER, "Try again with 2 people"), (TEXT, "Write another text for 2 people")]
)
def test_a_group_that_another_try_helps_makes_a_draft_of_it(code, button, running, sign_in):
    settle(running, delivered=1, undelivered=2, code=code)
    client = sign_in("composer")
    (group,) = groups(client, running)
    assert button in page(client, running)
    answer = press(client, running, group.to_do)
    draft = Campaign.objects.get(retry_of=running)
    assert answer.url == url(draft)
    shown = page(client, draft)
    assert "This is a draft for those whom it did not reach." in shown
    assert f'For those whom <a href="{url(running)}">Gotong-royong</a> did not reach.' in shown
    assert "made the draft to try again" in shown
    report = page(client, running)
    assert "Other tries of this message:" in report
    assert url(draft) in report
    assert button not in report


def test_a_group_that_no_try_helps_shows_its_people(running, sign_in):
    settle(running, delivered=1, undelivered=2, code=NUMBER)
    client = sign_in("composer")
    assert "?to_do=number#people" in page(client, running)
    assert reverse("campaign_retry", args=[running.public_id]) not in page(client, running)
    found = client.get(url(running), {"to_do": "number"})
    assert len(found.context["page"].rows) == 2
    assert [chip.words for chip in found.context["chips"]] == ["Check the number"]
    assert len(client.get(url(running), {"to_do": "later"}).context["page"].rows) == 0
    assert len(client.get(url(running), {"to_do": "nonsense"}).context["page"].rows) == 5


def test_whoever_comes_second_is_told_that_nobody_is_left(running, sign_in):
    settle(running, undelivered=2, code=LATER)
    client = sign_in("composer")
    press(client, running, "later")
    answer = press(client, running, "later")
    assert answer.url == url(running)
    assert "everyone here is in another try already" in page(client, running)
    assert running.retries.count() == 1


@pytest.mark.parametrize("to_do", ["number", "alone", "nonsense", ""])
def test_what_cannot_be_tried_again_is_not_found(to_do, running, sign_in):
    settle(running, undelivered=2, code=NUMBER)
    assert press(sign_in("composer"), running, to_do).status_code == 404


@pytest.mark.parametrize(("role", "may"), [("viewer", False), ("agent", False), ("composer", True), ("admin", True)])
def test_the_button_is_there_for_those_who_write_campaigns(role, may, running, sign_in):
    settle(running, undelivered=2, code=LATER)
    client = sign_in(role)
    assert (reverse("campaign_retry", args=[running.public_id]) in page(client, running)) is may
    assert ("?to_do=later#people" in page(client, running)) is not may, "whoever may not retry may look"
    assert (press(client, running, "later").status_code == 302) is may
    assert client.get(url(running, "campaign_retry")).status_code == 405


def test_the_report_of_a_retry_names_the_first_one(running, sign_in):
    settle(running, undelivered=2, code=LATER)
    client = sign_in("composer")
    press(client, running, "later")
    draft = Campaign.objects.get(retry_of=running)
    client.post(url(draft, "campaign_act", "cancel"))
    assert "Tries again" in page(client, draft)


def test_the_button_of_an_open_page_works_though_its_part_came_later(running, users):
    settle(running, undelivered=2, code=LATER)
    client = Client(enforce_csrf_checks=True)
    client.force_login(users["composer"])
    part = client.get(url(running, "campaign_live"), {"seen": "running-other"}).content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', part)[1]
    address = url(running, "campaign_retry")
    assert client.post(address, {"to_do": "later"}).status_code == 403
    assert client.post(address, {"to_do": "later", "csrfmiddlewaretoken": token}).status_code == 302


def test_a_page_that_asks_again_in_vain_looks_for_no_failures(running, sign_in):
    settle(running, undelivered=2, code=LATER)
    client = sign_in("composer")
    seen = {"seen": client.get(url(running)).context["seen"]}
    with CaptureQueriesContext(connection) as asked:
        assert client.get(url(running, "campaign_live"), seen).status_code == 204
    assert not [query for query in asked if "error_code" in query["sql"].partition("FROM")[0]]


def test_a_report_asks_the_same_number_of_questions_for_one_kind_of_failure_and_for_three(running, sign_in):
    settle(running, undelivered=3, code=LATER)
    client = sign_in("composer")
    asked = []
    for codes in ([LATER] * 3, [LATER, TEXT, NUMBER]):
        for row, code in zip(running.messages.filter(delivery_state="undelivered"), codes, strict=True):
            Message.objects.filter(pk=row.pk).update(error_code=code)
        with CaptureQueriesContext(connection) as queries:
            assert len(groups(client, running)) == len(set(codes))
        asked.append(len(queries))
    assert asked[0] == asked[1]
