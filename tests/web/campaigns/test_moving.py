"""The sentence under the strip of hours: what moving the time means."""

from datetime import UTC, datetime, time, timedelta

import pytest
from django.core.cache import cache
from django.urls import reverse

from messaging.clock import db_now
from messaging.planning import LaneCount
from messaging.web.campaigns.moving import moving_words
from tests.factories import make_contact, make_conversation, make_draft, make_list

pytestmark = pytest.mark.django_db
NINE = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # Monday 09:00 in Kuala Lumpur


def hours(*people, lane="session"):
    """So many of 500 have the lane, hour by hour from NINE; the rest are skipped."""
    return [
        (NINE + timedelta(hours=n), [LaneCount(lane, "x", found), LaneCount("skipped", "window_closed", 500 - found)])
        for n, found in enumerate(people)
    ]


@pytest.mark.parametrize(
    ("counted", "told"),
    [
        (hours(312, 312, 45, 45), "Until 10:00, 312 people may get the free text; from 11:00 on, 45."),
        (hours(312, 45), "If it leaves now, 312 people may get the free text; from 10:00 on, 45."),
        (hours(350, 312, 45, 3), "Until 10:00, at least 312 people may get the free text; from 11:00 on, at most 45."),
        (hours(1, 0, 0), "If it leaves now, 1 person may get the free text; from 10:00 on, nobody."),
        (hours(*[7] * 16, 2), "Until Tue 24 Nov 00:00, 7 people may get the free text; from Tue 24 Nov 01:00 on, 2."),
        (hours(0, 3, 3), "If it leaves now, nobody may get the free text; from 10:00 on, 3."),
        (hours(9, 9, 0, lane="sms"), "Until 10:00, 9 people would get a message; from 11:00 on, nobody."),
        (hours(9, 9, 9), "The hour makes no difference: the numbers are the same in all of them."),
        (hours(2, 1, 5, 6), "Until 10:00, at most 2 people may get the free text; from 11:00 on, at least 5."),
        (hours(0, 2, 0), ""),  # no single hour says it
        (hours(0, 0), ""),
        ([], ""),
    ],
)  # fmt: skip
def test_moving_the_time_is_one_sentence_about_where_most_changes(counted, told, connection):
    assert moving_words(make_draft(connection, []), counted, NINE) == told


def test_quiet_hours_close_nobodys_window(connection):
    draft = make_draft(connection, [], quiet_from=time(10), quiet_to=time(12))
    at_rest = [(at, [LaneCount("held", "quiet_hours", 500)]) for at, _counts in hours(0, 0, 0)[1:]]
    even, falling = hours(9, 0, 0, 9), hours(9, 0, 0, 4)
    for counted, told in (
        (even, "Outside quiet hours the hour makes no difference: the numbers are the same in all of them."),
        (falling, "If it leaves now, 9 people may get the free text; from 12:00 on, 4."),
    ):
        counted[1:3] = at_rest
        assert moving_words(draft, counted, NINE) == told


def test_the_page_says_it_of_the_people_in_its_lists(connection, sign_in):
    wrote = make_contact(name="Aminah")
    make_conversation(wrote, connection, last_mo_at=db_now() - timedelta(hours=20, minutes=30))
    draft = make_draft(connection, [make_list([wrote, make_contact(name="Tan")])])
    cache.clear()
    client = sign_in("composer")
    shown = client.get(reverse("campaign_detail", args=[draft.public_id]))
    said = shown.context["strip"].moving
    assert said.startswith("Until ")
    assert "1 person may get the free text; from " in said
    assert said.endswith(" on, nobody.")
    assert said in shown.content.decode()
