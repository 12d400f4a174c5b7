"""`python -m messaging.providers.sandbox --port 9360 --home var/sandbox`"""

import argparse
import asyncio
import gc
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from zoneinfo import available_timezones

from aiohttp import web

from .app import build
from .journal import Taken
from .lenient import LenientLines
from .state import Sandbox

SAMPLE_USER, SAMPLE_SECRET = ("7LrdwRb1Ya", "aAjc9I7mW5eGzxwYs")  # the examples of the provider's page
ZONE = "Asia/Kuala_Lumpur"  # the provider's own
KEEP_ALIVE_S = 75.0
BACKLOG = 1024
LAST_WORDS_S = 1.0  # how long requests may finish after SIGTERM; a stalled one does not hold us up


def options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="sandbox", description="The provider's twin for demos, practice and tests.")
    parser.add_argument("--home", type=Path, required=True, help="directory for its journal")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    parser.add_argument("--fd", type=int, help="a listening socket that was handed down; --port is not looked at then")
    parser.add_argument("--user", default=os.environ.get("SANDBOX_APP_KEY") or SAMPLE_USER)
    parser.add_argument("--secret", default=os.environ.get("SANDBOX_APP_SECRET") or SAMPLE_SECRET)
    zone = os.environ.get("TIME_ZONE") or ZONE
    parser.add_argument(
        "--time-zone", default=zone, type=_zone, help=f"of the handsets' clocks; else TIME_ZONE, or {ZONE}"
    )
    return parser.parse_args(arguments)


def _zone(name: str) -> str:
    if name not in available_timezones():
        raise argparse.ArgumentTypeError(f"{name} is no time zone; one is {ZONE}")
    return name


def listening_socket(given: argparse.Namespace) -> socket.socket:
    if given.fd is not None:
        return socket.socket(fileno=given.fd)
    family = socket.AF_INET6 if ":" in given.host else socket.AF_INET
    return socket.create_server((given.host, given.port), family=family, backlog=BACKLOG)


async def serve(sandbox: Sandbox, listening: socket.socket, *, zone: str) -> None:
    """Runs until SIGTERM or SIGINT."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    runner = web.AppRunner(
        build(sandbox, zone=zone), access_log=None, keepalive_timeout=KEEP_ALIVE_S, shutdown_timeout=LAST_WORDS_S
    )
    await runner.setup()
    strict: Callable[[], asyncio.Protocol] = runner.server  # type: ignore[assignment]
    server = await loop.create_server(lambda: LenientLines(strict()), sock=listening, backlog=BACKLOG)
    host, port = listening.getsockname()[:2]
    _say(f"Sandbox is ready at http://{f'[{host}]' if ':' in host else host}:{port}")
    await ended.wait()
    server.close()
    await runner.cleanup()
    sandbox.journal.close()


def main() -> int:
    given = options(sys.argv[1:])
    try:
        listening = listening_socket(given)
    except OSError as error:
        return _give_up(f"The sandbox cannot listen on {given.host}:{given.port}: {os.strerror(error.errno or 0)}.")
    try:
        sandbox = Sandbox(given.home, user=given.user, secret=given.secret)
    except Taken as taken:
        return _give_up(f"Another sandbox is running with the home {taken}.")
    except OSError as error:
        return _give_up(f"The sandbox cannot keep its journal in {given.home}: {os.strerror(error.errno or 0)}.")
    gc.freeze()  # what the journal filled stays; no need to walk it again
    asyncio.run(serve(sandbox, listening, zone=given.time_zone))
    return 0


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


def _give_up(why: str) -> int:
    sys.stderr.write(f"{why}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
