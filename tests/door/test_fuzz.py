"""Whatever comes to the door gets one of the provider's answers, and never a 500 of our own making."""

from __future__ import annotations

import json
import random

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from messaging.models import Message
from messaging.providers.bulk360 import BALANCE_PATH, SEND_PATH
from messaging.text import storable
from tests.twin import AMINAH

pytestmark = pytest.mark.django_db

TYPES = [
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b",
    "multipart/form-data; boundary=é",
    "multipart/form-data",
    "application/json",
    "text/plain; charset=no-such",
    "",
]


def test_two_thousand_broken_calls_are_all_answered_in_the_provider_s_words(account):
    chance = random.Random(4)
    pair = f"user={account.app_key}&pass={account.app_secret}".encode()
    seeds = [
        pair + b"&to=60123240066&text=Hello",
        pair + "&to=whatsapp:+60123240066,60102200533&text=您好 வணக்கம்".encode(),
        b'--b\r\nContent-Disposition: form-data; name="user"\r\n\r\nx\r\n--b--\r\n',
        b'--b\r\nContent-Disposition: form-data; name="to"; filename="x"\r\n\r\nx\r\n--b--\r\n',
        b"user[]=x&pass[a]=y&to=%zz&text=%00",
        b"%" * 500 + b"\x00" * 20 + b"=;&" * 50,
    ]
    for _ in range(2_000):
        body = bytearray(chance.choice(seeds))
        for _mutation in range(chance.randint(0, 6)):
            place = chance.randrange(len(body) + 1)
            body[place : place + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 4))
        answer = Client().generic(
            chance.choice(["GET", "POST"]),
            chance.choice([SEND_PATH, SEND_PATH, BALANCE_PATH]),
            bytes(body),
            content_type=chance.choice(TYPES),
            QUERY_STRING=chance.choice(["", "a=%F", "to=\x00&" * 5, "\xff=\xfe", pair.decode()]),
        )
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/json")
        content = json.loads(answer.content)
        assert content.get("status") == "success" or content["code"] in (200, 400, 401, 405, 406), content


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(min_size=1, max_size=80).filter(storable))
def test_any_text_arrives_unchanged(account, text):
    text = storable(text)
    answer = Client().post(SEND_PATH, account.form(to=AMINAH, text=text))
    assert json.loads(answer.content)["code"] == 200
    assert Message.objects.latest("pk").body == text
