import re

import pytest
from django.urls import reverse

from messaging.clock import db_now
from messaging.models import AuditEvent, Campaign, DeliveryNotice, Outcome
from tests.factories import make_contact, make_mt, make_raw, make_request, make_running_campaign
from tests.web.test_pages import FORBIDDEN

pytestmark = pytest.mark.django_db


@pytest.fixture
def lost(connection):
    """A request for two people whose answer never came."""
    rows = [make_mt(connection=connection, contact=make_contact(name=name)) for name in ("Aminah", "Tan")]
    return make_request(rows, error="no answer within 40 s")


def address(request, act):
    return reverse("unknown_act", args=[request.public_id, act])


def states(request):
    return [row.message.send_state for row in request.recipients.select_related("message").order_by("position")]


def test_with_nothing_unknown_the_page_says_so(sign_in):
    shown = sign_in("approver").get(reverse("unknown_list")).content.decode()
    assert "Nothing is unknown" in shown
    assert "every notification found its message" in shown


def test_our_own_limit_is_said_in_words_that_say_whose_it_is(connection, sign_in):
    make_request([make_mt(connection=connection)], error="deadline passed")
    shown = sign_in("approver").get(reverse("unknown_list")).content.decode()
    assert "The provider did not answer within the time that we give it." in shown
    assert "eadline" not in shown


def test_each_lost_request_is_listed_with_its_people_text_and_cause(lost, sign_in):
    shown = sign_in("approver").get(reverse("unknown_list")).content.decode()
    for words in ("2 people", "Aminah", "Tan", "No answer within 40 s.", "The provider may have it.", "Hello"):
        assert words in shown


def test_a_code_of_the_providers_is_shown_in_words(connection, sign_in):
    make_request([make_mt(connection=connection)], code="500", error="code 500 without a ref")
    shown = sign_in("approver").get(reverse("unknown_list")).content.decode()
    assert "The provider failed while it handled the request" in shown
    assert "without a ref" not in shown.lower()


@pytest.mark.parametrize(
    ("role", "judges"), [("approver", True), ("admin", True), ("composer", False), ("viewer", False)]
)
def test_who_may_not_decide_is_told_who_may(role, judges, lost, sign_in):
    client = sign_in(role)
    shown = client.get(reverse("unknown_list")).content.decode()
    assert ("Send again…" in shown) is judges
    assert ("An approver or an administrator decides." in shown) is not judges
    assert (client.post(address(lost, "again")).status_code == 302) is judges
    assert states(lost) == (["queued"] * 2 if judges else ["unknown"] * 2)


@pytest.mark.parametrize(
    ("act", "after"),
    [("wait", ["unknown"] * 2), ("sent", ["accepted"] * 2), ("never", ["cancelled"] * 2), ("again", ["queued"] * 2)],
)
def test_a_decision_asks_first_and_is_written_down(act, after, lost, users, sign_in):
    client = sign_in("approver")
    assert "This is about 2 people." in client.get(address(lost, act)).content.decode()
    assert states(lost) == ["unknown"] * 2
    client.post(address(lost, act))
    assert states(lost) == after
    assert AuditEvent.objects.filter(actor=users["approver"], subject_type="message").count() == 2


def test_sending_again_names_the_risk(lost, sign_in):
    assert "the same message twice" in sign_in("approver").get(address(lost, "again")).content.decode()


def test_saying_that_it_never_arrived_names_what_may_prove_otherwise(lost, sign_in):
    shown = sign_in("approver").get(address(lost, "never")).content.decode()
    assert "counts as cancelled" in shown
    assert "a late delivery notification may still prove otherwise" in shown


def test_what_was_settled_meanwhile_is_not_decided_again(lost, sign_in):
    client = sign_in("approver")
    client.post(address(lost, "sent"))
    again = client.post(address(lost, "again"), follow=True)
    assert "None of them is unknown any more." in again.content.decode()
    assert states(lost) == ["accepted"] * 2


def test_only_those_of_a_request_that_are_unknown_are_decided(lost, sign_in):
    first = lost.recipients.get(position=0)
    first.outcome = Outcome.ACCEPTED
    first.save()
    first.message.send_state = "accepted"
    first.message.save()
    sign_in("approver").post(address(lost, "again"))
    assert states(lost) == ["accepted", "queued"]


@pytest.fixture
def broken(connection):
    return make_mt(connection=connection, contact=make_contact(name="Farid"), send_state="stuck", claims_lost=3)


def stuck_address(message, act):
    return reverse("stuck_act", args=[message.public_id, act])


@pytest.mark.parametrize(
    ("role", "judges"), [("approver", True), ("admin", True), ("composer", False), ("viewer", False)]
)
def test_stuck_messages_are_listed_and_decided_by_those_who_may(role, judges, broken, sign_in):
    client = sign_in(role)
    shown = client.get(reverse("unknown_list")).content.decode()
    assert "Messages that broke their worker three times" in shown
    assert "Farid" in shown
    assert ("Try again, alone" in shown) is ("Give up…" in shown) is judges
    client.post(stuck_address(broken, "again"))
    broken.refresh_from_db()
    assert (broken.send_state, broken.alone) == (("queued", True) if judges else ("stuck", False))


@pytest.mark.parametrize(
    ("act", "after", "words"), [("again", "queued", "alone"), ("give-up", "cancelled", "cancelled")]
)
def test_a_decision_about_a_stuck_message_asks_first_and_is_written_down(act, after, words, broken, users, sign_in):
    client = sign_in("approver")
    assert words in client.get(stuck_address(broken, act)).content.decode()
    broken.refresh_from_db()
    assert broken.send_state == "stuck"
    assert "Decided for 1 person." in client.post(stuck_address(broken, act), follow=True).content.decode()
    broken.refresh_from_db()
    assert broken.send_state == after
    assert AuditEvent.objects.filter(actor=users["approver"], subject_type="message").count() == 1


def test_what_is_not_stuck_any_more_is_said_in_words(broken, sign_in):
    client = sign_in("approver")
    client.post(stuck_address(broken, "give-up"), follow=True)
    answer = client.post(stuck_address(broken, "again"), follow=True).content.decode()
    assert "This message is not stuck any more." in answer
    assert "Decided" not in answer
    assert client.post(stuck_address(broken, "explode")).status_code == 404


def test_a_refusal_that_concerns_many_is_said_once(connection, sign_in):
    campaign = make_running_campaign(connection, [make_contact() for _ in range(3)])
    rows = list(campaign.messages.all())
    for row in rows:
        row.lane = "template"
    request = make_request(rows)
    Campaign.objects.update(state="cancelled")
    answer = sign_in("approver").post(address(request, "again"), follow=True).content.decode()
    assert answer.count("Its campaign was cancelled; nothing of it is sent again.") == 1
    assert states(request) == ["unknown"] * 3


def test_the_navigation_and_the_dashboard_count_what_waits_for_a_decision(lost, broken, sign_in):
    dashboard = sign_in("approver").get(reverse("dashboard")).content.decode()
    assert "3 messages to decide about" in dashboard
    assert "2 messages are unknown" in dashboard
    assert "1 message is stuck" in dashboard


def test_of_one_campaign_only_its_own_stuck_messages_are_listed(connection, broken, sign_in):
    campaign = make_running_campaign(connection, [make_contact(name="Devi")])
    campaign.messages.update(send_state="stuck")
    shown = sign_in("approver").get(reverse("unknown_list"), {"campaign": campaign.public_id}).context["stuck"]
    assert [message.contact.name for message in shown] == ["Devi"]


def test_an_act_that_does_not_exist_is_not_found(lost, sign_in):
    assert sign_in("approver").post(address(lost, "explode")).status_code == 404


@pytest.mark.parametrize("campaign", ["nonsense", "2b1d6a3e-0000-0000-0000-000000000000"])
def test_a_campaign_that_is_none_shows_all(campaign, lost, sign_in):
    page = sign_in("approver").get(reverse("unknown_list"), {"campaign": campaign}).context["page"]
    assert page.rows == [lost]


def test_notifications_without_a_message_are_listed_with_what_is_odd(connection, sign_in):
    raw = make_raw(connection, "dn")
    fields = {"status": "DELIVERED", "error_code": "501", "msgid": "17.1-0", "flag": "ambiguous_ref"}
    DeliveryNotice.objects.create(raw=raw, connection=connection, received_at=db_now(), **fields)
    shown = sign_in("approver").get(reverse("unknown_list")).content.decode()
    assert "17.1-0" in shown
    assert "Its reference belongs to more than one request." in shown


def test_the_list_asks_the_same_number_of_questions_for_one_request_and_for_many(
    connection, lost, sign_in, django_assert_max_num_queries
):
    client = sign_in("approver")
    make_mt(connection=connection, send_state="stuck")
    client.get(reverse("unknown_list"))
    with django_assert_max_num_queries(40) as few:
        client.get(reverse("unknown_list"))
    for _more in range(10):
        make_request([make_mt(connection=connection)])
        make_mt(connection=connection, send_state="stuck")
    with django_assert_max_num_queries(len(few)):
        client.get(reverse("unknown_list"))


def test_the_page_carries_nothing_that_the_csp_forbids(lost, broken, sign_in):
    shown = sign_in("approver").get(reverse("unknown_list")).content.decode()
    assert not FORBIDDEN.findall(shown)
    ids = re.findall(r'\sid="([^"]+)"', shown)
    assert len(ids) == len(set(ids))
