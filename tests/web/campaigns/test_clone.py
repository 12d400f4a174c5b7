"""A campaign, whatever became of it, makes a new draft."""

from datetime import time, timedelta

import pytest
from django.urls import reverse

from messaging.audit import history
from messaging.clock import db_now
from messaging.models import Campaign
from tests.factories import make_contact, make_draft, make_list, make_running_campaign

pytestmark = pytest.mark.django_db


def clone(client, campaign):
    """The draft that pressing the button makes."""
    client.post(reverse("campaign_clone", args=[campaign.public_id]))
    return Campaign.objects.exclude(pk=campaign.pk).latest("pk")


def lists(campaign):
    return set(campaign.audience.values_list("contact_list", "excluded"))


def test_a_copy_has_the_texts_lists_purpose_and_quiet_hours(connection, sign_in):
    fields = {"sms_text": "SMS {{name}}", "purpose": "marketing", "until_reply": True}
    hours = {"quiet_from": time(21), "quiet_to": time(8), "time_zone": "Asia/Kuching"}
    original = make_draft(connection, [make_list([make_contact()])], **fields, **hours)
    original.audience.create(contact_list=make_list(), excluded=True)
    copy = clone(sign_in("composer"), original)
    kept = ("connection", "session_text", "template_version", *fields, *hours)
    assert [getattr(copy, name) for name in kept] == [getattr(original, name) for name in kept]
    assert copy.name == f"Copy of {original.name}"
    assert lists(copy) == lists(original)


def test_a_copy_of_what_was_sent_is_a_draft_without_times_approvals_or_rows(connection, sign_in, users):
    now = db_now()
    original = make_running_campaign(connection, [make_contact()], send_at=now, not_after=now + timedelta(days=1))
    copy = clone(sign_in("composer"), original)
    assert (copy.state, copy.editor_ids) == (Campaign.State.DRAFT, [users["composer"].pk])
    alone = ("send_at", "not_after", "submitted_by", "approved_by", "launched_at", "plan_sealed_at", "texts_sha256")
    assert [getattr(copy, name) for name in alone] == [None] * len(alone)
    assert not copy.messages.exists()
    original.refresh_from_db()
    assert original.state == Campaign.State.RUNNING


def test_the_history_says_who_copied_which_campaign(connection, sign_in, users):
    original = make_draft(connection, [])
    event = history(clone(sign_in("composer"), original)).get()
    assert (event.actor, event.act) == (users["composer"], "campaign.cloned")
    assert event.detail == {"of": str(original.public_id)}


def test_a_name_as_long_as_can_be_is_copied(connection, sign_in):
    original = make_draft(connection, [])
    Campaign.objects.filter(pk=original.pk).update(name="x" * 120)
    original.refresh_from_db()
    assert clone(sign_in("composer"), original).name == f"Copy of {'x' * 112}"


@pytest.mark.parametrize(("role", "may"), [("viewer", False), ("agent", False), ("composer", True), ("admin", True)])
def test_the_button_is_there_for_those_who_write_campaigns(role, may, connection, sign_in):
    original, client = make_draft(connection, []), sign_in(role)
    address = reverse("campaign_clone", args=[original.public_id])
    assert (address in client.get(reverse("campaign_detail", args=[original.public_id])).content.decode()) is may
    assert (client.post(address).status_code == 302) is may
    assert client.get(address).status_code == 405
