"""Every screen of a running product, found by following its links in a browser."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urldefrag, urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import Page

ALIKE = 4  # how many of one kind are visited; a campaign looks different as a draft and as a report
UNLINKED = ("styleguide/",)  # known by their address alone
NAMES = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|(?<=/)\d+(?=/)")
NO_SCREENS = re.compile(
    r"/accounts/logout/|/bad-rows/|/admin/.+/password/|/api/(?:schema|docs)/|/admin/jsi18n/|/admin/logout/"
)
# Media queries are asked again with the next frame, and theme.js hears of it as late as Chromium likes: so it is told.
SETTLE = """async scheme => {
  const frame = () => new Promise(requestAnimationFrame);
  const {dataset} = document.documentElement;
  await frame();
  for (const name of ["bsTheme", "theme"]) if (dataset[name] && scheme) localStorage.theme = dataset[name] = scheme;
  await frame();
  await frame();
  document.getAnimations().forEach(one => one.finish());
}"""
QUIET = [
    "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def kind_of(url: str) -> str:
    """Screens of the same kind differ only in whose they are."""
    return NAMES.sub("<id>", urlsplit(url).path)


def sign_in(page: Page, web: str, user: str, password: str) -> None:
    page.goto(f"{web}/accounts/login/")
    page.locator("[name=login]").fill(user)
    page.locator("[name=password]").fill(password)
    page.locator("[name=password]").press("Enter")
    page.wait_for_url(f"{web}/")


def screens(page: Page, start: str) -> Iterator[tuple[str, int]]:
    """Open one screen after the other; its address and HTTP status, until no link leads to a kind not seen yet."""
    known = [start, *(start + path for path in UNLINKED)]
    waiting, met, kinds = deque(known), set(known), Counter[str]()
    while waiting:
        url = waiting.popleft()
        kind = kind_of(url)
        if kinds[kind] >= (1 if "/admin/" in kind else ALIKE):
            continue
        kinds[kind] += 1
        answer = page.goto(url)
        yield url, answer.status if answer else 0
        for link in page.locator("a[href]").evaluate_all("links => links.map(link => link.href)"):
            address = urldefrag(link).url.partition("?")[0]
            if address.startswith(start) and address not in met and not NO_SCREENS.search(address):
                met.add(address)
                waiting.append(address)


def resize(page: Page, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate(SETTLE, "")


def dress(page: Page, scheme: str) -> None:
    """The page in `light` or `dark`, without waiting for anything to fade."""
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    page.evaluate(SETTLE, scheme)
