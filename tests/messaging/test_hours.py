"""The strip of hours says of each hour what the forecast says for that send time."""

from datetime import time, timedelta

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from messaging import planning
from messaging.models import Campaign, CampaignAudience, Conversation, Message
from messaging.policy import Reason
from tests.factories import make_approved_version, make_connection, make_contact, make_draft, make_list
from tests.messaging.test_rule_sql import NOON, campaigns, connections, make_person, people

HOURS = [NOON, *(NOON + timedelta(minutes=20, hours=n) for n in range(23))]
MOMENTS = st.one_of(
    st.none(),
    st.sampled_from(HOURS).map(lambda at: at - timedelta(hours=24)),
    st.sampled_from(HOURS).map(lambda at: at - timedelta(hours=24, seconds=-60)),
    st.integers(-90_000, 60).map(lambda seconds: NOON + timedelta(seconds=seconds)),
)
TIMES = st.sampled_from([None, *HOURS, NOON - timedelta(hours=1)])
QUIET = st.sampled_from([(None, None), (time(22), time(7)), (time(13), time(15, 30)), (time(12), time(12, 20))])


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    population=st.lists(st.tuples(people, MOMENTS, st.lists(MOMENTS, max_size=3)), min_size=1, max_size=10),
    fields=campaigns,
    limits=connections,
    template=st.sampled_from(["", "Dear {{name}}"]),
    not_after=TIMES,
    quiet=QUIET,
    left_out=st.integers(0, 2),
)
def test_each_hour_of_the_strip_is_the_forecast_for_that_time(
    population, fields, limits, template, not_after, quiet, left_out
):
    connection = make_connection(**limits)
    contacts = []
    for person, wrote_at, got_at in population:
        contact = make_person(connection, person | {"mo": wrote_at})
        contacts.append(contact)
        for at in filter(None, got_at):
            Message.objects.create(
                contact=contact, connection=connection, send_state="accepted", lane="template", timeline_at=at
            )
    campaign = Campaign.objects.create(
        name="c",
        connection=connection,
        template_version=make_approved_version(template) if template else None,
        **fields | {"not_after": not_after, "quiet_from": quiet[0], "quiet_to": quiet[1], "time_zone": "UTC"},
    )
    for members, excluded in ((contacts, False), (contacts[1:3], False), (contacts[:left_out], True)):
        CampaignAudience.objects.create(campaign=campaign, contact_list=make_list(members), excluded=excluded)
    strip = planning.forecasts(campaign=campaign, ats=HOURS)
    event(f"{len({str(counts) for counts in strip})} different hours")
    assert strip == [planning.forecast(campaign=campaign, at=at) for at in HOURS]


@pytest.mark.django_db
def test_windows_close_one_after_the_other_and_quiet_hours_hold():
    connection = make_connection(window_margin_s=60)
    contacts = [make_contact(name="Aminah") for _person in range(4)]
    for contact, left in zip(contacts, (timedelta(hours=1), timedelta(hours=2, seconds=60), None, None), strict=True):
        Conversation.objects.create(
            contact=contact, connection=connection, channel="whatsapp", last_message_at=NOON,
            last_mo_at=left and NOON + left - timedelta(hours=24),
        )  # fmt: skip
    campaign = make_draft(connection, [make_list(contacts)])
    campaign.quiet_from, campaign.quiet_to, campaign.time_zone = time(15), time(16), "UTC"
    strip = planning.forecasts(campaign=campaign, ats=[NOON + timedelta(hours=n) for n in range(5)])
    lanes = [{count.lane: count.people for count in counts} for counts in strip]
    assert lanes == [
        {"session": 2, "template": 2},
        {"session": 1, "template": 3},  # at 13:00 the margin has shut the first window
        {"session": 1, "template": 3},  # at 14:00 the second has its margin exactly
        {"held": 4},
        {"template": 4},
    ]
    assert [count.reason for count in strip[3]] == [Reason.QUIET_HOURS]


@pytest.mark.django_db
def test_who_had_enough_for_today_can_be_sent_to_once_a_day_has_passed():
    connection = make_connection(daily_cap=1)
    contact = make_contact(name="Aminah")
    sent_at = NOON - timedelta(hours=22)
    Message.objects.create(
        contact=contact, connection=connection, send_state="accepted", lane="template", timeline_at=sent_at
    )
    campaign = make_draft(connection, [make_list([contact])])
    strip = planning.forecasts(campaign=campaign, ats=[NOON + timedelta(hours=n) for n in range(4)])
    assert [counts[0].reason for counts in strip] == [Reason.CAPPED] * 2 + [Reason.TEMPLATE_APPROVED] * 2
