"""The strip of hours in the composer: what its bars say, what a press of one does, and how long it takes."""

from datetime import UTC, datetime, time, timedelta
from html import unescape

import pytest
from django.core.cache import cache
from django.urls import reverse

from messaging.clock import db_now
from messaging.planning import LaneCount
from messaging.web.campaigns.duration import duration_words
from messaging.web.campaigns.hours import strip, times
from tests.factories import make_connection, make_contact, make_conversation, make_draft, make_list

pytestmark = pytest.mark.django_db
NINE = datetime(2026, 11, 23, 1, 20, tzinfo=UTC)  # 09:20 in Kuala Lumpur
LONG = "100,000 messages at 20 a second: about 1 h 23 min, ends about 10:43."


@pytest.fixture
def draft(connection):
    return make_draft(connection, [make_list([make_contact(name=name) for name in ("Aminah", "Tan", "Muthu")])])


def url(draft):
    return reverse("campaign_detail", args=[draft.public_id])


def posted(client, draft, **typed):
    form = client.get(url(draft)).context["form"]
    fields = ("name", "connection", "purpose", "version", "session_text", "template_version", "time_zone", "include")
    return {name: form[name].value() for name in fields} | typed


def labels(shown):
    return [hour.label for hour in shown.hours]


def test_the_bars_are_now_and_the_full_hours_after_it_on_the_campaigns_clock(draft):
    shown = strip(draft, None, NINE)
    assert labels(shown)[:3] == ["now", "10", "11"]
    assert (len(shown.hours), labels(shown)[-1]) == (24, "08")
    assert [hour.day for hour in shown.hours if hour.day] == ["Mon", "Tue"]
    assert [hour.label for hour in shown.hours if hour.chosen] == ["now"]


def test_a_campaign_for_a_later_day_shows_that_day(draft):
    draft.send_at = NINE + timedelta(days=3, hours=4, minutes=30)  # Thursday 13:50
    shown = strip(draft, None, NINE)
    assert (labels(shown), shown.from_now) == ([f"{hour:02}" for hour in range(24)], False)
    assert [hour.words for hour in shown.hours if hour.chosen] == ["Thu 26 Nov 13:00"]


def test_where_the_clock_is_put_forward_no_bar_is_an_hour_that_does_not_exist(draft):
    draft.time_zone = "Europe/Berlin"
    shown = times(draft, datetime(2026, 3, 28, 23, 30, tzinfo=UTC))
    assert [f"{at:%H:%M%z}" for at in shown[:4]] == ["23:30+0000", "01:00+0100", "03:00+0200", "04:00+0200"]


def test_a_bar_says_in_words_how_many_go_by_which_lane_and_that_an_hour_is_quiet(draft, sign_in):
    connection = draft.connection
    wrote = draft.audience.get().contact_list.members.first()
    make_conversation(wrote, connection, last_mo_at=db_now() - timedelta(hours=21, minutes=50))
    quiet = (db_now() + timedelta(hours=5)).astimezone(UTC)
    draft.quiet_from, draft.quiet_to, draft.time_zone = time(quiet.hour), time((quiet.hour + 1) % 24), "UTC"
    draft.save()
    cache.clear()
    said = [hour.said for hour in sign_in("composer").get(url(draft)).context["strip"].hours]
    assert said[0] == "Now: Free text 1, Template 2"
    assert said[4].endswith(":00: Template 3")
    assert said[5].endswith(":00 (quiet hours): Held back 3")


def test_pressing_a_bar_saves_the_draft_with_that_time(draft, sign_in):
    client = sign_in("composer")
    bar = client.get(url(draft)).context["strip"].hours[3]
    assert f'value="{bar.value}"' in unescape(client.get(url(draft)).content.decode())
    client.post(url(draft), posted(client, draft, session_text="Typed meanwhile", hour=bar.value, send_at=""))
    draft.refresh_from_db()
    assert (draft.send_at, draft.session_text) == (datetime.fromisoformat(bar.value), "Typed meanwhile")
    assert [hour.key for hour in client.get(url(draft)).context["strip"].hours if hour.chosen] == [bar.key]
    client.post(url(draft), posted(client, draft, hour="", send_at="2026-12-01T09:00"))
    draft.refresh_from_db()
    assert draft.send_at is None


def test_enter_in_a_field_saves_and_presses_no_bar(draft, sign_in):
    shown = sign_in("composer").get(url(draft)).content.decode()
    form = shown[shown.index('<form class="stack" id="draft"') :]
    assert form[form.index("<button") :].startswith('<button class="default-button" name="act" value="save"')


def test_over_many_people_the_bars_can_be_pressed_before_they_are_counted(draft, sign_in, monkeypatch):
    monkeypatch.setattr("messaging.web.campaigns.forecast.MANY", 0)
    cache.clear()
    client = sign_in("composer")
    assert client.get(url(draft)).context["strip"].hours[0].said == "Now: counting…"
    part = client.get(reverse("campaign_counts", args=[draft.public_id]), headers={"HX-Request": "true"})
    assert 'aria-label="Now: Template 3"' in part.content.decode()
    assert 'id="hours"' in part.content.decode()


def test_a_slice_is_drawn_for_every_lane_that_anybody_has(draft):
    counts = [LaneCount("session", "window_open", 999), LaneCount("skipped", "opted_out", 1)]
    first = strip(draft, [(NINE, counts)], NINE).hours[0].slices
    assert [one.lane for one in first] == ["session", "skipped"]
    assert sum(one.height for one in first) == pytest.approx(100, abs=0.1)
    assert first[0].y + first[0].height == pytest.approx(100, abs=0.1)
    assert first[1].height > 2


def leaving(people):
    return [LaneCount("template", "template_approved", people), LaneCount("skipped", "opted_out", 7)]


@pytest.mark.parametrize(
    ("people", "fields", "told"),
    [
        (2288, {}, "2,288 messages at 20 a second: about 2 minutes, ends about 09:21."),
        (1, {}, "1 message at 20 a second: less than a minute, ends about 09:20."),
        (0, {}, "Nothing would leave then."),
        (100_000, {"quiet_from": time(10), "quiet_to": time(11)},
         f"{LONG} What has not left by 10:00 waits for the end of quiet hours."),
        (100_000, {"not_after": NINE + timedelta(minutes=10)},
         f"{LONG} What has not left by 09:30 is dropped."),
        (2_000_000, {}, "2,000,000 messages at 20 a second: about 1 d 3 h, ends about Tue 24 Nov 13:06."),
    ],
)  # fmt: skip
def test_how_long_it_takes_is_a_sentence(people, fields, told):
    campaign = make_draft(make_connection(rate_per_s=20), [], **fields)
    assert duration_words(campaign, leaving(people), NINE) == told


def test_what_quiet_hours_hold_leaves_when_they_end():
    campaign = make_draft(make_connection(rate_per_s=20), [], quiet_from=time(9), quiet_to=time(10))
    held = [LaneCount("held", "quiet_hours", 2288)]
    told = "Quiet hours hold it until 10:00. 2,288 messages at 20 a second: about 2 minutes, ends about 10:01."
    assert duration_words(campaign, held, NINE) == told
