"""Every page of this package, for every role: who may see it, that it is whole, and that it keeps to the strict CSP."""

import re
from datetime import timedelta

import pytest
from django.db import connection as database
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contacts.models import ContactImport
from messaging.clock import db_now
from messaging.models import Incident, Template
from tests.factories import make_contact, make_conversation, make_list, make_version

pytestmark = pytest.mark.django_db
EVERYBODY = {"viewer", "composer", "approver", "agent", "admin"}
NO_ARGUMENTS = {
    "dashboard": EVERYBODY | {"stranger"},
    "styleguide": EVERYBODY | {"stranger"},
    "dashboard_running": EVERYBODY,
    "contact_list": EVERYBODY,
    "contact_new": {"composer", "admin"},
    "contact_import": {"composer", "admin"},
    "list_list": EVERYBODY,
    "list_new": {"composer", "admin"},
    "template_list": EVERYBODY,
    "template_new": {"composer", "admin"},
    "review_queue": EVERYBODY,
    "connection_list": EVERYBODY,
    "connection_codes": EVERYBODY,
    "connection_new": {"admin"},
}
OF_A_THING = {
    "contact_detail": EVERYBODY,
    "contact_edit": {"composer", "agent", "admin"},
    "contact_lists": {"composer", "admin"},
    "contact_opt_out": {"agent", "admin"},
    "contact_opt_in": {"agent", "admin"},
    "list_edit": {"composer", "admin"},
    "import_detail": EVERYBODY,
    "import_columns": {"composer", "admin"},
    "import_bad_rows": {"composer", "admin"},
    "template_detail": EVERYBODY,
    "template_edit": {"composer", "admin"},
    "template_retire": {"composer", "admin"},
    "version_review": EVERYBODY,
    "version_confirm": {"approver", "admin"},
    "connection_detail": EVERYBODY,
    "connection_edit": {"admin"},
    "connection_rotate": {"admin"},
    "connection_pause": {"admin"},
    "connection_thaw": {"admin"},
}
POSTS = {
    "contact_reachable": {"composer", "agent", "admin"},
    "import_discard": {"composer", "admin"},
    "import_settle": {"composer", "admin"},
    "template_submit": {"composer", "admin"},
    "template_preview": {"composer", "admin"},
    "version_approve": {"approver", "admin"},
    "version_return": {"approver", "admin"},
    "connection_test": {"admin"},
    "connection_resume": {"admin"},
}
OTHER_ANSWERS = {"import_bad_rows": (200, 404), "import_columns": (302,)}  # of one that runs
FORBIDDEN = re.compile(
    r"""\sstyle=|<style|\son\w+=|hx-on|<script(?![^>]*\ssrc=)|javascript:|\s(?:src|href|action)="(?:https?:)?//""",
    re.IGNORECASE,
)


@pytest.fixture
def things(users, connection, settings, tmp_path):
    """One of everything, with what the pages show of it."""
    settings.MEDIA_ROOT = tmp_path
    contact = make_contact(name="Aminah", fields={"district": "Klang"}, whatsapp_bad_at=db_now())
    make_conversation(contact, connection, last_mo_at=db_now() - timedelta(hours=1))
    Incident.objects.create(connection=connection, kind=Incident.Kind.NO_CREDIT, code="402", opened_at=db_now())
    version = make_version("Hello {{name}}", samples={"name": "Aminah"}, author=users["composer"])
    imported = ContactImport.objects.create(file="imports/a.csv", file_name="a.csv", rows=2, state="running")
    return {
        "contact": contact.public_id,
        "list": make_list([contact]).public_id,
        "import": imported.public_id,
        "template": version.template.public_id,
        "version": version.public_id,
        "connection": connection.public_id,
    }


def address(name, things):
    if name in NO_ARGUMENTS or name == "template_preview":
        return reverse(name)
    arguments = [things[name.split("_")[0]]]
    if name == "contact_reachable":
        arguments.append("whatsapp")
    if name == "version_confirm":
        arguments.append(things["connection"])
    return reverse(name, args=arguments)


@pytest.mark.parametrize(("name", "allowed"), [*NO_ARGUMENTS.items(), *OF_A_THING.items()])
def test_a_page_opens_for_its_roles_and_refuses_the_others_in_words(name, allowed, things, sign_in):
    for role in EVERYBODY | {"stranger"}:
        answer = sign_in(role).get(address(name, things))
        if role in allowed:
            assert answer.status_code in OTHER_ANSWERS.get(name, (200,)), role
        else:
            assert answer.status_code == 403, role
            assert "Your role does not include this" in answer.content.decode()


@pytest.mark.parametrize(("name", "allowed"), POSTS.items())
def test_an_act_refuses_the_roles_that_it_is_not_for(name, allowed, things, sign_in):
    for role in (EVERYBODY | {"stranger"}) - allowed:
        assert sign_in(role).post(address(name, things)).status_code == 403, role


@pytest.mark.parametrize("name", [*NO_ARGUMENTS, *OF_A_THING, *POSTS])
def test_a_stranger_is_sent_to_the_sign_in_page(name, things, client):
    answer = client.post(address(name, things)) if name in POSTS else client.get(address(name, things))
    expected = 405 if name in POSTS and answer.status_code == 405 else 302
    assert answer.status_code == expected
    assert answer.url.startswith("/accounts/login/?next=/")


@pytest.mark.parametrize("name", POSTS)
def test_an_act_is_no_link(name, things, sign_in):
    assert sign_in("admin").get(address(name, things)).status_code == 405


def test_an_htmx_poll_after_the_session_ended_leads_to_the_sign_in_page(client, db):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/contacts/"}
    answer = client.get(reverse("dashboard_running"), headers=headers)
    assert answer["HX-Redirect"] == "/accounts/login/?next=/contacts/"


@pytest.mark.parametrize("name", NO_ARGUMENTS)
def test_a_page_opens_on_an_empty_database(name, sign_in):
    assert sign_in("admin").get(reverse(name)).status_code == 200


@pytest.mark.parametrize("name", [name for name in [*NO_ARGUMENTS, *OF_A_THING] if name not in OTHER_ANSWERS])
def test_a_page_has_nothing_that_the_csp_forbids_and_asks_no_other_host(name, things, sign_in):
    answer = sign_in("admin").get(address(name, things))
    assert not FORBIDDEN.findall(answer.content.decode())
    assert "unsafe" not in answer["Content-Security-Policy"]


@pytest.mark.parametrize("name", [name for name in NO_ARGUMENTS if name != "dashboard_running"])
def test_a_page_can_be_walked_with_a_keyboard_and_a_screen_reader(name, things, sign_in):
    page = sign_in("admin").get(reverse(name)).content.decode()
    assert page.index('class="skip-link" href="#main"') < page.index("<header")
    assert page.count("<h1") <= 1
    assert page.count('id="main"') == page.count("<main") == 1
    labelled = set(re.findall(r'<label[^>]*for="([^"]+)"', page))
    boxes = re.findall(r'<(?:input|select|textarea)(?![^>]*type="(?:hidden|checkbox|radio)")[^>]*id="([^"]+)"', page)
    assert set(boxes) <= labelled
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_the_navigation_counts_what_waits_for_this_user(things, sign_in):
    page = sign_in("approver").get(reverse("contact_list")).content.decode()
    assert "1 waits for your decision" in page
    assert "1 open incident" in page
    assert "waits for your decision" not in sign_in("composer").get(reverse("contact_list")).content.decode()


def test_who_may_decide_unknowns_finds_them_in_the_navigation(sign_in):
    assert reverse("unknown_list") in sign_in("approver").get("/").content.decode()
    assert reverse("unknown_list") not in sign_in("composer").get("/").content.decode()


def test_signing_in_works_with_the_documented_fields(client, db, django_user_model):
    django_user_model.objects.create_user("farid", password="a-long-password")
    answer = client.post("/accounts/login/", {"login": "farid", "password": "a-long-password"})
    assert (answer.status_code, answer.url) == (302, "/")


def test_a_wrong_password_is_said_on_the_sign_in_page(client, db):
    answer = client.post("/accounts/login/", {"login": "farid", "password": "wrong"})
    assert answer.status_code == 200
    assert "not correct" in answer.content.decode()


@pytest.mark.parametrize(("path", "status", "words"), [("/nowhere/", 404, "nothing at this address")])
def test_what_is_not_there_is_said_in_words(path, status, words, client, db):
    answer = client.get(path)
    assert answer.status_code == status
    assert words in answer.content.decode()


def test_a_page_with_many_rows_asks_no_more_of_the_database_than_one_with_few(sign_in, connection):
    def asked(client, name):
        with CaptureQueriesContext(database) as queries:
            client.get(reverse(name))
        return len(queries)

    client = sign_in("admin")
    names = ("contact_list", "list_list", "template_list", "review_queue", "connection_list", "dashboard")
    for name in names:
        client.get(reverse(name))  # permissions, content types
    make_version("Hello {{name}}")
    make_list([make_contact()])
    few = {name: asked(client, name) for name in names}
    for _each in range(12):
        make_version("Hello {{name}}")
        contact = make_contact()
        make_list([contact])
        make_conversation(contact, connection, last_mo_at=db_now(), unread=1)
    assert {name: asked(client, name) for name in names} == few
    assert Template.objects.count() == 13


def test_the_page_for_our_own_failures_needs_nothing_but_itself(db):
    page = render_to_string("500.html")
    assert "Something broke on our side" in page
    assert not FORBIDDEN.findall(page)


@pytest.mark.parametrize(
    "name",
    [
        "account_login",
        "account_logout",
        "account_change_password",
        "mfa_index",
        "mfa_activate_totp",
    ],
)
def test_the_pages_of_an_account_wear_the_frame(name, client, users):
    users["agent"].set_password("a-long-password")
    users["agent"].save()
    if name != "account_login":
        client.post(reverse("account_login"), {"login": "agent", "password": "a-long-password"})
    answer = client.get(reverse(name), follow=True)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "css/tokens.css" in page
    assert "</main>" in page
    assert not FORBIDDEN.findall(page.replace('src="data:', 'src="'))
