"""The twin as one aiohttp application."""

from collections.abc import AsyncIterator

from aiohttp import web

from .bodies import explain_bad_bodies
from .control import Control
from .handsets import Handsets
from .notices import Notices
from .provider import Provider
from .state import Sandbox


def build(sandbox: Sandbox, *, zone: str) -> web.Application:
    notices = Notices(sandbox)

    async def deliver_notices(_: web.Application) -> AsyncIterator[None]:
        await notices.start()
        yield
        await notices.stop()

    app = web.Application(middlewares=[explain_bad_bodies])
    app.cleanup_ctx.append(deliver_notices)
    for part in (Provider(sandbox, notices), Control(sandbox, notices), Handsets(sandbox, notices, zone)):
        app.add_routes(part.routes())
    app.router.add_get("/healthz", alive)
    return app


async def alive(_: web.Request) -> web.Response:
    return web.json_response({"ok": True})
