"""`manage.py up`: from an empty folder to a page that answers, and back."""

import argparse
import os
import socket
from contextlib import suppress
from pathlib import Path

from config.launch import check, services
from config.launch.home import Home
from config.launch.problem import ROOT, Problem
from config.launch.stack import Stack
from config.launch.supervisor import Stopped, end_leftovers

WEB_PORT, SANDBOX_PORT, NEXT = 8000, 8100, 100  # without an option: the first free one of so many


def run(options: argparse.Namespace) -> int:
    """Exit code: 0 after TERM or Ctrl-C, 1 if a child would not stay up, 2 if it could not begin."""
    if options.check:
        return check.run(options)
    stack = claim(options, Home(options.home or Path(os.environ.get("SWITCHBOARD_HOME") or ROOT / "var")))
    try:
        with suppress(Stopped):
            stack.start(services.find(stack.home.path))
            print(stack.greeting(), flush=True)
            stack.supervisor.watch()
    finally:
        stack.stop()
    return 0


def claim(options: argparse.Namespace, home: Home) -> Stack:
    """The home, alone and rid of what a killed run left there, and the two ports."""
    home.hold()
    end_leftovers(home.ledger)
    return Stack(home, listen(options.port, WEB_PORT), listen(options.sandbox_port, SANDBOX_PORT))


def listen(port: int | None, first: int) -> socket.socket:
    """A listening socket that outlives whichever child serves it, so that a dead one loses no connection."""
    reason: str | None = None
    for candidate in [port] if port else range(first, first + NEXT):
        try:
            return socket.create_server(("127.0.0.1", candidate), backlog=1024)
        except OSError as error:
            reason = os.strerror(error.errno or 0)
    raise Problem(f"Port {port} cannot be used: {reason}." if port else f"No free port from {first} on: {reason}.")
