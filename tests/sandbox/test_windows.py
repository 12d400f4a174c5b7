"""The twin's own 24-hour windows and its own template matcher."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.providers.sandbox.accounts import Account
from messaging.providers.sandbox.checks import WINDOW_S, window_open
from messaging.providers.sandbox.matcher import Template
from tests.twin import AMINAH, FARID, USER

FREE = "Any words at all"


def ago(**elapsed: float) -> str:
    return (datetime.now(UTC) - timedelta(**elapsed)).isoformat()


@pytest.mark.parametrize(("elapsed", "code"), [({"hours": 23, "minutes": 59}, 200), ({"hours": 24, "seconds": 5}, 406)])
def test_free_text_leaves_within_24_hours_of_the_person_s_message(twin, elapsed, code):
    twin.control("mo", msisdn=AMINAH, text="Hi", at=ago(**elapsed))
    assert twin.send(text=FREE)["code"] == code


def test_one_closed_window_refuses_the_whole_request(twin):
    twin.control("mo", msisdn=AMINAH, text="Hi")
    assert twin.send(to=f"whatsapp:{AMINAH},whatsapp:{FARID}", text=FREE)["code"] == 406
    twin.control("mo", msisdn=FARID, text="Hi")
    assert twin.send(to=f"whatsapp:{AMINAH},whatsapp:{FARID}", text=FREE)["code"] == 200


def test_a_window_never_moves_back(twin):
    twin.control("mo", msisdn=AMINAH, text="Hi")
    twin.control("mo", msisdn=AMINAH, text="An old one, late", at=ago(hours=30))
    assert twin.send(text=FREE)["code"] == 200


def test_an_sms_opens_no_window(twin):
    twin.control("mo", msisdn=AMINAH, text="Hi", channel="sms")
    assert twin.send(text=FREE)["code"] == 406


def test_a_window_belongs_to_one_account(twin):
    twin.control("accounts", user="another", **{"pass": "p"})
    twin.control("mo", msisdn=AMINAH, text="Hi", user="another")
    assert twin.send(text=FREE)["code"] == 406
    twin.control("mo", msisdn=AMINAH, text="Hi", user=USER)
    assert twin.send(text=FREE)["code"] == 200


def test_sending_opens_no_window(twin):
    assert twin.send()["code"] == 200
    assert twin.send(text=FREE)["code"] == 406


def test_the_last_instant_of_the_24th_hour_is_open():
    account = Account("u", "s", windows={AMINAH: 1000.0})
    assert window_open(account, AMINAH, 1000.0 + WINDOW_S)
    assert not window_open(account, AMINAH, 1000.001 + WINDOW_S)


@pytest.mark.parametrize(
    ("body", "text", "matches"),
    [
        ("Hello", "Hello", True),
        ("Hello", "Hello ", False),
        ("Hello", "hello", False),
        ("Hi {{name}}!", "Hi Aminah binti Ali!", True),
        ("Hi {{name}}!", "Hi !", False),
        ("Hi {{name}}!", "Hi a\nb!", False),
        ("Hi {{name}}!", "Hi a\tb!", False),
        ("Hi {{name}}!", "Hi a  b!", False),
        ("Hi {{name}}", "Hi " + "x" * 1024, True),
        ("Hi {{name}}", "Hi " + "x" * 1025, False),
        ("{{a}} and {{b}}", "x and y and z", True),
        ("{{a}}{{b}}", "x", False),
        ("{{a}}{{b}}", "xy", True),
        ("{{a}}-{{a}}", "x-y", True),
        ("a {{n}}  b", "a x  b", True),
        ("Line\r\n{{a}}", "Line\nx", True),
        ("{{not a name}} {{a}}", "{{not a name}} x", True),
        (".*{{a}}", "anything x", False),
    ],
)
def test_a_text_is_approved_if_some_values_give_it(body, text, matches):
    assert Template(body).matches(text.replace("\r\n", "\n")) is matches


VALUES = st.text(st.sampled_from("ab -é您"), min_size=1, max_size=8).filter(lambda value: "  " not in value)
LITERALS = st.text(st.sampled_from("ab -.\n"), max_size=6)


@given(literals=st.lists(LITERALS, min_size=1, max_size=4), data=st.data())
def test_every_rendering_of_a_template_matches_it(literals, data):
    values = [data.draw(VALUES) for _ in literals[1:]]
    text = literals[0] + "".join(value + literal for value, literal in zip(values, literals[1:], strict=True))
    assert Template("{{x}}".join(literals)).matches(text)
