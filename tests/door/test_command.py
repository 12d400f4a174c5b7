from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from messaging.doorkeeping import sign_in
from messaging.models import DoorClient
from tests.factories import make_connection, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def admin():
    return make_user("boss", role="admin")


def create(*options: str) -> tuple[str, str]:
    said, warned = StringIO(), StringIO()
    call_command("create_door_client", "--name", "Old shop", *options, stdout=said, stderr=warned)
    return said.getvalue(), warned.getvalue()


def test_it_prints_a_pair_that_opens_the_door_and_nothing_else(admin):
    connection = make_connection()
    said, warned = create("--mode", "observe", "--allow", "203.0.113.0/24", "--allow", "2001:db8::1")
    app_key, app_secret = said.split()
    client = sign_in(app_key, app_secret).client
    assert said == f"{app_key} {app_secret}\n"
    assert not warned
    assert (client.name, client.mode, client.connection, client.owner) == ("Old shop", "observe", connection, admin)
    assert client.allowed_peers == ["203.0.113.0/24", "2001:db8::1/128"]


def test_without_an_address_only_this_machine_may_call_and_it_says_so():
    make_connection()
    _said, warned = create()
    assert "only this machine" in warned
    assert DoorClient.objects.get().allowed_peers == ["127.0.0.0/8", "::1/128"]
    assert DoorClient.objects.get().mode == "enforce"


def test_its_notices_go_to_the_addresses_that_were_named():
    make_connection()
    create("--dn-url", "https://192.0.43.8/dn", "--mo-url", "https://192.0.43.8/mo")
    endpoints = DoorClient.objects.get().endpoints.values_list("format", "url")
    assert set(endpoints) == {("door_dn", "https://192.0.43.8/dn"), ("door_mo", "https://192.0.43.8/mo")}


def test_the_connection_is_named_where_there_are_several():
    make_connection(name="One")
    two = make_connection(name="Two")
    with pytest.raises(CommandError, match="several"):
        create()
    create("--connection", "Two")
    assert DoorClient.objects.get().connection == two


@pytest.mark.parametrize(
    "options",
    [["--allow", "everybody"], ["--connection", "Nowhere"], ["--owner", "nobody"], ["--dn-url", "http://127.0.0.1/"]],
)
def test_a_wrong_option_makes_nothing(options):
    make_connection()
    with pytest.raises(CommandError):
        create(*options)
    assert not DoorClient.objects.exists()
