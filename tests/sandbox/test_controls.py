"""The control calls: ledger pages, settings, and sentences for bad bodies."""

import ast

import pytest
import requests

from tests.twin import AMINAH, ROOT, SEND, TEMPLATE, USER


def test_ledger_pages_meet_without_gap_or_overlap(twin):
    seven = ",".join(f"whatsapp:6012324{n:04d}" for n in range(7))
    for _ in range(150):
        twin.send(to=seven)
    first = twin.get("/sandbox/ledger").json()
    assert (len(first["entries"]), first["next"]) == (1000, 1000)
    second = twin.get("/sandbox/ledger", after=first["next"]).json()
    assert ([second["entries"][0]["seq"], len(second["entries"])], second["next"]) == ([1001, 50], None)
    small = twin.get("/sandbox/ledger", after=3, limit=9).json()
    assert ([entry["seq"] for entry in small["entries"]], small["next"]) == (list(range(4, 13)), 12)
    assert twin.get("/sandbox/ledger", after=1050).json() == {"entries": [], "next": None}
    assert len(twin.get("/sandbox/ledger", limit=5000).json()["entries"]) == 1000


@pytest.mark.parametrize("query", [{"after": "x"}, {"limit": "-1"}, {"after": "1.5"}])
def test_a_bad_page_is_400(twin, query):
    assert twin.get("/sandbox/ledger", **query).status_code == 400


def test_templates_are_added_not_replaced(twin):
    twin.control("templates", texts=["Another {{a}}", TEMPLATE])
    assert twin.send(text="Another one")["code"] == twin.send()["code"] == 200
    assert twin.state()["templates"].count(TEMPLATE) == 1


def test_a_text_becomes_approved_while_the_sandbox_runs(twin):
    assert twin.send(text="Fresh from the press")["code"] == 406
    twin.control("templates", texts=["Fresh from the {{x}}"])
    assert twin.send(text="Fresh from the press")["code"] == 200


def test_reset_keeps_accounts_and_templates_and_nothing_else(twin):
    twin.control("accounts", user="kept", **{"pass": "p"})
    twin.control("mo", msisdn=AMINAH, text="Hi")
    twin.control("balance", balance="1.0000")
    twin.faults({"fault": "code402", "share": 1})
    twin.send()
    twin.control("reset")
    state = twin.state()
    assert (state["recipients"], state["phones"], state["faults"]) == (0, 0, [])
    assert "kept" in [account["user"] for account in state["accounts"]]
    assert twin.send()["code"] == 200
    assert twin.send(text="Free words")["code"] == 406


def test_dn_settings_that_are_not_given_stay(twin):
    twin.control("dn", form="json")
    twin.control("dn", retries=1)
    assert (twin.state()["dn"]["form"], twin.state()["dn"]["retries"]) == ("json", 1)


@pytest.mark.parametrize(
    ("name", "body", "word"),
    [
        ("dn", {"form": "xml"}, "form"),
        ("dn", {"delay_s": -1}, "delay_s"),
        ("dn", {"delay_s": "1"}, "delay_s"),
        ("dn", {"undelivered_share": 2}, "undelivered_share"),
        ("dn", {"error_codes": []}, "error_codes"),
        ("dn", {"error_codes": ["many"]}, "error_codes"),
        ("dn", {"retries": 1.5}, "retries"),
        ("dn", {"suffix_single": 1}, "suffix_single"),
        ("dn", {"colour": 1}, "colour"),
        ("balance", {"balance": 5}, "balance"),
        ("balance", {"balance": "-1"}, "balance"),
        ("balance", {"balance": "1.00001"}, "balance"),
        ("balance", {"balance": "NaN"}, "balance"),
        ("balance", {"balance": "1.0", "user": "nobody"}, "account"),
        ("templates", {"texts": "one"}, "texts"),
        ("templates", {"texts": []}, "texts"),
        ("templates", {"texts": [""]}, "texts"),
        ("templates", {"texts": ["\ud800"]}, "half a character"),
        ("accounts", {"user": "new"}, "pass"),
        ("accounts", {"user": ""}, "user"),
        ("accounts", {"user": USER, "state": "asleep"}, "state"),
        ("accounts", {"user": USER, "allow_list": ["localhost"]}, "allow_list"),
        ("accounts", {"user": USER, "allow_list": "10.0.0.1"}, "allow_list"),
        ("accounts", {"user": USER, "hooks": {"dn": "ftp://x"}}, "hooks.dn"),
        ("accounts", {"user": USER, "hooks": {"sms": "http://x"}}, "hooks"),
        ("reset", {"all": True}, "all"),
    ],
)
def test_a_bad_body_is_explained_and_changes_nothing(twin, name, body, word):
    before = twin.state()
    assert word in twin.refused(name, body)
    assert twin.state() == before


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"\xff"])
def test_a_body_that_is_no_object_is_400(twin, body):
    assert requests.post(f"{twin.url}/sandbox/dn", data=body, timeout=5).status_code == 400


def test_another_site_s_page_steers_nothing(twin):
    foreign = {"Sec-Fetch-Site": "cross-site"}
    answer = requests.post(f"{twin.url}/sandbox/balance", json={"balance": "0.0000"}, headers=foreign, timeout=5)
    assert answer.status_code == 403
    assert twin.send()["code"] == 200


def test_state_shows_no_secret_and_no_hook_token(twin):
    twin.control("accounts", user=USER, hooks={"dn": "http://127.0.0.1:9/hooks/very-secret/dn"})
    text = twin.get("/sandbox/state").text
    assert "very-secret" not in text
    assert "secret-of-tests" not in text
    assert '"http://127.0.0.1:9"' in text


def test_one_account_is_not_charged_for_another(twin):
    twin.control("accounts", user="other", **{"pass": "p"})
    twin.control("balance", balance="0.0000", user="other")
    form = {"user": "other", "pass": "p", "to": AMINAH, "text": "Good day"}
    assert requests.post(twin.url + SEND, data=form, timeout=5).json()["code"] == 402
    assert twin.send()["code"] == 200


def test_the_twin_shares_no_code_with_what_it_judges():
    allowed = {"aiohttp", "yarl"}
    for path in (ROOT / "messaging/providers/sandbox").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert node.level <= 1, path
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and not node.level else []
            for name in names:
                assert name.split(".")[0] in allowed | sys_names(), (path, name)


def sys_names() -> set[str]:
    import sys

    return set(sys.stdlib_module_names)
