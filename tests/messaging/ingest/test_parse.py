from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messaging.ingest.parse import ParsedMO, ParsedNotice, read_dn, read_mos
from messaging.ingest.times import read_time
from messaging.statuses import Channel
from tests.messaging.ingest.bodies import broken, content_types

SAMPLES = Path(__file__).parents[2] / "payloads" / "bulk360-dns"
NOTICE = ParsedNotice("DELIVERED", "0", "60123240066", "78-1633193001.0602-0")
FIELDS = {"status": "DELIVERED", "error-code": "000", "msisdn": "60123240066", "msgid": "78-1633193001.0602-0"}
FORM = "application/x-www-form-urlencoded"


def multipart(fields: dict[str, str], end: str = "\r\n") -> bytes:
    parts = (
        f'--xyz{end}Content-Disposition: form-data; name="{name}"{end}{end}{text}{end}' for name, text in fields.items()
    )
    return ("".join(parts) + f"--xyz--{end}").encode()


@pytest.mark.parametrize(
    ("query", "content_type", "body"),
    [
        (urlencode(FIELDS).encode(), "", b""),
        (b"", FORM, urlencode(FIELDS).encode()),
        (b"", "", urlencode(FIELDS).encode()),
        (b"", "text/plain", urlencode(FIELDS).encode()),
        (b"", "multipart/form-data; boundary=xyz", multipart(FIELDS)),
        (b"", "multipart/form-data; boundary=xyz", multipart(FIELDS, "\n")),
        (b"", "multipart/form-data", multipart(FIELDS)),
        (b"", "application/json", json.dumps(FIELDS).encode()),
        (b"", FORM, json.dumps(FIELDS).encode()),
        (b"", "text/html", b"\xef\xbb\xbf" + json.dumps(FIELDS).encode()),
        (b"", "", json.dumps(FIELDS).encode("utf-16")),
        (b"", "application/json", json.dumps([FIELDS]).encode()),
        (b"", "application/json", json.dumps({"event": "dn", "data": {"notices": [FIELDS]}}).encode()),
        (b"", FORM, urlencode({"payload": json.dumps(FIELDS)}).encode()),
        (b"status=DELIVERED&msgid=x", FORM, urlencode(FIELDS).encode()),
        (b"msgid=78-1633193001.0602-0", FORM, b"status=DELIVERED&errorcode=0&to=60123240066"),
        (b"", FORM, b"status=SENT&" + urlencode(FIELDS).encode()),
        (b"", "", "\n".join(f"{key}: {value}" for key, value in FIELDS.items()).encode()),
        (
            b"",
            "",
            b"{'status': 'DELIVERED', 'error-code': 000, 'msisdn': 60123240066, 'msgid': '78-1633193001.0602-0'}",
        ),
    ],
)
def test_a_dn_is_read_from_every_encoding(query, content_type, body):
    assert read_dn(query, content_type, body) == [NOTICE]


@pytest.mark.parametrize("position", range(3))
@pytest.mark.parametrize("content_type", ["application/json", FORM, "", "multipart/form-data"])
def test_the_samples_on_the_providers_page_are_read_though_they_are_no_json(position, content_type):
    body = (SAMPLES / f"sent-{position}.txt").read_bytes()
    number = ["60123240066", "60102200533", "60102410102"][position]
    assert read_dn(b"", content_type, body) == [ParsedNotice("SENT", "20", number, f"78-1633193001.0602-{position}")]


def test_all_three_samples_in_one_body_are_three_dns():
    body = b"\n# next DN:\n".join((SAMPLES / f"sent-{position}.txt").read_bytes() for position in range(3))
    assert [notice.msgid[-1] for notice in read_dn(b"", "text/plain", b"# 1st DN:\n" + body)] == ["0", "1", "2"]


@pytest.mark.parametrize("key", ["error-code", "error_code", "errorcode", "errorCode", "ERROR-CODE", "Error Code"])
@pytest.mark.parametrize(
    ("said", "code"), [("000", "0"), ("0", "0"), ("020", "20"), ("554", "554"), ("E7", "E7"), ("", "")]
)
def test_codes_are_compared_as_integers_under_each_of_their_names(key, said, code):
    (notice,) = read_dn(urlencode({"status": "sent", key: said, "msgid": "5515023"}).encode(), "", b"")
    assert notice == ParsedNotice("SENT", code, "", "5515023")


@pytest.mark.parametrize("key", ["msgid", "msgId", "MSGID", "ref", "id"])
@pytest.mark.parametrize("number", ["msisdn", "to", "mobile", "MSISDN"])
@pytest.mark.parametrize("status", ["status", "Status", "dlr_status"])
def test_keys_have_other_names(key, number, status):
    assert read_dn(urlencode({status: "Sent", number: "601", key: "a-1"}).encode(), "", b"") == [
        ParsedNotice("SENT", "", "601", "a-1")
    ]


def test_an_unknown_status_is_kept_as_it_came():
    assert read_dn(b"status=Buffered&msgid=1&error-code=weird%20thing", "", b"")[0].status == "BUFFERED"


@pytest.mark.parametrize("body", [b"", b"{}", b"hello", b"[]", b"null", b"status=SENT", b"<xml/>", b"\x00", b"a=b&c=d"])
def test_what_is_no_dn_gives_none(body):
    assert read_dn(b"", "", body) == []


@settings(max_examples=1_500, deadline=None)
@given(query=broken(), content_type=content_types, body=broken())
def test_no_body_breaks_the_readers_and_what_they_read_can_be_stored(query, content_type, body):
    notices = read_dn(query, content_type, body)
    mos = read_mos(query, content_type, body, {"text": "isi", "default_channel": "sms"})
    texts = [value for notice in notices for value in (notice.status, notice.code, notice.msisdn, notice.msgid)]
    texts += [value for mo in mos for value in (mo.sender, mo.text, mo.id, json.dumps(mo.media, ensure_ascii=False))]
    for text in texts:
        assert "\x00" not in text
        text.encode()  # no lone surrogate
    assert all(len(mo.id) <= 80 and mo.sender for mo in mos)


@given(
    st.dictionaries(
        st.sampled_from(sorted(FIELDS)), st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)
    )
)
def test_form_and_json_say_the_same(fields):
    form = read_dn(b"", FORM, urlencode(fields).encode())
    assert form == read_dn(b"", "application/json", json.dumps(fields).encode())


MO = {
    "from": "whatsapp:+60123240066",
    "to": "60360000360",
    "text": "Hai 😀 你好",
    "moid": "mo-7",
    "time": "2026-03-01T10:00:00+08:00",
}
READ = ParsedMO(
    "60123240066", "Hai 😀 你好", "60360000360", "mo-7", datetime(2026, 3, 1, 2, tzinfo=UTC), Channel.WHATSAPP, []
)


@pytest.mark.parametrize(
    ("query", "content_type", "body"),
    [
        (urlencode(MO).encode(), "", b""),
        (b"", FORM, urlencode(MO).encode()),
        (b"", "application/json", json.dumps(MO).encode()),
        (b"", "text/plain", json.dumps(MO, ensure_ascii=False).encode()),
        (b"", "multipart/form-data; boundary=xyz", multipart(MO)),
        (b"", "application/json", json.dumps({"messages": [MO]}).encode()),
        (b"", "application/json", json.dumps(MO | {"text": {"body": MO["text"]}}).encode()),
    ],
)
def test_an_mo_is_read_from_every_encoding(query, content_type, body):
    assert read_mos(query, content_type, body) == [READ]


@pytest.mark.parametrize("sender", ["msisdn", "from", "sender", "mobile", "phone", "source", "wa_id", "Wa-Id"])
@pytest.mark.parametrize("text", ["text", "message", "msg", "body", "content", "caption", "TEXT"])
def test_fields_of_an_mo_have_other_names(sender, text):
    (mo,) = read_mos(urlencode({sender: "+60123240066", text: "hi"}).encode(), "", b"")
    assert (mo.sender, mo.text) == ("60123240066", "hi")


def test_the_connections_own_names_come_first():
    body = urlencode(
        {"from": "60360000360", "customer": "60123240066", "isi": "hai", "text": "menu", "x": "9"}
    ).encode()
    (mo,) = read_mos(b"", FORM, body, {"sender": "customer", "text": "isi", "id": "x"})
    assert (mo.sender, mo.text, mo.id) == ("60123240066", "hai", "9")


@pytest.mark.parametrize(
    ("fields", "field_map", "channel"),
    [
        ({"from": "60123240066"}, {}, Channel.WHATSAPP),
        ({"from": "whatsapp:60123240066"}, {"default_channel": "sms"}, Channel.WHATSAPP),
        ({"from": "60123240066"}, {"default_channel": "sms"}, Channel.SMS),
        ({"from": "60123240066", "channel": "SMS"}, {}, Channel.SMS),
        ({"from": "sms:60123240066"}, {}, Channel.SMS),
        ({"from": "60123240066", "channel": "telegram"}, {}, Channel.WHATSAPP),
    ],
)
def test_the_channel_is_named_or_the_usual_one(fields, field_map, channel):
    assert read_mos(urlencode(fields | {"text": "hi"}).encode(), "", b"", field_map)[0].channel is channel


def test_an_mo_may_be_a_picture_alone_but_not_nothing():
    url = "https://example.com/a.jpg"
    (mo,) = read_mos(urlencode({"from": "6012", "image": url, "mime": "image/jpeg"}).encode(), "", b"")
    assert (mo.text, mo.media) == ("", [{"type": "image/jpeg", "url": url}])
    assert read_mos(b"from=6012&text=+", "", b"") == []
    assert read_mos(b"text=hi", "", b"") == []


def test_the_wrong_charset_costs_no_more_than_a_letter():
    assert read_mos(b"", FORM, b"from=6012&text=caf%E9")[0].text == "café"
    assert read_mos(b"", FORM + "; charset=gbk", "from=6012&text=你好".encode("gbk"))[0].text == "你好"
    cut = "from=6012&text=你好".encode()[:-1]
    assert read_mos(b"", FORM, cut)[0].text == "你"


def test_nul_and_lone_surrogates_never_reach_a_text():
    assert read_mos(b"", "", b'{"from":"6012","text":"a\\u0000b\\ud800c"}')[0].text == "abc"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-01T10:00:00+08:00", datetime(2026, 3, 1, 2, tzinfo=UTC)),
        ("2026-03-01T02:00:00Z", datetime(2026, 3, 1, 2, tzinfo=UTC)),
        ("2026-03-01 10:00:00", datetime(2026, 3, 1, 10)),  # noqa: DTZ001
        ("2026-03-01 10:00", datetime(2026, 3, 1, 10)),  # noqa: DTZ001
        ("20260301100000", datetime(2026, 3, 1, 10)),  # noqa: DTZ001
        ("01/03/2026 10:00:00", datetime(2026, 3, 1, 10)),  # noqa: DTZ001
        ("1772330400", datetime(2026, 3, 1, 2, tzinfo=UTC)),
        ("1772330400123", datetime(2026, 3, 1, 2, tzinfo=UTC)),
        ("1772330400.5", datetime(2026, 3, 1, 2, tzinfo=UTC)),
        ("Sun, 01 Mar 2026 10:00:00 +0800", datetime(2026, 3, 1, 2, tzinfo=UTC)),
        ("2026-03-01", None),
        ("10:00:00", None),
        ("0", None),
        ("0000-00-00 00:00:00", None),
        ("1970-01-01 00:00:00", None),
        ("9999-12-31T23:59:59-12:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_moment_is_read_in_the_forms_that_machines_write(text, moment):
    assert read_time(text) == moment


@settings(max_examples=1_000)
@given(st.one_of(st.text(max_size=40), st.from_regex(r"[0-9TZ:+., /-]{1,40}", fullmatch=True)))
def test_no_text_breaks_the_reading_of_moments(text):
    at = read_time(text)
    assert at is None or 2009 <= at.year < 2100


def test_a_day_and_a_clock_in_two_fields_are_one_moment():
    (mo,) = read_mos(b"from=6012&text=hi&date=2026-03-01&time=10:00:00", "", b"")
    assert mo.at == datetime(2026, 3, 1, 10)  # noqa: DTZ001
