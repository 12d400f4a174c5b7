from datetime import UTC, datetime

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.test import RequestFactory

from contacts import consent
from contacts.directory import upsert_contact
from contacts.models import ConsentEvent, Contact, ContactImport, Suppression

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@pytest.fixture
def request_by_superuser(rf: RequestFactory):
    request = rf.get("/")
    request.user = get_user_model().objects.create_superuser("root")
    return request


@pytest.mark.parametrize("model", [ConsentEvent, Suppression, ContactImport])
def test_history_can_be_read_but_not_changed_even_by_a_superuser(request_by_superuser, model):
    page = admin.site.get_model_admin(model)
    assert page.has_view_permission(request_by_superuser)
    assert not page.has_add_permission(request_by_superuser)
    assert not page.has_change_permission(request_by_superuser)
    assert not page.has_delete_permission(request_by_superuser)


def test_a_persons_addresses_are_read_only(request_by_superuser):
    page = admin.site.get_model_admin(Contact)
    assert {"msisdn", "wa_id"} <= set(page.get_readonly_fields(request_by_superuser))
    assert not page.has_delete_permission(request_by_superuser)


@pytest.mark.parametrize("model", ["contact", "consentevent", "suppression", "contactimport", "contactlist"])
def test_lists_open_with_rows_in_them(admin_client, model):
    contact, _ = upsert_contact(msisdn="60123240066", name="Aishah")
    consent.opt_out(contact=contact, source="person", words="STOP", now=NOON)
    assert admin_client.get(f"/admin/contacts/{model}/").status_code == 200


def test_people_are_found_by_number_and_by_name(admin_client):
    upsert_contact(msisdn="60123240066", name="Aishah")
    upsert_contact(msisdn="60133240066", name="Bala")
    for words in ("3240066", "aish"):
        page = admin_client.get("/admin/contacts/contact/", {"q": words}).content.decode()
        assert "Aishah" in page
    assert "Bala" not in page
