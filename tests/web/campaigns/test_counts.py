"""Over many people the composer comes at once and its figures after it."""

import pytest
from django.core.cache import cache
from django.urls import reverse

from messaging import campaigns
from messaging.clock import db_now
from tests.factories import make_contact, make_draft, make_list, make_user

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def many(monkeypatch):
    """Any number of people counts as many."""
    monkeypatch.setattr("messaging.web.campaigns.forecast.MANY", 0)
    cache.clear()


@pytest.fixture
def draft(connection):
    return make_draft(connection, [make_list([make_contact(name=name) for name in ("Aminah", "Tan", "Muthu")])])


def url(draft, name="campaign_detail"):
    return reverse(name, args=[draft.public_id])


def page(client, draft, query=""):
    return client.get(url(draft) + query).content.decode()


def test_the_page_comes_without_figures_says_so_and_asks_for_them(draft, sign_in):
    shown = page(sign_in("composer"), draft)
    assert f'hx-get="{url(draft, "campaign_counts")}" hx-trigger="load"' in shown
    assert "Counting…" in shown
    assert "used by nobody" not in shown
    assert "0 people" not in shown


def test_the_figures_that_come_after_it_are_those_of_a_page_that_counts(draft, sign_in):
    client = sign_in("composer")
    part = client.get(url(draft, "campaign_counts"), headers=HTMX)
    assert 'id="counting"' not in part.content.decode()
    for known in ("3 people", "Person 1 of 3", "Aminah"):
        assert known in part.content.decode()
    whole = client.get(url(draft))  # kept from that counting
    assert whole.context["counted"] == part.context["counted"]
    assert 'id="counting"' not in whole.content.decode()


def test_the_figures_do_not_wait_for_the_chips_of_those_who_try_the_texts(draft, sign_in):
    client = sign_in("composer")
    ask = f'hx-get="{url(draft, "campaign_examples")}" hx-trigger="load"'
    part = client.get(url(draft, "campaign_counts"), headers=HTMX).content.decode()
    assert ask in part and "show=longest" not in part
    chips = client.get(url(draft, "campaign_examples"), headers=HTMX).content.decode()
    assert "show=longest" in chips and ask not in chips
    whole = page(client, draft)  # both kept from before
    assert "show=longest" in whole and ask not in whole


def test_without_script_the_page_has_them_too(draft, sign_in):
    answer = sign_in("composer").get(url(draft, "campaign_examples"), follow=True)
    assert answer.redirect_chain == [(url(draft) + "?count=now#message", 302)]
    assert "show=longest" in answer.content.decode()


def test_without_script_a_link_counts_them(draft, sign_in):
    client = sign_in("composer")
    answer = client.get(url(draft, "campaign_counts"), follow=True)
    assert answer.redirect_chain == [(url(draft) + "?count=now#plan", 302)]
    assert "Person 1 of 3" in answer.content.decode()


def test_saving_other_lists_does_not_wait_for_their_count(draft, sign_in):
    client = sign_in("composer")
    page(client, draft, "?count=now")
    form = client.get(url(draft)).context["form"]
    fields = ("name", "connection", "purpose", "version", "session_text", "template_version", "time_zone")
    typed = {name: form[name].value() for name in fields} | {"include": make_list([make_contact()]).pk}
    saved = client.post(url(draft), typed, headers=HTMX).content.decode()
    assert 'id="counting"' in saved
    assert "Person 1 of" not in saved


def test_a_page_whose_campaign_is_no_draft_any_more_is_loaded_anew(draft, sign_in):
    campaigns.submit_campaign(campaign=draft, user=make_user(), now=db_now())
    answer = sign_in("composer").get(url(draft, "campaign_counts"), headers=HTMX)
    assert (answer.status_code, answer["HX-Refresh"]) == (204, "true")
