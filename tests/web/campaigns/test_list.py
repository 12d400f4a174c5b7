"""All campaigns, and how far each is."""

import pytest
from django.urls import reverse

from tests.web.campaigns.steps import settle, write

pytestmark = pytest.mark.django_db


def test_an_empty_list_leads_to_the_first_campaign(connection, sign_in):
    assert reverse("campaign_new") in sign_in("composer").get(reverse("campaign_list")).content.decode()


def test_without_a_connection_the_list_says_what_comes_first(sign_in):
    assert "A connection comes first" in sign_in("composer").get(reverse("campaign_list")).content.decode()


def test_the_list_says_in_words_how_far_each_campaign_is(running, sign_in):
    shown = sign_in("viewer").get(reverse("campaign_list")).content.decode()
    assert "Gotong-royong" in shown
    assert "Running" in shown
    assert "5 = to send 3 + skipped 2" in shown


def test_the_line_of_a_campaign_is_what_became_of_it(running, sign_in):
    settle(running, delivered=1, undelivered=1)
    shown = sign_in("viewer").get(reverse("campaign_list")).content.decode()
    assert "5 = delivered 1 + not delivered 1 + to send 1 + skipped 2" in shown


@pytest.mark.parametrize(("query", "found"), [({"q": "royong"}, 1), ({"q": "zzz"}, 0), ({"state": "running"}, 0)])
def test_campaigns_are_found_by_name_and_state(query, found, draft, sign_in):
    assert len(sign_in("viewer").get(reverse("campaign_list"), query).context["page"].rows) == found


def test_the_list_asks_the_same_number_of_questions_for_one_campaign_and_for_twenty(
    users, connection, klang, sign_in, django_assert_max_num_queries
):
    client = sign_in("viewer")
    write(users["composer"], connection, [klang])
    client.get(reverse("campaign_list"))
    with django_assert_max_num_queries(30) as one:
        client.get(reverse("campaign_list"))
    for _more in range(19):
        write(users["composer"], connection, [klang])
    with django_assert_max_num_queries(len(one)):
        client.get(reverse("campaign_list"))
