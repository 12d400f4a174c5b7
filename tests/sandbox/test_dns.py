"""Delivery notifications: order, forms, retries, shares."""

import json
import socket
import time
from collections import Counter

import pytest

from tests.twin import AMINAH, FARID, MEI, USER

from .hook import within

PAIR = f"whatsapp:{AMINAH},whatsapp:{FARID}"


def test_each_recipient_gets_sent_and_then_delivered_with_its_position(hooked, hook):
    ref = hooked.send(to=PAIR)["ref"]
    calls = hook.wait(4)
    assert [call.form for call in calls] == [
        {"status": status, "error-code": code, "msisdn": msisdn, "msgid": f"{ref}-{index}"}
        for status, code in [("SENT", "20"), ("DELIVERED", "000")]
        for index, msisdn in enumerate([AMINAH, FARID])
    ]
    assert {(call.method, call.path) for call in calls} == {("POST", "/dn")}


@pytest.mark.parametrize(("suffixed", "ending"), [(False, ""), (True, "-0")])
def test_a_single_recipient_has_a_position_only_on_demand(hooked, hook, suffixed, ending):
    hooked.control("dn", suffix_single=suffixed)
    ref = hooked.send()["ref"]
    assert {call.form["msgid"] for call in hook.wait(2)} == {ref + ending}


def test_dns_wait_for_the_delay(hooked, hook):
    hooked.control("dn", delay_s=0.6)
    started = time.time()
    hooked.send()
    assert hook.wait(2)[0].at - started >= 0.6


def test_get_form_puts_everything_in_the_query(hooked, hook):
    hooked.control("accounts", user=USER, hooks={"dn": f"{hook.url}/dn?from=twin"})
    hooked.control("dn", form="get")
    ref = hooked.send()["ref"]
    call = hook.wait(2)[1]
    told = {"from": "twin", "status": "DELIVERED", "error-code": "000", "msisdn": AMINAH, "msgid": ref}
    assert (call.method, call.body, call.query) == ("GET", b"", told)


def test_json_form_is_json(hooked, hook):
    hooked.control("dn", form="json")
    ref = hooked.send()["ref"]
    call = hook.wait(2)[0]
    assert call.content_type == "application/json"
    assert json.loads(call.body) == {"status": "SENT", "error-code": "20", "msisdn": AMINAH, "msgid": ref}


def test_broken_form_is_the_page_s_sample_which_is_no_json(hooked, hook):
    hooked.control("dn", form="broken")
    ref = hooked.send(to=PAIR)["ref"]
    body = hook.wait(4)[1].body.decode()
    assert body.splitlines()[1:4] == ['"status" : SENT,', '"error-code" : 20,', f'"msisdn" : {FARID},']
    assert f'"msgid" : "{ref}-1" # ' in body
    with pytest.raises(ValueError):
        json.loads(body)


def test_the_undelivered_share_is_kept_nearly_exactly_and_is_the_same_each_time(hooked, hook):
    hooked.control("dn", undelivered_share=0.25, error_codes=["501", 505], delay_s=0)
    picked = []
    for _ in range(2):
        hooked.control("reset")
        hooked.control("dn", undelivered_share=0.25, error_codes=["501", 505], delay_s=0)
        hook.calls.clear()
        for _ in range(100):
            hooked.send()
        finals = [call.form for call in hook.wait(200) if call.form["status"] != "SENT"]
        order = {line["ref"]: line["seq"] for line in hooked.ledger()}
        picked.append({order[final["msgid"]]: final["error-code"] for final in finals})
    assert picked[0] == picked[1]
    counts = Counter(picked[0].values())
    assert 23 <= counts["501"] + counts["505"] <= 27
    assert counts["501"] > 5 < counts["505"]


def test_a_dn_that_got_no_200_comes_again_after_a_second(hooked, hook):
    hook.statuses = [500, 200]
    hooked.send()
    calls = hook.wait(3)
    assert Counter(hook.statuses_told()) == {"SENT": 2, "DELIVERED": 1}
    assert 0.9 < calls[2].at - calls[0].at < 3


def test_retries_end(hooked, hook):
    hooked.control("dn", retries=0)
    hook.statuses = [503, 302]
    hooked.send()
    hook.wait(2)
    within(5, lambda: hooked.state()["pending"]["dn"] == 0)
    time.sleep(1.3)
    assert len(hook.calls) == 2


def test_a_hook_that_refuses_the_connection_is_tried_again(twin, hook):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        dead = closed.getsockname()[1]
    twin.control("accounts", user=USER, hooks={"dn": f"http://127.0.0.1:{dead}/"})
    twin.send()
    within(5, lambda: twin.state()["pending"]["dn"] == 2)
    twin.control("accounts", user=USER, hooks={"dn": f"{hook.url}/dn"})
    assert len(hook.wait(2)) == 2


def test_without_a_hook_nothing_stays_owed(twin):
    twin.send()
    within(5, lambda: twin.state()["pending"]["dn"] == 0)


def test_many_dns_go_over_few_sockets(hooked, hook):
    hooked.control("dn", delay_s=0)
    hook.delay_s = 0.005
    for _ in range(150):
        hooked.send(to=PAIR)
    hook.wait(600, 30)
    assert hook.sockets <= 80


def test_each_account_is_told_at_its_own_hook(hooked, hook):
    hooked.control("accounts", user="another", hooks={"dn": f"{hook.url}/another"}, **{"pass": "p"})
    form = {"user": "another", "pass": "p", "to": MEI, "text": "Good day"}
    assert hooked.post_form(form).json()["code"] == 200
    assert {call.path for call in hook.wait(2)} == {"/another"}


def test_a_reset_forgets_what_was_owed(hooked, hook):
    hooked.control("dn", delay_s=1)
    hooked.send()
    hooked.control("reset")
    time.sleep(1.5)
    assert (hook.calls, hooked.state()["pending"]["dn"]) == ([], 0)
