"""What people write goes to the MO hook."""

from datetime import datetime

import pytest

from tests.twin import AMINAH, USER

from .hook import within


def test_an_mo_carries_who_what_when_and_by_which_channel(hooked, hook):
    hooked.control(
        "mo", msisdn="+60 12-324 0066", text="Ya, saya datang 您好", at="2026-03-04T09:30:00+08:00", id="m-1"
    )
    call = hook.wait(1)[0]
    assert (call.method, call.path) == ("POST", "/mo")
    told = call.form
    assert told.pop("to").isdigit()
    assert told == {
        "from": AMINAH,
        "text": "Ya, saya datang 您好",
        "moid": "m-1",
        "time": "2026-03-04T09:30:00+08:00",
        "channel": "whatsapp",
    }


def test_an_mo_without_id_and_time_gets_both(hooked, hook):
    for _ in range(2):
        hooked.control("mo", msisdn=AMINAH, text="Hi", channel="sms")
    first, second = (call.form for call in hook.wait(2))
    assert first["moid"] != second["moid"]
    assert datetime.fromisoformat(first["time"]).tzinfo
    assert first["channel"] == "sms"


def test_an_mo_that_got_no_200_comes_again(hooked, hook):
    hook.statuses = [500]
    hooked.control("mo", msisdn=AMINAH, text="Hi")
    first, second = hook.wait(2)
    assert first.form == second.form
    assert second.at - first.at > 0.9


def test_an_mo_does_not_wait_behind_slow_dns(hooked, hook):
    hook.delay_s = 0.3
    hooked.control("dn", delay_s=0)
    for _ in range(100):
        hooked.send()
    hooked.control("mo", msisdn=AMINAH, text="Hi")
    within(2, lambda: any(call.path == "/mo" for call in hook.calls))
    assert len(hook.calls) < 200


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({"text": "Hi"}, "msisdn"),
        ({"msisdn": AMINAH}, "text"),
        ({"msisdn": AMINAH, "text": " "}, "text"),
        ({"msisdn": AMINAH, "text": 7}, "text"),
        ({"msisdn": "call me", "text": "Hi"}, "msisdn"),
        ({"msisdn": AMINAH, "text": "Hi", "channel": "telegram"}, "channel"),
        ({"msisdn": AMINAH, "text": "Hi", "at": "yesterday"}, "at is"),
        ({"msisdn": AMINAH, "text": "Hi", "at": "2026-03-04T09:30:00"}, "zone"),
        ({"msisdn": AMINAH, "text": "Hi", "user": "nobody"}, "account"),
        ({"msisdn": AMINAH, "text": "Hi", "user": [USER]}, "account"),
        ({"msisdn": AMINAH, "text": "Hi", "colour": "red"}, "colour"),
        (["msisdn"], "object"),
    ],
)
def test_a_bad_mo_is_explained_and_opens_nothing(twin, body, word):
    assert word in twin.refused("mo", body)
    assert twin.state()["accounts"][0]["windows"] == 0
