"""Another try goes to those whom the first one did not reach, and to nobody whom any try reached or may yet."""

import threading

import pytest
from django.db import IntegrityError, connections, transaction

from contacts import consent
from messaging import campaigns, planning
from messaging.approval import approve_campaign
from messaging.audit import history
from messaging.clock import db_now
from messaging.failures import ToDo, failed_rows, failures
from messaging.models import Campaign, Message, Outcome
from messaging.sending.claim import Claim, Marks, claim
from messaging.sending.gate import gate
from tests.factories import (
    make_connection,
    make_contact,
    make_draft,
    make_list,
    make_request,
    make_running_campaign,
    make_user,
)

pytestmark = pytest.mark.django_db

SWITCHED_OFF, NO_SUCH_NUMBER, BANNED_TEXT, STOPPED, BUFFERED, HANDED_ON = "501", "505", "575", "571", "556", "20"


@pytest.fixture
def people():
    return [make_contact(name=name) for name in ("Aminah", "Bala", "Chong", "Devi", "Eng", "Farid")]


@pytest.fixture
def first(people):
    """A running campaign: everybody's message is accepted by the provider."""
    campaign = make_running_campaign(make_connection(), people)
    rows = list(campaign.messages.select_related("contact", "connection"))
    for row in rows:
        row.lane = "template"
    make_request(rows, ref="17.1", text="Dear")
    return campaign


def ends(campaign: Campaign, contact, state: str, code: str = "") -> None:
    campaign.messages.filter(contact=contact).update(delivery_state=state, error_code=code)


def retry(campaign: Campaign, to_do: ToDo = ToDo.LATER) -> Campaign:
    return campaigns.retry_campaign(campaign=campaign, to_do=to_do, user=make_user(), now=db_now())


def names(rows) -> set[str]:
    return set(rows.values_list("contact__name", flat=True))


def launched(draft: Campaign) -> Campaign:
    """On its way: its rows are queued or skipped."""
    campaigns.submit_campaign(campaign=draft, user=make_user(), now=db_now())
    planning.materialise(draft.pk, db_now())
    draft.refresh_from_db()
    approve_campaign(campaign=draft, user=make_user(), plan_hash=draft.plan_hash, now=db_now())
    campaigns.launch_campaign(campaign=draft, user=make_user(), now=db_now())
    campaigns.start_due(db_now())
    draft.refresh_from_db()
    return draft


def reasons(campaign: Campaign) -> dict[str, str]:
    return dict(campaign.messages.values_list("contact__name", "reason"))


def gated(campaign: Campaign) -> int:
    return gate(campaign.connection_id, claim(campaign.connection, limit=100, marks=Marks()), free=16).recipients


def claim_of(campaign: Campaign) -> Claim:
    claimed = claim(campaign.connection, limit=100, marks=Marks())
    assert claimed.ids == list(campaign.messages.values_list("pk", flat=True))
    return claimed


def test_every_failure_stands_once_under_what_is_to_be_done(first, people):
    codes = {"Aminah": SWITCHED_OFF, "Bala": SWITCHED_OFF, "Chong": NO_SUCH_NUMBER, "Devi": BANNED_TEXT, "Eng": ""}
    for contact in people[:5]:
        ends(first, contact, "undelivered", codes[contact.name])
    ends(first, people[5], "delivered")
    told = [(one.outcome, one.code, one.people, one.to_do.value) for one in failures(first)]
    assert told == [
        ("undelivered", "501", 2, "later"),
        ("undelivered", "", 1, "later"),
        ("undelivered", "505", 1, "number"),
        ("undelivered", "575", 1, "text"),
    ]
    assert names(failed_rows(first, ToDo.LATER)) == {"Aminah", "Bala", "Eng"}
    assert names(failed_rows(first, ToDo.TEXT)) == {"Devi"}
    assert not failed_rows(first, ToDo.ACCOUNT).exists()


def test_a_refused_message_stands_under_the_answer_that_refused_it_for_good(people):
    campaign = make_running_campaign(make_connection(), people[:3])
    rows = list(campaign.messages.order_by("contact__name").select_related("contact", "connection"))
    make_request(rows, outcome=Outcome.REFUSED, code="402", text="Dear")  # the account; they waited and went again
    make_request(rows[:1], outcome=Outcome.REFUSED, code="406", text="Dear")
    make_request(rows[1:], outcome=Outcome.REFUSED, code="400", text="Dear")
    assert [(one.code, one.people, one.to_do.value) for one in failures(campaign)] == [
        ("400", 2, "number"),
        ("406", 1, "text"),
    ]
    assert names(failed_rows(campaign, ToDo.TEXT)) == {"Aminah"}


def test_a_retry_is_a_draft_with_the_same_texts_for_those_alone(first, people):
    ends(first, people[0], "undelivered", SWITCHED_OFF)
    ends(first, people[1], "undelivered", NO_SUCH_NUMBER)
    ends(first, people[2], "delivered")
    user = make_user()
    draft = campaigns.retry_campaign(campaign=first, to_do=ToDo.LATER, user=user, now=db_now())
    assert (draft.state, draft.retry_of, draft.editor_ids) == ("draft", first, [user.pk])
    assert (draft.session_text, draft.template_version) == (first.session_text, first.template_version)
    assert draft.name == f"Try again: {first.name}"
    contact_list = draft.audience.get().contact_list
    assert contact_list.name == f"Not reached: {first.name}"
    assert set(contact_list.members.all()) == {people[0]}
    event = history(draft).get()
    assert (event.act, event.detail) == ("campaign.retried", {"of": str(first.public_id), "to_do": "later"})


@pytest.mark.parametrize(
    ("code", "to_do"),
    [
        (NO_SUCH_NUMBER, ToDo.NUMBER), (STOPPED, ToDo.ALONE),
        (BUFFERED, ToDo.WAIT), (HANDED_ON, ToDo.WAIT),  # the carrier still has it
    ],
)  # fmt: skip
def test_nobody_is_tried_again_for_whom_that_is_no_use(code, to_do, first, people):
    for contact in people:
        ends(first, contact, "undelivered", code)
    assert failed_rows(first, to_do).exists()
    with pytest.raises(campaigns.NobodyToRetry):
        retry(first, to_do)
    assert not first.retries.exists()


def test_a_person_is_in_one_open_retry_at_most(first, people):
    for contact in people[:2]:
        ends(first, contact, "undelivered", SWITCHED_OFF)
    draft = retry(first)
    with pytest.raises(campaigns.NobodyToRetry, match="in another try already"):
        retry(first)
    ends(first, people[2], "undelivered", SWITCHED_OFF)
    second = retry(first)
    assert set(second.audience.get().contact_list.members.all()) == {people[2]}
    assert second.audience.get().contact_list.name == f"Not reached: {first.name} (2)"
    campaigns.cancel_campaign(campaign=draft, user=make_user(), now=db_now())
    assert campaigns.left_by_to_do(first) == {ToDo.LATER: 2}


def test_a_retry_that_failed_can_be_tried_again_and_one_that_arrived_cannot(first, people):
    for contact in people[:2]:
        ends(first, contact, "undelivered", SWITCHED_OFF)
    second = launched(retry(first))
    assert gated(second) == 2
    Message.objects.filter(campaign=second).update(send_state="accepted", claim_token=None, lease_until=None)
    ends(second, people[0], "undelivered", SWITCHED_OFF)
    ends(second, people[1], "delivered")
    Campaign.objects.filter(pk=second.pk).update(state="finished")
    for campaign in (first, second):
        assert campaigns.left_by_to_do(campaign) == {ToDo.LATER: 1}
    third = retry(second)
    assert third.retry_of == first
    assert third.name == f"Try again: {first.name}"


def test_whom_the_first_try_reached_after_all_is_left_out_until_the_last_moment(first, people):
    for contact in people[:4]:
        ends(first, contact, "undelivered", SWITCHED_OFF)
    draft = retry(first)
    ends(first, people[0], "delivered")  # the last DN is the final one, also after "undelivered"
    (leaves, spared) = planning.forecast(campaign=draft, at=db_now())
    assert [(leaves.reason, leaves.people), (spared.reason, spared.people)] == [
        ("template_approved", 3),
        ("reached", 1),
    ]
    campaigns.submit_campaign(campaign=draft, user=make_user(), now=db_now())
    planning.materialise(draft.pk, db_now())
    draft.refresh_from_db()
    ends(first, people[1], "delivered")
    approve_campaign(campaign=draft, user=make_user(), plan_hash=draft.plan_hash, now=db_now())
    campaigns.launch_campaign(campaign=draft, user=make_user(), now=db_now())
    campaigns.start_due(db_now())
    ends(first, people[2], "none")  # nobody knows yet
    assert gated(draft) == 1
    assert reasons(draft) == {
        "Aminah": "reached", "Bala": "reached", "Chong": "reached", "Devi": "template_approved"
    }  # fmt: skip


def test_a_first_copy_that_may_still_arrive_leaves_nothing_to_try_again(first, people):
    """A person had an unknown sent a second time, and the second copy was not delivered."""
    row = first.messages.select_related("contact", "connection").get(contact=people[0])
    row.attempts.update(outcome=Outcome.UNKNOWN, superseded_at=db_now())
    row.alone = True
    row.save()
    make_request([row], ref="17.2", text="Dear")
    ends(first, people[0], "undelivered", SWITCHED_OFF)
    with pytest.raises(campaigns.NobodyToRetry):
        retry(first)
    by_hand = make_draft(first.connection, [make_list(people[:1])], retry_of=first)
    assert reasons(launched(by_hand)) == {"Aminah": "reached"}
    Campaign.objects.filter(pk=by_hand.pk).update(state="finished")
    assert not campaigns.left_by_to_do(first)
    row.attempts.filter(superseded_at__isnull=False).update(outcome=Outcome.NOT_SENT)  # a person found out
    assert campaigns.left_by_to_do(first) == {ToDo.LATER: 1}


def test_whoever_is_stuck_in_another_try_waits_for_a_person(first, people):
    ends(first, people[0], "undelivered", SWITCHED_OFF)
    second = launched(retry(first))
    Message.objects.filter(campaign=second).update(send_state="stuck")
    Campaign.objects.filter(pk=second.pk).update(state="finished")
    assert not campaigns.left_by_to_do(first)


def test_a_copy_of_a_retry_leaves_out_the_same_people(first, people):
    ends(first, people[0], "undelivered", SWITCHED_OFF)
    copy = campaigns.clone_campaign(campaign=retry(first), user=make_user(), now=db_now())
    assert copy.retry_of == first
    ends(first, people[0], "delivered")
    assert [(count.reason, count.people) for count in planning.forecast(campaign=copy, at=db_now())] == [("reached", 1)]


@pytest.mark.django_db(transaction=True)
def test_two_who_press_at_once_make_one_draft(people):
    campaign = make_running_campaign(make_connection(), people[:2])
    rows = list(campaign.messages.select_related("contact", "connection"))
    for row in rows:
        row.lane = "template"
    make_request(rows, ref="17.1", text="Dear")
    for contact in people[:2]:
        ends(campaign, contact, "undelivered", SWITCHED_OFF)
    outcomes: list[str] = []

    def press(start: threading.Barrier) -> None:
        start.wait()
        try:
            outcomes.append(retry(campaign).state)
        except campaigns.NobodyToRetry as refusal:
            outcomes.append(refusal.code)
        connections.close_all()

    start = threading.Barrier(4)
    threads = [threading.Thread(target=press, args=(start,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["draft", *["nobody_to_retry"] * 3]
    assert campaign.retries.count() == 1


def test_an_opt_out_stops_a_retry_as_it_stops_anything(first, people):
    ends(first, people[0], "undelivered", SWITCHED_OFF)
    consent.opt_out(contact=people[0], source="person", words="STOP", now=db_now())
    assert reasons(launched(retry(first))) == {"Aminah": "opted_out"}


def test_people_added_by_hand_get_it_once(first, people):
    """A retry's lists can be edited: whoever is still on their way in the first campaign is spared by the retry."""
    waiting = make_contact(name="Waiting")
    other = make_running_campaign(first.connection, [waiting])
    draft = make_draft(first.connection, [make_list([waiting])], retry_of=other)
    assert reasons(launched(draft)) == {"Waiting": "reached"}
    assert reasons(other) == {"Waiting": ""}
    assert gated(other) == 1


def test_the_database_keeps_what_a_campaign_tries_again(first, people):
    ends(first, people[0], "undelivered", SWITCHED_OFF)
    draft, other = retry(first), make_draft(first.connection, [])
    for wrong in (lambda: Campaign.objects.filter(pk=draft.pk).update(retry_of=None),
                  lambda: Campaign.objects.filter(pk=other.pk).update(retry_of=first),
                  lambda: make_draft(first.connection, [], retry_of=draft)):  # fmt: skip
        with pytest.raises(IntegrityError), transaction.atomic():
            wrong()


@pytest.mark.django_db(transaction=True)
def test_two_retries_whose_gates_meet_send_to_a_person_once(people):
    """Made by hand for one person: the older one begins while the gate of the younger has decided, not committed."""
    campaign = make_running_campaign(make_connection(), people[:1])
    (row,) = campaign.messages.select_related("contact", "connection")
    row.lane = "template"
    make_request([row], ref="17.1", text="Dear")
    ends(campaign, people[0], "undelivered", SWITCHED_OFF)
    older, younger = (make_draft(campaign.connection, [make_list(people[:1])], retry_of=campaign) for _ in range(2))
    held_back = claim_of(launched(older))
    hidden = Message.objects.get(campaign=older)
    Message.objects.filter(pk=hidden.pk).update(send_state="cancelled", claim_token=None, lease_until=None)
    sent: list[int] = []

    def begin_the_older_one() -> None:
        hidden.save()
        sent.append(gate(campaign.connection_id, held_back, free=4).recipients)
        connections.close_all()

    claimed = claim_of(launched(younger))
    with transaction.atomic():
        sent.append(gate(campaign.connection_id, claimed, free=4).recipients)
        thread = threading.Thread(target=begin_the_older_one)
        thread.start()
        thread.join(5)
    thread.join()
    assert sent == [1, 0]
    (again,) = Message.objects.filter(campaign=older)
    assert again.send_state == "queued"
    assert gated(older) == 0
    assert reasons(older) == {"Aminah": "reached"}
