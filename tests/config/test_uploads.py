"""Who may fill the machine's disk with an upload: nobody who has not signed in."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.test import Client
from django.urls import reverse

from tests.factories import make_user

pytestmark = pytest.mark.django_db
LARGE = 3_000_000


@pytest.fixture
def kept(monkeypatch):
    """Bytes that went to the disk, one entry a chunk."""
    chunks, keep = [], TemporaryFileUploadHandler.receive_data_chunk

    def receive(handler, raw_data, start):
        chunks.append(len(raw_data))
        return keep(handler, raw_data, start)

    monkeypatch.setattr(TemporaryFileUploadHandler, "receive_data_chunk", receive)
    return chunks


def upload(client, url, size=LARGE):
    form = {"csrfmiddlewaretoken": "x" * 32, "file": SimpleUploadedFile("people.csv", b"name,phone\n" + b"a" * size)}
    return client.post(url, form)


@pytest.mark.parametrize("name", ["account_login", "contact_import"])
def test_a_strangers_large_body_is_refused_before_a_byte_is_kept(kept, name):
    client = Client(enforce_csrf_checks=True)
    client.get(reverse("account_login"))
    assert upload(client, reverse(name)).status_code == 400
    assert kept == []


def test_a_signed_in_user_sends_large_files_to_the_import_alone(kept):
    client = Client()
    client.force_login(make_user(role="composer"))
    assert upload(client, reverse("account_login")).status_code == 400
    assert kept == []
    assert upload(client, reverse("contact_import")).status_code == 422, "read, and refused for what it says"
    assert sum(kept) > LARGE


def test_the_import_has_its_limit_too(kept, settings):
    settings.IMPORT_MAX_BYTES = LARGE
    client = Client()
    client.force_login(make_user(role="composer"))
    assert upload(client, reverse("contact_import"), 2 * LARGE).status_code == 400
    assert kept == []
