"""`manage.py screenshots`: pictures of every screen of a running `up`, to look at after a change."""

import argparse
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page, sync_playwright

from config.launch.problem import ROOT, Problem
from config.launch.screens import QUIET, dress, kind_of, resize, screens, sign_in

WIDTHS = {1440: 900, 1024: 768, 390: 844}  # a desk, a tablet, a telephone
SCHEMES = ("light", "dark")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LOAD_MS = 20_000
# Of Django's admin: its index, a list, a form to read, one to fill in, and what was done there.
DESK = re.compile(r"/admin/(?:messaging/message/(?:<id>/change/)?|auth/user/<id>/(?:change|history)/)?")


def run(options: argparse.Namespace) -> int:
    """Sign in as the admin, walk, and take each screen as it comes."""
    running = _running(options.home or Path(os.environ.get("SWITCHBOARD_HOME") or ROOT / "var"))
    chromium = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if chromium is None:
        raise Problem("There is no Chromium here: apt-get install chromium")
    with sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=chromium, args=QUIET).new_page()
        page.set_default_timeout(LOAD_MS)
        visited = [url for url in _all(page, running) if _take(page, url, options)]
    print(f"{len(visited)} screens, {len(visited) * len(WIDTHS) * len(SCHEMES)} pictures in {options.out}")
    return 0


def _all(page: Page, running: dict[str, Any]) -> Iterator[str]:
    """The handsets and the way in, then whatever an admin sees."""
    page.goto(running["sandbox"], wait_until="networkidle")
    yield "/handsets/"
    page.goto(f"{running['web']}/accounts/login/")
    yield page.url
    sign_in(page, running["web"], "admin", running["users"]["admin"])
    yield from (url for url, _status in screens(page, f"{running['web']}/"))


def _running(home: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads((home / "run.json").read_text())
    except FileNotFoundError:
        raise Problem(f"Nothing runs with {home}: start it with `manage.py up --home {home}`.") from None
    return found


def is_taken(url: str) -> bool:
    """Every screen of ours; the admin's pages are alike, so a few stand for them all."""
    kind = kind_of(url)
    return not kind.startswith("/admin/") or DESK.fullmatch(kind) is not None


def _take(page: Page, url: str, options: argparse.Namespace) -> bool:
    """The page that is open, at each width and in each scheme."""
    if options.only not in url or not is_taken(url):
        return False
    for width, height in WIDTHS.items():
        resize(page, width, height)
        for scheme in SCHEMES:
            dress(page, scheme)
            page.screenshot(path=options.out / f"{width}-{scheme}" / f"{_name(url)}.png", full_page=True)
    return True


def _name(url: str) -> str:
    """A file name from an address; the first letters of an id are enough to tell pages apart."""
    path = re.sub(r"([0-9a-f]{4})[0-9a-f]{4}-[0-9a-f-]{27}", r"\1", urlsplit(url).path)
    return path.strip("/").replace("/", "_") or "dashboard"
