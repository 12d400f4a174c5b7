import pytest
from django.urls import reverse

from contacts.models import Contact
from messaging import reports
from messaging.models import Message
from tests.factories import make_approved_campaign, make_approved_version, make_contact, make_draft, make_list

pytestmark = pytest.mark.django_db
NUMBER, DIGITS = "012-324 0066", "60123240066"


@pytest.fixture
def siti():
    return make_contact(name="Siti", fields={"clinic": "Klang"})


@pytest.fixture
def campaign(connection, siti):
    version = make_approved_version("Dear {{name}}, see you at {{clinic}}")
    return make_approved_campaign(connection, [siti], template_version=version, session_text="")


def url(campaign, name="campaign_test"):
    return reverse(name, args=[campaign.public_id])


def test_a_test_goes_to_a_number_with_a_recipients_values_and_is_marked_in_the_timeline(campaign, siti, sign_in):
    before = reports.tally(campaign)
    line = campaign.messages.get()
    answer = sign_in("composer").post(url(campaign), {"number": NUMBER, "person": line.public_id}, follow=True)
    assert "The test is on its way" in answer.content.decode()
    test = Message.objects.get(test_of=campaign)
    assert (test.contact.msisdn, test.campaign, test.send_state) == (DIGITS, None, "queued")
    assert reports.tally(campaign) == before
    timeline = sign_in("composer").get(reverse("contact_detail", args=[test.contact.public_id])).content.decode()
    assert "bubble__test" in timeline
    assert "Dear Siti, see you at Klang" in timeline


def test_without_a_recipient_it_carries_the_values_of_whoever_gets_it(campaign, sign_in):
    make_contact(DIGITS, name="Me", fields={"clinic": "Shah Alam"})
    sign_in("composer").post(url(campaign), {"number": NUMBER})
    assert Message.objects.get(test_of=campaign).variables == {}


def test_what_the_rule_would_stop_is_said_in_the_form_and_leaves_no_trace(campaign, sign_in):
    answer = sign_in("composer").post(url(campaign), {"number": NUMBER})
    assert answer.status_code == 422
    assert "name" in answer.content.decode()
    assert not Message.objects.filter(test_of=campaign).exists()
    assert not Contact.objects.filter(msisdn=DIGITS).exists()


@pytest.mark.parametrize(
    "typed", [{"number": "12"}, {"number": ""}, {"number": NUMBER, "person": "nobody"}, {"number": "0\x00"}]
)
def test_what_was_typed_wrong_is_said_beside_it(typed, campaign, sign_in):
    assert sign_in("composer").post(url(campaign), typed).status_code == 422


def test_people_of_another_campaign_lend_nothing(campaign, connection, sign_in):
    stranger = make_approved_campaign(connection, [make_contact(name="Tan")]).messages.get()
    answer = sign_in("composer").post(url(campaign), {"number": NUMBER, "person": stranger.public_id})
    assert answer.status_code == 422
    assert "Tan" not in answer.content.decode()


def test_somebody_further_down_is_offered_once_chosen(campaign, siti, sign_in, monkeypatch):
    monkeypatch.setattr("messaging.web.campaigns.trial.OFFERED", 0)
    client, line = sign_in("composer"), campaign.messages.get()
    assert "Siti" not in client.get(url(campaign)).content.decode()
    assert "Siti" in client.get(url(campaign), {"person": line.public_id}).content.decode()


def test_a_draft_is_not_tested_before_somebody_else_approved_it(connection, siti, sign_in):
    draft = make_draft(connection, [make_list([siti])])
    answer = sign_in("composer").post(url(draft), {"number": NUMBER})
    assert answer.status_code == 422
    assert "approve" in answer.content.decode()
    assert url(draft) not in sign_in("composer").get(url(draft, "campaign_detail")).content.decode()


@pytest.mark.parametrize(("role", "offered"), [("composer", True), ("approver", True), ("viewer", False)])
def test_only_who_may_start_a_campaign_may_test_it(role, offered, campaign, sign_in):
    client = sign_in(role)
    assert (url(campaign) in client.get(url(campaign, "campaign_detail")).content.decode()) is offered
    assert client.get(url(campaign)).status_code == (200 if offered else 403)
