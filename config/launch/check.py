"""`manage.py up --check`: start, send one campaign through the sandbox until it is delivered, stop."""

import argparse
import shutil
import tempfile
import time
import uuid
from contextlib import suppress
from pathlib import Path

import psycopg

from config.launch import database, services, up
from config.launch.home import Home
from config.launch.problem import Problem
from config.launch.stack import Stack
from config.launch.supervisor import Stopped

LIMIT_S, END_S = 120.0, 16.0  # of the whole check, and of what is kept back for its end
CHILD_STOP_S = 4.0
WORDS_S = 3.0  # for check_campaign to say why it gives up
# A worker that is killed meanwhile leaves a lease of 25 s, not of 65 (settings.py): its unknowns show within the check.
IN_A_HURRY = {"PROVIDER_DEADLINE_S": "15", "FIRST_BYTE_S": "5"}


def run(options: argparse.Namespace) -> int:
    """Exit code 0 and `check: ok`, or 1 and `check: failed: <why>`, as the last line."""
    until = time.monotonic() + LIMIT_S - END_S
    home = options.home or Path(tempfile.mkdtemp(prefix="switchboard-check-"))
    try:
        why = _attempt(up.claim(options, Home(home)), until=until, keep=bool(options.home))
    finally:
        if not options.home:
            shutil.rmtree(home, ignore_errors=True)
    print(f"check: failed: {why}" if why else "check: ok", flush=True)
    return 1 if why else 0


def _attempt(stack: Stack, *, until: float, keep: bool) -> str | None:
    """Why it failed, if it did. The database is one of its own, whatever server it is on."""
    name = f"gateway_check_{uuid.uuid4().hex[:12]}"
    try:
        stack.start(services.find(stack.home.path, keep=keep), own_database=name, more=IN_A_HURRY)
        left = max(1.0, until - time.monotonic())
        code = stack.manage("check_campaign", "--limit-s", f"{left - WORDS_S:.1f}", limit_s=left, echo=True)
        return f"check_campaign ended with {code}" if code else None
    except Stopped:
        return "told to stop"
    except (Problem, psycopg.Error) as problem:
        return " ".join(str(problem).split())
    finally:
        stack.stop_children(at_most_s=CHILD_STOP_S)
        with suppress(psycopg.Error):
            database.drop(stack.services.database_url, name)
        stack.stop()
