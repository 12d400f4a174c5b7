"""A page that shows a running campaign asks again, as often as it needs."""

from datetime import timedelta

import pytest

from messaging.clock import db_now
from messaging.models import Campaign
from messaging.web.frame import polling
from tests.web.campaigns.steps import settle, url

pytestmark = pytest.mark.django_db


def test_live_figures_come_only_when_something_is_new(running, sign_in):
    client = sign_in("viewer")
    seen = client.get(url(running)).context["seen"]
    assert client.get(url(running, "campaign_live"), {"seen": seen}).status_code == 204
    settle(running, delivered=1)
    part = client.get(url(running, "campaign_live"), {"seen": seen})
    assert part["HX-Trigger"] == "campaign-changed"
    assert "<html" not in part.content.decode()
    Campaign.objects.filter(pk=running.pk).update(state="paused")
    assert client.get(url(running, "campaign_live"), {"seen": seen})["HX-Refresh"] == "true"


@pytest.mark.parametrize(
    ("state", "ended_ago", "settled", "connection_state", "every"),
    [
        ("running", None, {}, "ok", "1s"),
        ("running", None, {"delivered": 3}, "ok", "3s"),  # who is held until they write is not about to move
        ("running", None, {}, "no_credit", "3s"),
        ("paused", None, {}, "ok", "3s"),
        ("finished", timedelta(seconds=5), {"waiting": 3}, "ok", "1s"),
        ("finished", timedelta(minutes=5), {"waiting": 3}, "ok", "10s"),
    ],
)
def test_the_page_asks_the_sooner_the_more_is_about_to_happen(
    state, ended_ago, settled, connection_state, every, running, sign_in
):
    settle(running, **settled)
    finished_at = ended_ago and db_now() - ended_ago
    Campaign.objects.filter(pk=running.pk).update(state=state, finished_at=finished_at)
    type(running.connection).objects.filter(pk=running.connection_id).update(state=connection_state)
    assert sign_in("viewer").get(url(running)).context["every"] == every


def test_a_page_of_very_many_people_asks_less_often(running, sign_in, monkeypatch):
    monkeypatch.setattr(polling, "SMALL", 2)
    assert sign_in("viewer").get(url(running)).context["every"] == "3s"
