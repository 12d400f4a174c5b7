"""A draft's plan person by person, looked for stretch by stretch; and its counts, kept for a little."""

import pytest
from django.core.cache import cache

from contacts.models import ListMembership
from messaging import campaigns, draft_plan, planning
from messaging.clock import db_now
from messaging.models import Campaign, Message
from messaging.web.campaigns import forecast
from tests.factories import make_connection, make_contact, make_conversation, make_draft, make_list, make_user

pytestmark = pytest.mark.django_db
NAMELESS = (3, 7, 11)


@pytest.fixture
def people():
    return [make_contact(name="" if n in NAMELESS else f"Person {n}") for n in range(12)]


@pytest.fixture
def draft(people) -> Campaign:
    """Two lists that overlap, less the second person; the nameless are skipped, the first three may get free text."""
    connection = make_connection()
    for person in people[:3]:
        make_conversation(person, connection, last_mo_at=db_now())
    campaign = make_draft(connection, [make_list(people[6:]), make_list(people[:8])])
    left_out, user = make_list([people[1]]), make_user()
    return campaigns.edit_campaign(
        campaign=campaign, user=user, version=campaign.version, now=db_now(), exclude=[left_out]
    )


@pytest.fixture(params=[(1, 0), (2, 3, 0), (100, 0)])
def stretches(request, monkeypatch):
    monkeypatch.setattr(draft_plan, "STRETCHES", request.param)


def found(draft, people, **asked) -> list[int]:
    rows = draft_plan.people(draft, db_now(), **asked)
    return [people.index(row.contact) for row in rows]


@pytest.mark.usefixtures("stretches")
def test_however_far_apart_they_are_everyone_asked_for_is_found_once_and_in_order(draft, people):
    assert found(draft, people) == [0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]
    assert found(draft, people, lane="session") == [0, 2]
    assert found(draft, people, lane="skipped") == list(NAMELESS)
    assert found(draft, people, lane="skipped", limit=2) == [3, 7]
    assert found(draft, people, lane="skipped", after=people[3].pk) == [7, 11]
    assert found(draft, people, reason="missing_variable:name", limit=1) == [3]
    assert found(draft, people, lane="held") == []


@pytest.mark.usefixtures("stretches")
def test_a_position_leads_to_its_person_and_back(draft, people):
    everyone = [person for person in people if person != people[1]]
    positions = range(1, len(everyone) + 1)
    assert [draft_plan.person_at(draft, k) for k in positions] == everyone
    assert [draft_plan.position_of(draft, person.pk) for person in everyone] == list(positions)
    assert draft_plan.person_at(draft, len(everyone) + 1) is None


def test_who_joins_a_list_after_the_plan_was_written_is_counted_once(draft, people):
    campaigns.submit_campaign(campaign=draft, user=make_user(), now=db_now())
    planning.materialise(draft.pk, db_now())
    assert Message.objects.filter(campaign=draft).count() == 11
    assert draft_plan.unplanned(draft) == 0
    newcomer = make_contact()
    for row in draft.audience.filter(excluded=False):
        ListMembership.objects.create(contact_list=row.contact_list, contact=newcomer)
    assert draft_plan.unplanned(draft) == 1
    ListMembership.objects.create(contact_list=draft.audience.get(excluded=True).contact_list, contact=newcomer)
    assert draft_plan.unplanned(draft) == 0


@pytest.fixture
def kept(monkeypatch):
    """Any number of people counts as many."""
    monkeypatch.setattr(forecast, "MANY", 0)
    cache.clear()


@pytest.mark.usefixtures("kept")
def test_counts_are_kept_while_only_words_change_and_say_how_old_they_are(draft, people):
    before = forecast.forecast(draft, db_now())
    make_conversation(people[5], draft.connection, last_mo_at=db_now())
    draft.session_text = "Hello again {{name}}"
    assert forecast.forecast(draft, db_now()) == before
    draft.session_text = "Hello {{name}} of {{town}}"
    assert forecast.forecast(draft, db_now()).counted_at > before.counted_at


@pytest.mark.usefixtures("kept")
def test_another_list_counts_anew(draft):
    before = forecast.forecast(draft, db_now())
    draft.audience.filter(excluded=True).delete()
    assert forecast.forecast(draft, db_now()).audience.audience == before.audience.audience + 1


def test_few_people_are_counted_afresh_each_time(draft, people):
    before = forecast.forecast(draft, db_now())
    make_conversation(people[5], draft.connection, last_mo_at=db_now())
    after = forecast.forecast(draft, db_now())
    assert {(one.lane, one.people) for one in before.counts} != {(one.lane, one.people) for one in after.counts}
