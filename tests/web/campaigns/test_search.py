"""Finding one person in the plan of a draft."""

import pytest

from tests.factories import make_contact, make_list
from tests.web.campaigns.steps import page, url, write

pytestmark = pytest.mark.django_db


def found(client, campaign, words, **query):
    return [row.contact.name for row in client.get(url(campaign), {"q": words} | query).context["plan_rows"]]


def test_a_person_is_found_by_name_and_number_whatever_their_lane(draft, people, sign_in):
    client = sign_in("composer")
    assert found(client, draft, "tan wei") == ["Tan Wei Ling"]
    assert found(client, draft, "siti", lane="session") == ["Siti"]
    assert found(client, draft, people[2].pretty_number) == ["Muthu"]
    assert found(client, draft, "zzz") == []
    assert "Nobody in these lists has this in their name or number." in page(client, draft, q="zzz")


def test_only_who_would_be_in_the_plan_is_found(users, connection, people, sign_in):
    make_contact(name="Aminah of no list")
    twice = [make_list(people, "A"), make_list(people[:2], "B")]
    campaign = write(users["composer"], connection, twice, exclude=[make_list(people[1:2], "Never")])
    client = sign_in("composer")
    assert found(client, campaign, "aminah") == ["Aminah"]
    assert found(client, campaign, "tan") == []


def test_a_page_of_findings_leads_to_the_next(users, connection, sign_in):
    many = make_list([make_contact(name=f"Siti {n:02}") for n in range(30)])
    campaign = write(users["composer"], connection, [many])
    client = sign_in("composer")
    context = client.get(url(campaign), {"q": "siti"}).context
    assert (len(context["plan_rows"]), context["plan_rows"][0].contact.name) == (10, "Siti 00")
    assert f"&amp;q=siti&amp;after={context['plan_next']}#plan" in page(client, campaign, q="siti")
    assert found(client, campaign, "siti", after=context["plan_next"])[0] == "Siti 10"


def test_a_saving_leaves_the_findings_where_they_are(draft, sign_in):
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{url(draft)}?q=muthu"}
    context = sign_in("composer").get(url(draft, "campaign_counts"), headers=headers).context
    assert [row.contact.name for row in context["plan_rows"]] == ["Muthu"]
    assert context["plan_search"] == "muthu"


def test_the_keys_are_told_and_reach_what_they_name(draft, sign_in):
    shown = page(sign_in("composer"), draft)
    for told in ("<kbd>k</kbd> <kbd>j</kbd>", "<kbd>/</kbd>", "<kbd>Ctrl</kbd> <kbd>Enter</kbd>"):
        assert told in shown
    assert shown.count("data-search") == 1
    for key in "jk":
        assert shown.count(f'data-key="{key}"') == 1
