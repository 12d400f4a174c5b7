"""Answers, their order, and what a request costs."""

import re

import pytest
import requests

from tests.twin import AMINAH, APPROVED, BALANCE, FARID, MEI, SECRET, SEND, USER, Twin

GOOD = {"user": USER, "pass": SECRET, "to": f"whatsapp:{AMINAH}", "text": APPROVED}
PAGE_TEXTS = {  # Bulk360 WhatsApp API V3.0, table "Response Code"
    400: "Missing parameters or invalid field type",
    401: "Invalid Username or password",
    402: "Insufficient Account credit",
    403: "Message API not enabled, requested IP not whitelisted or not enabled",
    405: "Invalid Message Type. Mobile numbers provided involved multiple services (SMS & WhatsApp), "
    "you can only trigger 1 service in 1 API request",
    406: "Message content is not approved. If you sending Whatsapp Message, "
    "please submit your WhatsApp message content for approval",
    407: "Banned Content detected. Your account is suspended",
    412: "Account suspended / Terminated / Not activated",
    413: "Account under observation mode, limited features enabled",
    500: "Internal server error",
}


def test_success_is_one_line_of_json_with_code_desc_to_and_ref(twin):
    answer = twin.post_form(GOOD)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert "\n" not in answer.text
    assert re.fullmatch(r"78-\d{10}(\.\d{0,3}[1-9])?", answer.json().pop("ref"))
    assert {**answer.json(), "ref": ""} == {"code": 200, "desc": "OK", "to": GOOD["to"], "ref": ""}


def test_detail_adds_currency_and_the_balance_before_the_charge(twin):
    twin.control("balance", balance="187.9236")
    answer = twin.send(detail="1")
    assert (answer["currency"], answer["balance"]) == ("MYR", "187.9236")
    assert twin.send(detail="1")["balance"] == "187.8236"
    assert "balance" not in twin.send(detail="0")


def test_ledger_has_a_line_for_each_recipient_in_order(twin):
    ref = twin.send(to=f"whatsapp:{AMINAH},whatsapp:{FARID}")["ref"]
    twin.send(to=MEI, text="Good day")
    lines = twin.ledger()
    assert [(line["seq"], line["request"], line["index"], line["msisdn"]) for line in lines] == [
        (1, 1, 0, AMINAH),
        (2, 1, 1, FARID),
        (3, 2, 0, MEI),
    ]
    assert set(lines[0]) == {"seq", "at", "request", "user", "channel", "msisdn", "index", "ref", "text", "charge"}
    assert [line["ref"] == ref for line in lines] == [True, True, False]
    assert [(line["channel"], line["charge"]) for line in lines[1:]] == [("whatsapp", "0.1000"), ("sms", "0.0800")]


@pytest.mark.parametrize("name", ["user", "pass", "to", "text"])
@pytest.mark.parametrize("emptied", [True, False])
def test_400_if_a_mandatory_parameter_is_missing_or_empty(twin, name, emptied):
    form = GOOD | {name: ""} if emptied else {key: value for key, value in GOOD.items() if key != name}
    assert twin.post_form(form).json() == {"code": 400, "desc": PAGE_TEXTS[400]}
    assert twin.ledger() == []


@pytest.mark.parametrize(
    "to", ["hello", f"whatsapp:{AMINAH},", "whatsapp:", f"{AMINAH};{FARID}", "telegram:60123240066", "٦٠١٢٣٢٤٠٠٦٦"]
)
def test_400_if_an_entry_of_to_is_no_number(twin, to):
    assert twin.send(to=to)["code"] == 400


@pytest.mark.parametrize(("longer_entries", "code"), [(4, 200), (5, 400)])
def test_to_may_have_150_characters_and_no_more(twin, longer_entries, code):
    """Seven WhatsApp entries of 11 digits are 146 characters; each longer one adds a digit."""
    entries = [f"whatsapp:6012324{n:0{5 if n < longer_entries else 4}d}" for n in range(7)]
    assert len(",".join(entries)) == 146 + longer_entries
    assert twin.send(to=",".join(entries))["code"] == code


@pytest.mark.parametrize("wrong", [{"user": "nobody"}, {"pass": "wrong"}, {"pass": SECRET.upper()}])
def test_401_for_an_unknown_key_or_a_wrong_secret(twin, wrong):
    assert twin.post_form(GOOD | wrong).json() == {"code": 401, "desc": PAGE_TEXTS[401]}


@pytest.mark.parametrize(("state", "code"), [("suspended", 412), ("observation", 413), ("disabled", 403)])
def test_account_state_has_its_code(twin, state, code):
    twin.control("accounts", user=USER, state=state)
    assert twin.send() == {"code": code, "desc": PAGE_TEXTS[code]}
    assert twin.ledger() == []


def test_403_for_an_address_that_is_not_on_the_list(twin):
    twin.control("accounts", user=USER, allow_list=["10.0.0.0/8", "192.0.2.7"])
    assert twin.send() == {"code": 403, "desc": PAGE_TEXTS[403]}
    twin.control("accounts", user=USER, allow_list=["127.0.0.0/8"])
    assert twin.send()["code"] == 200


def test_405_for_both_channels_in_one_request(twin):
    assert twin.send(to=f"{FARID},whatsapp:{AMINAH}") == {"code": 405, "desc": PAGE_TEXTS[405]}


def test_406_for_whatsapp_text_that_no_template_matches(twin):
    assert twin.send(text="Big sale!") == {"code": 406, "desc": PAGE_TEXTS[406]}
    assert twin.send(to=AMINAH, text="Big sale!")["code"] == 200


def test_402_takes_nothing_if_the_balance_does_not_cover_every_recipient(twin):
    twin.control("balance", balance="0.1999")
    pair = f"whatsapp:{AMINAH},whatsapp:{FARID}"
    assert twin.send(to=pair) == {"code": 402, "desc": PAGE_TEXTS[402]}
    assert (twin.balance(), twin.ledger()) == ("0.1999", [])
    twin.control("balance", balance="0.2000")
    assert twin.send(to=pair)["code"] == 200
    assert twin.balance() == "0.0000"


def test_sms_is_charged_by_part_with_the_platform_prefix_for_malaysia(twin):
    for to, text in [(AMINAH, "a" * 156), (AMINAH, "a" * 157), ("6591234567", "a" * 160), (AMINAH, "您" * 67)]:
        assert twin.send(to=to, text=text)["code"] == 200
    assert [line["charge"] for line in twin.ledger()] == ["0.0800", "0.1600", "0.0800", "0.1600"]


def break_all(twin: Twin) -> dict[str, str]:
    """A request that every check would refuse, on an account that is out of money."""
    twin.control("balance", balance="0.0000")
    twin.control("accounts", user=USER, state="suspended", allow_list=["192.0.2.1"])
    return {"user": USER, "pass": "wrong", "to": f"{FARID},whatsapp:{AMINAH}", "text": ""}


def test_checks_come_in_the_documented_order(twin):
    form, codes = break_all(twin), []
    mends = [
        lambda: form.update(text="Big sale!"),
        lambda: form.update({"pass": SECRET}),
        lambda: twin.control("accounts", user=USER, state="observation"),
        lambda: twin.control("accounts", user=USER, state="ok"),
        lambda: twin.control("accounts", user=USER, allow_list=[]),
        lambda: form.update(to=f"whatsapp:{AMINAH}"),
        lambda: form.update(text=APPROVED),
        lambda: twin.control("balance", balance="1.0000"),
    ]
    for mend in mends:
        codes.append(twin.post_form(form).json()["code"])
        mend()
    assert codes == [400, 401, 412, 413, 403, 405, 406, 402]
    assert twin.post_form(form).json()["code"] == 200


@pytest.mark.parametrize("code", sorted(PAGE_TEXTS))
def test_any_documented_code_comes_on_demand_with_the_page_s_words(twin, code):
    twin.faults({"fault": f"code{code}", "at": [1]})
    answer = twin.post_form(GOOD)
    assert (answer.status_code, answer.json()) == (200, {"code": code, "desc": PAGE_TEXTS[code]})
    assert "OK" not in answer.text
    assert len(twin.ledger()) == (1 if code == 500 else 0)


def test_refs_never_repeat(twin):
    refs = [twin.send()["ref"] for _ in range(300)]
    assert len(set(refs)) == 300


def test_balance_answers_in_a_description(twin):
    twin.control("balance", balance="187.9236")
    ask = {"user": USER, "pass": SECRET}
    plain = {"status": "success", "description": {"currency": "MYR", "balance": "187.9236"}}
    assert twin.get(BALANCE, **ask).json() == plain
    assert twin.http.post(twin.url + BALANCE, data=ask).json() == plain
    assert twin.get(BALANCE, **ask, country="ATL").json() == plain
    known = twin.get(BALANCE, **ask, country="MYS").json()["description"]
    assert (known["country"], known["credits"]) == ("MYS", "2349")


def test_balance_refuses_wrong_credentials_without_success(twin):
    answer = twin.get(BALANCE, user=USER, **{"pass": "wrong"})
    assert answer.status_code == 200
    assert (answer.json()["status"] == "success", answer.json()["desc"]) == (False, PAGE_TEXTS[401])


def test_connection_stays_open_between_requests(twin):
    assert twin.post_form(GOOD).headers.get("Connection", "keep-alive").lower() == "keep-alive"


def test_other_methods_do_not_send(twin):
    assert requests.put(twin.url + SEND, data=GOOD, timeout=5).status_code == 405
    assert twin.ledger() == []
