"""The page of virtual phones: who got what, and a way to answer."""

import re
import time
from itertools import islice
from pathlib import Path
from typing import Any

from aiohttp import web

from . import ledger
from .accounts import Account
from .checks import WINDOW_S
from .codes import DN_CODES
from .notices import Notices
from .parts import money
from .phones import BUBBLES_KEPT, Phone
from .search import Search
from .state import Sandbox

STATIC = Path(__file__).parent / "static"
TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
LISTED, OPENED = 50, 6
STATES = {ledger.ACCEPTED: "accepted", ledger.SENT: "sent", ledger.DELIVERED: "delivered"}
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}

Shown = dict[str, Any]


class Handsets:
    def __init__(self, sandbox: Sandbox, notices: Notices, zone: str) -> None:
        self._sandbox, self._notices, self._zone = sandbox, notices, zone
        self._files = {path.name: path.read_bytes() for path in STATIC.iterdir() if path.suffix in TYPES}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/", self.page),
            web.get("/static/{name}", self.static),
            web.get("/handsets/updates", self.updates),
        ]

    async def page(self, _: web.Request) -> web.Response:
        return self._file("handsets.html")

    async def static(self, request: web.Request) -> web.Response:
        return self._file(request.match_info["name"])

    def _file(self, name: str) -> web.Response:
        if name not in self._files:
            raise web.HTTPNotFound
        kind = TYPES[Path(name).suffix]
        return web.Response(body=self._files[name], content_type=kind, charset="utf-8", headers=HEADERS)

    async def updates(self, request: web.Request) -> web.Response:
        """What changed after a version: the list if anything did, and those of the opened phones that did."""
        phones, asked = self._sandbox.phones, request.query
        after = _version(asked.get("after", "")) if asked.get("epoch") == self._sandbox.epoch else -1
        content: Shown = {
            "epoch": self._sandbox.epoch,
            "version": phones.version,
            "now": time.time(),
            "zone": self._zone,
            "counts": self._counts(),
            "phones": self._listed(asked.get("q", "")) if phones.version > after else None,
            "threads": self._threads(asked.get("open", "").split(",")[:OPENED], after),
        }
        return web.json_response(content, headers=HEADERS)

    def _counts(self) -> Shown:
        sandbox = self._sandbox
        seeded = sandbox.accounts[sandbox.seeded_user]
        return {
            "messages": len(sandbox.ledger),
            "phones": len(sandbox.phones),
            "pending": len(self._notices.dns) + len(self._notices.mos),
            "balance": money(seeded.balance),
            "user": seeded.user,
            "hook": "mo" in seeded.hooks,
        }

    def _listed(self, query: str) -> list[Shown]:
        found = Search(query).phones(self._sandbox.phones, self._bubble_text)
        return [self._line(msisdn, bubble) for msisdn, bubble in islice(found, LISTED)]

    def _line(self, msisdn: str, found: int | None) -> Shown:
        """`found` is the bubble whose text was searched for."""
        phone = self._sandbox.phones[msisdn]
        line = self._about(msisdn, phone) | {"latest": self._bubble(phone.bubbles[-1])}
        return line if found is None else line | {"found": self._bubble(found)}

    def _threads(self, opened: list[str], after: int) -> list[Shown]:
        phones = self._sandbox.phones
        return [
            self._thread(msisdn, phones[msisdn])
            for msisdn in opened
            if msisdn in phones and phones[msisdn].version > after
        ]

    def _thread(self, msisdn: str, phone: Phone) -> Shown:
        bubbles = [self._bubble(bubble) for bubble in phone.bubbles[-BUBBLES_KEPT:]]
        return self._about(msisdn, phone) | {"bubbles": bubbles}

    def _about(self, msisdn: str, phone: Phone) -> Shown:
        account = self._sandbox.accounts[phone.user]
        return {
            "msisdn": msisdn,
            "user": phone.user,
            "channel": phone.channel,
            "window_ends_at": _window_end(account, msisdn),
            "heard": "mo" in account.hooks,
        }

    def _bubble_text(self, bubble: int) -> str:
        number, from_person = divmod(bubble, 2)
        record = self._sandbox.mo(number) if from_person else self._sandbox.ledger.request_of(number)
        return str(record["text"])

    def _bubble(self, bubble: int) -> Shown:
        number, from_person = divmod(bubble, 2)
        return self._reply(number) if from_person else self._message(number)

    def _reply(self, number: int) -> Shown:
        mo = self._sandbox.mo(number)
        return {"id": f"mo{number}", "side": "mo", **{key: mo[key] for key in ("text", "at", "channel")}}

    def _message(self, seq: int) -> Shown:
        request, mark = self._sandbox.ledger.request_of(seq), self._sandbox.ledger.mark_of(seq)
        code = request["fates"][seq - request["seq"]]
        return {
            "id": f"mt{seq}",
            "side": "mt",
            **{key: request[key] for key in ("text", "at", "channel")},
            "state": STATES.get(mark & 3, "undelivered"),
            "error": f"{code} {DN_CODES.get(code, '')}".strip() if mark & 3 == ledger.UNDELIVERED else "",
            "untold": bool(mark & ledger.UNTOLD),
        }


def _version(given: str) -> int:
    return int(given) if re.fullmatch(r"[0-9]{1,15}", given, re.ASCII) else -1


def _window_end(account: Account, msisdn: str) -> float | None:
    opened = account.windows.get(msisdn)
    return None if opened is None else opened + WINDOW_S
