"""A client's own webhook endpoints."""

import pytest

from messaging.clock import db_now
from messaging.models import ApiClient, OutboxEvent, WebhookDelivery, WebhookEndpoint, WebhookSecret
from tests.factories import make_connection

NEW = {"url": "https://93.184.215.14/hook", "event_types": ["message.status", "message.received"]}


@pytest.fixture
def endpoint(caller) -> dict:
    return caller.post("webhook-endpoints", NEW).json()


def test_an_endpoint_is_made_with_a_secret_that_is_shown_once(caller, endpoint):
    assert endpoint["secret"] == WebhookSecret.objects.get().secret
    path = f"webhook-endpoints/{endpoint['id']}"
    shown = caller.get(path).json()
    assert shown == {key: value for key, value in endpoint.items() if key != "secret"}
    assert caller.get("webhook-endpoints").json()["results"] == [shown]
    rotated = caller.post(f"{path}/secret").json()["secret"]
    assert rotated.startswith("whsec_")
    assert rotated != endpoint["secret"]


@pytest.mark.parametrize("url", ["https://127.0.0.1/x", "http://93.184.215.14/x", "nonsense", "https://[::1]/"])
def test_an_address_inside_is_refused(caller, url):
    assert caller.post("webhook-endpoints", NEW | {"url": url}).status_code == 409
    assert not WebhookEndpoint.objects.exists()


def test_an_endpoint_is_changed_paused_resumed_and_ended(caller, endpoint):
    path = f"webhook-endpoints/{endpoint['id']}"
    changed = caller("patch", path, {"description": "CRM", "event_types": ["consent.changed"]}).json()
    assert (changed["description"], changed["event_types"]) == ("CRM", ["consent.changed"])
    states = [caller.post(f"{path}/{act}").json()["state"] for act in ("pause", "resume")]
    assert [*states, caller("delete", path).json()["state"]] == ["paused", "active", "disabled"]
    assert caller.post(f"{path}/resume").json()["code"] == "wrong_state"


def test_what_went_to_it_can_be_read_and_delivered_again(caller, endpoint):
    now = db_now()
    row = WebhookEndpoint.objects.get()
    event = OutboxEvent.objects.create(type="message.status", data={}, at=now)
    delivery = WebhookDelivery.objects.create(
        endpoint=row, event=event, state="delivered", tries=1, next_at=now, delivered_at=now
    )
    delivery.attempts.create(at=now, status=200, ms=12)
    path = f"webhook-endpoints/{endpoint['id']}/deliveries"
    (told,) = caller.get(path).json()["results"]
    assert (told["event"], told["state"], told["attempts"][0]["status"]) == (str(event.public_id), "delivered", 200)
    assert caller.post(f"{path}/{told['id']}/replay").json()["state"] == "waiting"
    stretch = {"since": "2026-01-01T00:00:00Z", "until": "2100-01-01T00:00:00Z"}
    assert caller.post(f"{path}/replay", stretch).json() == {"replayed": 0}, "it waits already"
    WebhookDelivery.objects.update(state="given_up")
    assert caller.post(f"{path}/replay", stretch | {"failed_only": True}).json() == {"replayed": 1}


def test_a_key_hears_nothing_of_people_that_it_could_not_read(make_caller):
    caller = make_caller("webhooks")
    refused = caller.post("webhook-endpoints", NEW)
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
    made = caller.post("webhook-endpoints", NEW | {"event_types": ["campaign.state"]})
    assert made.status_code == 201
    path = f"webhook-endpoints/{made.json()['id']}"
    assert caller("patch", path, {"event_types": ["message.received"]}).status_code == 403
    assert caller("patch", path, {"description": "CRM"}).status_code == 200


def test_a_key_that_lost_read_sends_what_is_told_of_people_nowhere_else(caller, endpoint):
    ApiClient.objects.update(scopes=["webhooks"])
    path = f"webhook-endpoints/{endpoint['id']}"
    refused = caller("patch", path, {"url": "https://93.184.215.14/elsewhere"})
    assert (refused.status_code, refused.json()["code"]) == (403, "scope_missing")
    assert WebhookEndpoint.objects.get().url == NEW["url"]
    assert caller("patch", path, {"event_types": ["campaign.state"]}).status_code == 200


def test_a_test_key_subscribes_to_consent_only_while_there_are_sandboxes_alone(make_caller):
    caller, wish = make_caller(live=False), NEW | {"event_types": ["consent.changed"]}
    assert caller.post("webhook-endpoints", wish).status_code == 201
    make_connection(kind="bulk360")
    assert caller.post("webhook-endpoints", wish).json()["code"] == "test_key"


def test_another_clients_endpoint_is_not_there(caller, make_caller, endpoint):
    path, other = f"webhook-endpoints/{endpoint['id']}", make_caller()
    assert other.get("webhook-endpoints").json()["results"] == []
    answers = [other.get(path), other("delete", path), other("patch", path, {}), other.get(f"{path}/deliveries")]
    answers += [other.post(f"{path}/{act}") for act in ("pause", "resume", "secret")]
    assert {answer.status_code for answer in answers} == {404}
    assert caller.get(path).json()["state"] == "active"
