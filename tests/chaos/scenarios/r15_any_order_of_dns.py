"""DNs in every order of up to four, in every shape, and 50 copies at once: the last one received wins, told once."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import Any
from urllib.parse import urlencode

import requests
from django.conf import settings

from messaging.clock import db_now
from messaging.models import DeliveryNotice, EventType, InboundRaw, Message, OutboxEvent
from messaging.webhooks import create_endpoint
from tests.chaos.rig import Rig
from tests.factories import make_user

WORDS = ("SENT", "DELIVERED", "UNDELIVERED")
ORDERS = [order for length in range(1, 5) for order in product(WORDS, repeat=length)]
CALLERS, COPIED, COPIES = 16, 20, 50
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
# As the provider's page prints it: bare words and a comment, which is no JSON.
SAMPLE = '{{"status" : {status}, "error-code" : {code}, "msisdn" : {msisdn}, "msgid" : "{msgid}" # of the request\n}}'

Call = tuple[str, dict[str, Any]]  # method, and what `requests` is given


def run(rig: Rig) -> dict[str, Any]:
    """The sandbox's own DNs lead nowhere: it is told of no hooks before they are over."""
    orders = ORDERS[:: max(1, round(1 / rig.scale))]
    campaign = rig.campaign(len(orders) * len(SHAPES) + COPIED)
    workers = rig.workers(1)
    rig.finish(campaign)
    rig.until(lambda: not rig.sandbox.state()["pending"]["dn"], seconds=120, what="the end of the sandbox's own DNs")
    workers.stop()
    rig.web()
    rig.backstage()
    _subscribe()
    lines = rig.sandbox.ledger()
    told = [(line, order, shape) for line, (order, shape) in zip(lines, product(orders, SHAPES), strict=False)]
    door = Door(rig.hooks()["dn"])
    for step in range(max(map(len, orders))):
        door.take(
            SHAPES[shape](line, order[step], with_index=bool(number % 2))
            for number, (line, order, shape) in enumerate(told) if step < len(order)
        )  # fmt: skip
    copied = lines[len(told) :]
    door.take(_form(line, "DELIVERED", with_index=False) for line in copied for _copy in range(COPIES))
    rig.until(lambda: not InboundRaw.objects.filter(digested_at=None).exists(), seconds=120, what="all is read")
    states = dict(Message.objects.filter(campaign=campaign).values_list("contact__msisdn", "delivery_state"))
    wrong = [(order, shape) for line, order, shape in told if states[line["msisdn"]] != _last_of(order)]
    rig.expect(not wrong, f"{len(wrong)} ended otherwise than the reference, the first by {wrong[:1]}")
    rig.expect(not door.refused, f"answers: {dict(door.refused)}")
    events = _events({line["msisdn"] for line in copied})
    rig.expect(events == [1] * len(copied), f"{COPIES} copies are {Counter(events)} events")
    notices = DeliveryNotice.objects.count()
    rig.expect(notices == door.calls, f"{notices} notices of {door.calls} calls")
    figures = {"orders": len(orders), "shapes": len(SHAPES), "calls": door.calls, "wrong": len(wrong)}
    return figures | {"copies": COPIES, "events_of_them": sum(events)} | rig.verdict(campaign).figures


def _subscribe() -> None:
    """Somebody wants to be told; nobody runs here who would tell them."""
    settings.WEBHOOKS_ALLOW_HTTP, settings.WEBHOOKS_PORTS = True, []
    settings.WEBHOOKS_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    create_endpoint(url="http://127.0.0.1:9/", event_types=[EventType.MESSAGE_STATUS], owner=make_user(), now=db_now())


def _last_of(order: Iterable[str]) -> str:
    """The reference: the last final status received, else SENT."""
    final = [word for word in order if word != "SENT"]
    return final[-1].lower() if final else "sent"


def _events(numbers: set[str]) -> list[int]:
    """How often each of these people's deliveries was told."""
    rows = OutboxEvent.objects.filter(message__contact__msisdn__in=numbers, data__delivery_state="delivered")
    told = Counter(rows.values_list("message__contact__msisdn", flat=True))
    return [told[number] for number in numbers]


class Door:
    """The hook, called by many at once; `take` returns once all of them are answered."""

    def __init__(self, url: str) -> None:
        self._url, self._own = url, threading.local()
        self.calls = 0
        self.refused: Counter[int] = Counter()

    def take(self, calls: Iterable[Call]) -> None:
        with ThreadPoolExecutor(CALLERS) as pool:
            answers = Counter(pool.map(self._call, calls))
        self.calls += answers.total()
        self.refused.update({code: count for code, count in answers.items() if code != requests.codes.ok})

    def _call(self, call: Call) -> int:
        if not hasattr(self._own, "http"):
            self._own.http = requests.Session()
            self._own.http.trust_env = False
        method, given = call
        return self._own.http.request(method, self._url, timeout=60, **given).status_code


def _said(line: dict[str, Any], status: str, *, with_index: bool) -> dict[str, str]:
    msgid = f"{line['ref']}-{line['index']}" if with_index else line["ref"]
    code = "554" if status == "UNDELIVERED" else "000"
    return {"status": status, "error-code": code, "msisdn": line["msisdn"], "msgid": msgid}


def _query(line: dict[str, Any], status: str, *, with_index: bool) -> Call:
    return "GET", {"params": _said(line, status, with_index=with_index)}


def _form(line: dict[str, Any], status: str, *, with_index: bool) -> Call:
    body = urlencode(_said(line, status, with_index=with_index))
    return "POST", {"data": body, "headers": {"Content-Type": FORM}}


def _json(line: dict[str, Any], status: str, *, with_index: bool) -> Call:
    body = json.dumps(_said(line, status, with_index=with_index))
    return "POST", {"data": body, "headers": {"Content-Type": JSON}}


def _sample(line: dict[str, Any], status: str, *, with_index: bool) -> Call:
    said = _said(line, status, with_index=with_index)
    keys = {name.replace("-", "_"): value for name, value in said.items()}
    body = SAMPLE.format(code=int(said["error-code"]), **keys)
    return "POST", {"data": body, "headers": {"Content-Type": JSON}}


SHAPES = {"query": _query, "form": _form, "JSON": _json, "the page's sample": _sample}
