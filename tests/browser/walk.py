"""Every screen of a running product, found by following its links, and what is wrong with each."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urlsplit

import axe_playwright_python
from playwright.sync_api import Page

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()
ALIKE = 3  # pages of one kind that are looked at; a campaign looks different as a draft and as a report
NAMES = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|(?<=/)\d+(?=/)")
NOT_PAGES = re.compile(r"/accounts/logout/|/bad-rows/|/password/|/api/schema/|/admin/jsi18n/|/admin/logout/")
GRAVE = ("serious", "critical")


@dataclass
class Seen:
    """One page: its address and what was found on it."""

    url: str
    faults: list[str] = field(default_factory=list)


def kind_of(url: str) -> str:
    """Pages with the same kind differ only in whose page they are."""
    return NAMES.sub("<id>", urlsplit(url).path)


def screens(page: Page, start: str) -> Iterator[str]:
    """Open one screen after the other, each at its address, until no link leads to a kind that is not known yet."""
    home = "{0.scheme}://{0.netloc}/".format(urlsplit(start))
    waiting, met, kinds = deque([start]), {start}, Counter[str]()
    while waiting:
        url = waiting.popleft()
        kind = kind_of(url)
        if kinds[kind] >= (1 if "/admin/" in kind else ALIKE):
            continue
        kinds[kind] += 1
        answer = page.goto(url)
        assert answer and answer.ok, f"{url}: {answer and answer.status}"
        yield url
        for link in page.locator("a[href]").evaluate_all("links => links.map(link => link.href)"):
            address = urldefrag(link).url.partition("?")[0]
            if address.startswith(home) and address not in met and not NOT_PAGES.search(address):
                met.add(address)
                waiting.append(address)


def axe(page: Page, options: dict[str, Any] | None = None) -> list[str]:
    """What axe-core finds grave on the page as it is, a line each."""
    page.evaluate(AXE)
    found = page.evaluate("options => axe.run(document, options)", options or {"resultTypes": ["violations"]})
    return [
        f"{fault['id']} at {' '.join(map(str, node['target']))}: {node['html'][:160]}"
        for fault in found["violations"]
        if fault["impact"] in GRAVE
        for node in fault["nodes"]
    ]


def in_each_theme(page: Page, look: Callable[[], list[str]]) -> list[str]:
    """What is found in the light and in the dark."""
    found = []
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found += [f"{scheme}: {fault}" for fault in look()]
    return found
