"""One person in a campaign."""

import pytest
from django.urls import reverse

from contacts import consent
from messaging.clock import db_now
from tests.factories import make_contact, make_list, make_user
from tests.web.campaigns.steps import page, settle, url, write

pytestmark = pytest.mark.django_db


def planned(client, campaign, person):
    return client.get(
        url(campaign, "campaign_person_planned", person.public_id),
        headers={"HX-Request": "true", "HX-Target": "sheet"},
    ).content.decode()


def test_one_persons_steps_are_told_in_words(running, sign_in):
    settle(running, delivered=1)
    row = running.messages.filter(delivery_state="delivered").get()
    shown = sign_in("viewer").get(url(running, "campaign_person", row.public_id)).content.decode()
    assert "They wrote to us within 24 hours" in shown
    assert "Handed to the provider" in shown


def test_what_happened_is_told_only_where_it_is_not_what_was_planned(running, sign_in):
    settle(running, delivered=1)
    row = running.messages.filter(delivery_state="delivered").get()
    address = url(running, "campaign_person", row.public_id)
    client = sign_in("viewer")
    assert "<dt>Decided</dt><dd>as planned</dd>" in client.get(address).content.decode()
    running.messages.filter(pk=row.pk).update(lane="session", planned_lane="template")
    shown = client.get(address).content.decode()
    assert "<dt>Decided</dt><dd>Free text" in shown
    assert "as planned" not in shown


def test_a_message_of_another_campaign_is_not_found(running, draft, sign_in):
    row = running.messages.first()
    other = write(make_user("other", "composer"), running.connection, [])
    assert sign_in("viewer").get(url(other, "campaign_person", row.public_id)).status_code == 404


def test_a_person_of_a_draft_opens_in_the_dialog_with_their_text(draft, people, sign_in):
    client = sign_in("composer")
    shown = page(client, draft)
    assert f'hx-get="{url(draft, "campaign_person_planned", people[0].public_id)}" hx-target="#sheet"' in shown
    assert "Hi Aminah, see you on Saturday?" in planned(client, draft, people[0])
    assert "<html" not in planned(client, draft, people[0])
    assert "<html" in client.get(url(draft, "campaign_person_planned", people[0].public_id)).content.decode()


def test_a_number_that_does_not_work_on_another_channel_is_told(users, connection, sign_in):
    person = make_contact(name="Syafiq", whatsapp_bad_at=db_now())
    texts = {"session_text": "", "template_version": None, "sms_text": "Hi"}
    campaign = write(users["composer"], connection, [make_list([person])], **texts)
    assert "Number does not work on WhatsApp" in planned(sign_in("composer"), campaign, person)


def test_whoever_would_be_skipped_is_told_why_and_what_could_change_it(draft, people, sign_in):
    shown = planned(sign_in("composer"), draft, people[3])
    assert "They would be skipped: They are opted out of every way in which this could go." in shown
    assert "only if they themselves agree to messages again" in shown


def test_somebody_outside_the_lists_has_no_line_in_the_draft(draft, sign_in):
    stranger = make_contact(name="Stranger")
    address = url(draft, "campaign_person_planned", stranger.public_id)
    assert sign_in("composer").get(address).status_code == 404


def test_a_dialog_asked_for_after_it_was_submitted_shows_the_line_of_the_plan(in_review, people, sign_in):
    answer = sign_in("composer").get(url(in_review, "campaign_person_planned", people[3].public_id), follow=True)
    assert "They will be skipped: They are opted out of every way in which this could go." in answer.content.decode()


def test_a_dialog_says_what_they_are_opted_out_of_though_another_way_is_left(draft, people, sign_in):
    """Opted out of WhatsApp, they get the SMS: whoever approves that can see why."""
    consent.opt_out(contact=people[0], source="notice", channel="whatsapp", words="561", now=db_now())
    client = sign_in("approver")
    address = reverse("campaign_person_planned", args=[draft.public_id, people[0].public_id])
    assert "Not on WhatsApp: opted out of it" in client.get(address).content.decode()
    other = reverse("campaign_person_planned", args=[draft.public_id, people[1].public_id])
    assert "May we write?" not in client.get(other).content.decode()
