"""Every page about other systems, for every role: who may see it, that it keeps to the CSP, and what many rows cost."""

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from messaging.clients import add_key, create_client
from messaging.clock import db_now
from messaging.doorkeeping import Wish, create_door_client, take_call
from messaging.statuses import Channel
from messaging.webhooks import create_endpoint
from tests.factories import make_contact
from tests.web.test_pages import EVERYBODY, FORBIDDEN

from .conftest import RECEIVER, address, happen

pytestmark = pytest.mark.django_db
PAGES = ("developers", "developer_examples", "api_client_new", "door_client_new", "webhook_new")
OF_A_THING = {
    "shop": ("api_client_detail", "api_client_edit", "api_client_key", "api_client_take_over", "api_client_disable"),
    "desk": ("door_client_detail", "door_client_edit", "door_client_pair", "door_client_disable"),
    "endpoint": ("webhook_detail", "webhook_edit", "webhook_secret", "webhook_disable", "webhook_replay"),
    "delivery": ("delivery_detail",),
}
POSTS = {
    "shop": ("api_client_enable",),
    "desk": ("door_client_enable",),
    "endpoint": ("webhook_pause", "webhook_resume"),
    "delivery": ("delivery_replay",),
}


@pytest.fixture
def things(shop, desk, endpoint, connection, admin):
    happen(connection, admin)
    return {"shop": shop, "desk": desk, "endpoint": endpoint, "delivery": endpoint.deliveries.first()}


@pytest.fixture
def gets(things):
    keys = [
        address("api_key_revoke", things["shop"], things["shop"].keys.get().pk),
        address("door_key_revoke", things["desk"], things["desk"].keys.get().pk),
    ]
    return [*map(reverse, PAGES), *keys, *of_things(OF_A_THING, things)]


def of_things(names, things):
    return [address(name, things[thing]) for thing, found in names.items() for name in found]


def test_they_are_for_those_alone_who_manage_other_systems(gets, things, sign_in):
    posts = of_things(POSTS, things)
    for role in (EVERYBODY | {"stranger"}) - {"admin"}:
        browser = sign_in(role)
        assert {browser.get(url).status_code for url in gets} == {403}, role
        assert {browser.post(url).status_code for url in posts} == {403}, role
        assert reverse("developers") not in browser.get("/").content.decode()
    browser = sign_in("admin")
    assert {url: browser.get(url).status_code for url in gets} == dict.fromkeys(gets, 200)
    assert {browser.get(url).status_code for url in posts} == {405}
    assert reverse("developers") in browser.get("/").content.decode()


def test_who_has_not_signed_in_is_sent_to_the_sign_in_page(gets, client):
    assert {client.get(url).url.partition("?")[0] for url in gets} == {"/accounts/login/"}


def test_they_have_nothing_that_the_csp_forbids_and_ask_no_other_host(gets, sign_in):
    browser = sign_in("admin")
    assert not [url for url in gets if FORBIDDEN.findall(browser.get(url).content.decode())]


def test_an_empty_installation_says_what_each_is_for(sign_in):
    shown = sign_in("admin").get(reverse("developers")).content.decode()
    for words in ("No system uses the API yet", "The door is shut", "Nobody is told of anything yet"):
        assert words in shown


def test_many_rows_take_no_more_queries_than_one(things, admin, connection, sign_in):
    browser = sign_in("admin")
    pages = [
        reverse("developers"), address("door_client_detail", things["desk"]),
        address("webhook_detail", things["endpoint"]), address("api_client_detail", things["shop"]),
    ]  # fmt: skip

    def asked() -> list[int]:
        many = []
        for url in pages:
            with CaptureQueriesContext(database) as queries:
                assert browser.get(url).status_code == 200
            many.append(len(queries))
        return many

    call(things["desk"], make_contact())
    asked()
    few = asked()
    now = db_now()
    for place in range(6):
        more = create_client(name=f"System {place}", scopes=["send"], owner=admin, user=admin, now=now)
        add_key(client=more, user=admin, now=now)
        create_door_client(
            name=f"Desk {place}", connection=connection, owner=admin, allowed_peers=["::1"], user=admin, now=now
        )
        create_endpoint(url=RECEIVER, event_types=["connection.state"], owner=admin, now=now)
        happen(connection, admin)
        call(things["desk"], make_contact())
    for delivery in things["endpoint"].deliveries.all():
        delivery.attempts.create(at=now, status=503, ms=1)
    assert asked() == few


def call(desk, contact) -> None:
    take_call(client=desk, wish=Wish(contact.msisdn, Channel.WHATSAPP, [contact.msisdn], "Salam."), now=db_now())
