"""The provider's two addresses."""

import asyncio
import socket
import struct
import time

from aiohttp import web

from . import checks, codes, faults, parts, wire
from .checks import Refused
from .faults import Hit
from .notices import Notices
from .state import Sandbox

CURRENCY = "MYR"
COUNTRIES = {"MYS", "SGP", "IDN", "THA", "BRN", "PHL", "VNM", "60", "65", "62", "66", "673", "63", "84"}
EARLY_WAIT_S = 5.0  # an answer waits no longer for its own DNs
ERROR_PAGE = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center><hr></body></html>"
PHP_WARNING = "<br />\n<b>Warning</b>:  mysqli_query(): MySQL server has gone away in <b>send.php</b> on line <b>78</b>"


class Provider:
    def __init__(self, sandbox: Sandbox, notices: Notices) -> None:
        self._sandbox, self._notices = sandbox, notices

    def routes(self) -> list[web.RouteDef]:
        send, balance = "/gw/bulk360/v3_0/send.php", "/api/balance/v3_0/getBalance"
        return [
            web.post(send, self.send),
            web.get(send, self.send),
            web.post(balance, self.balance),
            web.get(balance, self.balance),
        ]

    async def send(self, request: web.Request) -> web.Response:
        given = await wire.parameters(request)
        hit = self._sandbox.faults.next_call()
        if hit.refusal:
            return _refuse(request, hit.refusal)
        now = time.time()
        try:
            submission = self._sandbox.desk.submission(given, request.remote or "", now)
        except Refused as refused:
            return wire.refusal(refused.code)
        before = submission.account.balance
        record = self._sandbox.accept(submission, now=now, flags=hit.also)
        if "early_dn" in hit.also:
            await self._notices.tell_early(record, wait_s=EARLY_WAIT_S)
        else:
            self._notices.owe_dns(record)
        content = {"code": codes.ACCEPTED, "desc": codes.RESPONSES[codes.ACCEPTED], "to": given["to"]}
        content["ref"] = record["ref"]
        if given.get("detail") == "1":
            content |= {"currency": CURRENCY, "balance": parts.money(before)}
        return await _answer(request, hit, wire.answer(content))

    async def balance(self, request: web.Request) -> web.Response:
        given = await wire.parameters(request)
        try:
            checks.require(given, "user", "pass")
            account = self._sandbox.desk.signed_in(given)
            checks.admit(account, request.remote or "")
        except Refused as refused:
            return wire.answer({"status": "failed", "code": refused.code, "desc": codes.RESPONSES[refused.code]})
        description = {"currency": CURRENCY, "balance": parts.money(account.balance)}
        country = given.get("country", "").upper()
        if country in COUNTRIES:
            description |= {"country": country, "credits": str(account.balance // parts.SMS_CHARGE)}
        return wire.answer({"status": "success", "description": description})


def _refuse(request: web.Request, fault: str) -> web.Response:
    if fault == "reset_before":
        return _cut(request, reset=True)
    if fault == "http503":
        return _error_page(503, "503 Service Temporarily Unavailable")
    return wire.refusal(faults.CODES[fault])


async def _answer(request: web.Request, hit: Hit, answer: web.Response) -> web.Response:
    """The answer to an accepted request, or what a fault makes of it."""
    match hit.answer:
        case "drop_after":
            return _cut(request)
        case "stall_after":
            await asyncio.sleep(faults.STALL_S)
        case "slow":
            await asyncio.sleep(faults.SLOW_S)
        case "code500":
            return wire.refusal(codes.SERVER_ERROR)
        case "http500":
            return _error_page(500, "500 Internal Server Error")
        case "nonjson_after":
            return web.Response(text=PHP_WARNING, content_type="text/html")
    return answer


def _error_page(status: int, title: str) -> web.Response:
    return web.Response(status=status, text=ERROR_PAGE.format(title), content_type="text/html")


def _cut(request: web.Request, *, reset: bool = False) -> web.Response:
    """End the connection without an answer: closed, or reset as by a firewall."""
    if request.transport is not None:
        if reset:
            linger = struct.pack("ii", 1, 0)
            request.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        request.transport.abort()
    return web.Response()  # goes nowhere
