import json
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from messaging.clock import db_now
from messaging.models import AuditEvent, WebhookDelivery, WebhookEndpoint
from messaging.webhooks import create_door_endpoint
from tests.factories import make_contact, make_mo

from .conftest import RECEIVER, address, happen, shown_once

pytestmark = pytest.mark.django_db
FORM = {"url": RECEIVER, "description": "Records", "event_types": ["message.status", "consent.changed"]}


def test_a_new_endpoint_shows_its_secret_once_and_nothing_keeps_it_readable(sign_in, admin):
    browser = sign_in("admin")
    (secret,) = shown_once(browser.post(reverse("webhook_new"), FORM))
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.owner, endpoint.secrets.get().secret) == (admin, secret)
    for page in (address("webhook_detail", endpoint), reverse("developers"), "/"):
        assert secret not in browser.get(page).content.decode()
    assert secret not in str([*AuditEvent.objects.values_list("detail", flat=True), dict(browser.session)])


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"url": ""}, "url", "required"),
        ({"url": "http://1.1.1.1/"}, "url", "must begin with https://"),
        ({"url": "https://10.0.0.1/"}, "url", "must not reach"),
        ({"url": "https://1.1.1.1:22/"}, "url", "port is not allowed"),
        ({"event_types": []}, "event_types", "required"),
        ({"event_types": ["everything"]}, "event_types", "not one of the available choices"),
        ({"description": "x" * 121}, "description", "at most 120 characters"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_made(change, field, words, sign_in):
    answer = sign_in("admin").post(reverse("webhook_new"), FORM | change)
    assert answer.status_code == 422
    assert words in " ".join(answer.context["form"].errors[field])
    assert not WebhookEndpoint.objects.exists()


def test_an_endpoint_is_changed_and_its_secret_rotated(endpoint, sign_in):
    browser = sign_in("admin")
    browser.post(address("webhook_edit", endpoint), FORM | {"url": "https://1.1.1.1/new"})
    endpoint.refresh_from_db()
    assert (endpoint.url, endpoint.description) == ("https://1.1.1.1/new", "Records")
    before = endpoint.secrets.get()
    browser.get(address("webhook_secret", endpoint))
    assert endpoint.secrets.count() == 1
    (secret,) = shown_once(browser.post(address("webhook_secret", endpoint)))
    assert [one.secret for one in endpoint.secrets.filter(expires_at=None)] == [secret]
    assert endpoint.secrets.get(pk=before.pk).expires_at is not None


def test_what_speaks_the_providers_shape_has_neither_events_to_choose_nor_a_secret(desk, sign_in):
    told = create_door_endpoint(door_client=desk, shape="door_dn", url=RECEIVER, now=db_now())
    browser = sign_in("admin")
    assert "event_types" not in browser.get(address("webhook_edit", told)).context["form"].fields
    assert browser.post(address("webhook_secret", told), follow=True).redirect_chain
    assert not told.secrets.exists()


def test_an_endpoint_is_paused_resumed_and_disabled_for_good(endpoint, sign_in):
    browser = sign_in("admin")

    def state(act: str) -> str:
        browser.post(address(act, endpoint))
        return WebhookEndpoint.objects.get().state

    browser.get(address("webhook_disable", endpoint))
    acts = ("webhook_pause", "webhook_resume", "webhook_disable", "webhook_resume")
    assert [state(act) for act in acts] == ["paused", "active", "disabled", "disabled"]
    answer = browser.post(address("webhook_edit", endpoint), FORM)
    assert "make a new one" in answer.content.decode()


def test_nothing_is_on_its_way_to_an_endpoint_that_is_paused(endpoint, connection, admin, sign_in):
    happen(connection, admin)
    browser, pages = sign_in("admin"), [address("webhook_detail", endpoint), reverse("developers")]
    pages.append(address("delivery_detail", endpoint.deliveries.first()))
    assert all("On its way" in browser.get(page).content.decode() for page in pages)
    browser.post(address("webhook_pause", endpoint))
    shown = [browser.get(page).content.decode() for page in pages]
    assert all("Waits until it is resumed" in page and "On its way" not in page for page in shown)


def test_the_log_is_read_by_state_and_a_delivery_with_its_attempts_and_what_it_says(
    endpoint, connection, admin, sign_in
):
    happen(connection, admin)
    failed, waiting = endpoint.deliveries.order_by("pk")
    WebhookDelivery.objects.filter(pk=failed.pk).update(state="given_up", tries=10)
    failed.attempts.create(at=db_now(), status=503, answer="come back later", ms=12)
    browser, log = sign_in("admin"), address("webhook_detail", endpoint)
    assert [row.pk for row in browser.get(log).context["page"].rows] == [waiting.pk, failed.pk]
    assert [row.pk for row in browser.get(log, {"state": "given_up"}).context["page"].rows] == [failed.pk]
    assert "No delivery is like that" in browser.get(log, {"state": "delivered"}).content.decode()
    answer = browser.get(address("delivery_detail", failed))
    assert "come back later" in answer.content.decode()
    said = json.loads(answer.context["body"])
    assert (said["type"], said["id"]) == ("connection.state", str(failed.event.public_id))
    assert (said["data"]["name"], said["data"]["state"]) == ("Klang", "paused")


def test_a_delivery_in_the_providers_shape_is_shown_as_the_form_that_leaves(desk, connection, sign_in):
    told = create_door_endpoint(door_client=desk, shape="door_mo", url=RECEIVER, now=db_now())
    make_mo(connection=connection, contact=make_contact("60123240066"), body="Where is it?")
    body = sign_in("admin").get(address("delivery_detail", told.deliveries.get())).context["body"]
    assert {"from=60123240066", "text=Where is it?"} <= set(body.splitlines())


def test_one_delivery_is_sent_again(endpoint, connection, admin, sign_in):
    happen(connection, admin)
    endpoint.deliveries.update(state="given_up", tries=10)
    newest = endpoint.deliveries.order_by("-pk").first()
    answer = sign_in("admin").post(address("delivery_replay", newest))
    assert answer.url == address("delivery_detail", newest)
    assert list(endpoint.deliveries.filter(state="waiting")) == [newest]


@pytest.mark.parametrize(("failed_only", "many"), [("on", 1), ("", 2)])
def test_a_range_is_sent_again(failed_only, many, endpoint, connection, admin, sign_in):
    happen(connection, admin)
    endpoint.deliveries.update(state="delivered")
    WebhookDelivery.objects.filter(pk=endpoint.deliveries.first().pk).update(state="given_up")
    stretch = {"since": minute(-timedelta(hours=1)), "until": minute(timedelta(hours=1)), "failed_only": failed_only}
    answer = sign_in("admin").post(address("webhook_replay", endpoint), stretch, follow=True)
    assert f"{many} event" in answer.content.decode()
    assert endpoint.deliveries.filter(state="waiting").count() == many


def test_a_range_needs_its_end_after_its_beginning(endpoint, sign_in):
    backwards = {"since": minute(timedelta(0)), "until": minute(-timedelta(hours=1))}
    answer = sign_in("admin").post(address("webhook_replay", endpoint), backwards)
    assert answer.status_code == 422
    assert "must come after the beginning" in answer.content.decode()


def minute(away: timedelta) -> str:
    return f"{timezone.localtime() + away:%Y-%m-%dT%H:%M}"


@pytest.fixture
def stopped(endpoint, users):
    """It belongs to a composer, and nothing could be delivered for five days."""
    WebhookEndpoint.objects.update(
        state="paused", paused_because="Nothing could be delivered.", owner=users["composer"]
    )
    endpoint.refresh_from_db()
    return endpoint


def test_who_runs_it_is_led_from_the_dashboard_to_an_endpoint_that_stopped_by_itself(stopped, sign_in):
    browser = sign_in("admin")
    for page in ("/", reverse("developers"), address("webhook_detail", stopped)):
        shown = browser.get(page).content.decode()
        assert "Nothing could be delivered." in shown
        assert "1 endpoint stopped" in shown
    assert address("webhook_detail", stopped) in browser.get("/").content.decode()
    browser.post(address("webhook_resume", stopped))
    assert "Nothing could be delivered." not in browser.get("/").content.decode()


def test_its_owner_hears_of_it_without_the_rest_of_its_url_and_nobody_else_does(stopped, sign_in):
    told = sign_in("composer").get("/").content.decode()
    assert "Events no longer go to 1.1.1.1" in told
    assert "Ask an admin" in told
    assert "token=theirs" not in told
    assert address("webhook_detail", stopped) not in told
    assert "1.1.1.1" not in sign_in("approver").get("/").content.decode()


def test_one_that_ended_by_itself_needs_nobody_once_it_was_seen(stopped, sign_in):
    WebhookEndpoint.objects.update(state="disabled")
    browser = sign_in("admin")
    assert "I have seen it" in browser.get(reverse("developers")).content.decode()
    browser.post(address("webhook_disable", stopped))
    assert "Nothing could be delivered." not in browser.get("/").content.decode()
    assert WebhookEndpoint.objects.get().state == "disabled"
