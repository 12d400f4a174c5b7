"""`/sandbox/…`: what tests, rehearsals and the handsets page set and ask."""

from dataclasses import asdict, replace

from aiohttp import web
from yarl import URL

from . import bodies, ledger
from .accounts import STATES, Account
from .bodies import BadBody, Body, body_of, require
from .dns import DnSettings
from .notices import Notices
from .parts import money
from .state import Sandbox

CHANNELS = ("whatsapp", "sms")


class Control:
    def __init__(self, sandbox: Sandbox, notices: Notices) -> None:
        self._sandbox, self._notices = sandbox, notices

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/sandbox/ledger", self.ledger),
            web.get("/sandbox/state", self.state),
            web.post("/sandbox/mo", self.mo),
            web.post("/sandbox/faults", self.faults),
            web.post("/sandbox/dn", self.dn),
            web.post("/sandbox/balance", self.balance),
            web.post("/sandbox/templates", self.templates),
            web.post("/sandbox/accounts", self.accounts),
            web.post("/sandbox/reset", self.reset),
        ]

    async def ledger(self, request: web.Request) -> web.Response:
        after = bodies.whole(request.query.get("after") or "0", "after")
        limit = bodies.whole(request.query.get("limit") or str(ledger.PAGE), "limit")
        entries, following = self._sandbox.ledger.page(after, min(max(limit, 1), ledger.PAGE))
        return web.json_response({"entries": entries, "next": following})

    async def mo(self, request: web.Request) -> web.Response:
        body = await body_of(request, "msisdn", "text", "channel", "at", "id", "user")
        channel, moid = body.get("channel", "whatsapp"), body.get("id")
        require(channel in CHANNELS, "channel is whatsapp or sms.")
        require(moid is None or (isinstance(moid, str) and 0 < len(moid) <= 200), "id is a text of 1 to 200 letters.")
        number = self._sandbox.receive_mo(
            msisdn=bodies.msisdn(body.get("msisdn")),
            text=bodies.text(body.get("text"), "text"),
            channel=channel,
            at=bodies.moment(body.get("at")),
            moid=moid,
            user=self._account(body).user,
        )
        self._notices.owe_mo(number)
        return _done()

    async def faults(self, request: web.Request) -> web.Response:
        body = await body_of(request, "faults")
        self._sandbox.faults.replace(bodies.faults(body.get("faults")))
        return _done()

    async def dn(self, request: web.Request) -> web.Response:
        """Keys that are not given stay as they are."""
        body = await body_of(request, *asdict(DnSettings()))
        bodies.check_dn(body)
        if "error_codes" in body:
            body["error_codes"] = [str(code) for code in body["error_codes"]]
        self._sandbox.set_dn(replace(self._sandbox.dn, **body))
        return _done()

    async def balance(self, request: web.Request) -> web.Response:
        body = await body_of(request, "balance", "user")
        account = self._account(body)
        self._sandbox.commit({"kind": "balance", "user": account.user, "balance": bodies.amount(body.get("balance"))})
        return _done()

    async def templates(self, request: web.Request) -> web.Response:
        body = await body_of(request, "texts")
        fresh = [text for text in bodies.texts(body.get("texts")) if text not in self._sandbox.templates.texts]
        if fresh:
            self._sandbox.commit({"kind": "template", "texts": fresh})
        return _done()

    async def accounts(self, request: web.Request) -> web.Response:
        """Add an account, or change what is given of one; `hooks` too keeps the one that is not named."""
        body = await body_of(request, "user", "pass", "hooks", "allow_list", "state")
        known = self._sandbox.accounts.get(bodies.text(body.get("user"), "user"))
        require(known or "pass" in body, "A new account needs a pass.")
        account = replace(known or Account(body["user"], ""))
        account.secret = bodies.text(body.get("pass", account.secret), "pass")
        account.hooks = bodies.hooks(account.hooks, body.get("hooks", {}))
        account.allow_list = bodies.allow_list(body.get("allow_list", account.allow_list))
        account.state = body.get("state", account.state)
        require(account.state in STATES, f"state is one of {', '.join(STATES)}.")
        self._sandbox.commit(account.record())
        return _done()

    async def reset(self, request: web.Request) -> web.Response:
        if request.can_read_body:
            await body_of(request)
        self._sandbox.reset()
        self._notices.forget()
        return _done()

    async def state(self, request: web.Request) -> web.Response:
        """For people; no secrets, no hook tokens."""
        sandbox = self._sandbox
        return web.json_response(
            {
                "requests": sandbox.ledger.requests,
                "recipients": len(sandbox.ledger),
                "phones": len(sandbox.phones),
                "pending": {"dn": len(self._notices.dns), "mo": len(self._notices.mos)},
                "send_calls": sandbox.faults.calls,
                "faults": [fault.shown() for fault in sandbox.faults.active],
                "dn": asdict(sandbox.dn),
                "templates": list(sandbox.templates.texts),
                "accounts": [_shown(account) for account in sandbox.accounts.values()],
                "seeded": sandbox.seeded_user,
            }
        )

    def _account(self, body: Body) -> Account:
        user = body.get("user", self._sandbox.seeded_user)
        account = self._sandbox.accounts.get(user) if isinstance(user, str) else None
        if account is None:
            raise BadBody("There is no account with this user.")
        return account


def _done() -> web.Response:
    return web.json_response({"ok": True})


def _shown(account: Account) -> Body:
    return {
        "user": account.user,
        "state": account.state,
        "balance": money(account.balance),
        "allow_list": account.allow_list,
        "hooks": {name: str(URL(address).origin()) for name, address in account.hooks.items()},
        "windows": len(account.windows),
    }
