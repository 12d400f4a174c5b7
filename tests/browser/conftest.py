"""One running product for each module, and a Chromium in which its people sign in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from config.launch.screens import QUIET
from config.launch.screens import sign_in as sign_in_at
from tests.rig import Rig, running

DESK = {"width": 1440, "height": 900}
SMALL = {"width": 1024, "height": 768}
PHONE = {"width": 390, "height": 844}
PATIENCE_MS = 20_000

Desk = Callable[[str], Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(__file__.rpartition("/")[0]):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def rig(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with running(tmp_path_factory.mktemp("browser") / "home") as rig:
        yield rig


@pytest.fixture(scope="module")
def complaints() -> list[str]:
    """What consoles said, scripts threw and the content policy stopped, with the page on which it was."""
    return []


@pytest.fixture(scope="module")
def desk(browser: Browser, rig: Rig, complaints: list[str]) -> Iterator[Desk]:
    """The page of the user of that name, signed in through the form the first time that it is asked for."""
    pages: dict[str, Page] = {}

    def page_of(user: str) -> Page:
        if user not in pages:
            pages[user] = sign_in(browser.new_context(viewport=DESK), rig, user)
            overhear(pages[user], complaints)
        return pages[user]

    yield page_of
    for page in pages.values():
        page.context.close()


def sign_in(context: BrowserContext, rig: Rig, user: str) -> Page:
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    sign_in_at(page, rig.run["web"], user, rig.run["users"][user])
    return page


def overhear(page: Page, complaints: list[str]) -> None:
    def complain(words: object) -> None:
        complaints.append(f"{page.url}: {words}")

    page.expose_function("stopped", complain)
    page.add_init_script(
        "addEventListener('securitypolicyviolation', ({effectiveDirective, blockedURI, sourceFile, lineNumber}) => "
        "stopped(['CSP', effectiveDirective, blockedURI, sourceFile, lineNumber].join(' ')))"
    )
    page.on("console", lambda said: said.type in ("error", "warning") and not meant(said.text) and complain(said.text))
    page.on("pageerror", complain)
    page.on("request", lambda asked: elsewhere(asked.url) and complain(f"asked {asked.url}"))


def meant(text: str) -> bool:
    """An answer that is part of the talk (409 stale, 422 look again), or a question that a later one took the place of.

    htmx calls both an error; a request that failed is `htmx:sendError` besides.
    """
    return bool(re.search(r"with a status of 4(09|22)|^htmx:(sendAbort|afterRequest), ", text))


def elsewhere(url: str) -> bool:
    """Whether a request would leave this machine."""
    return not url.startswith(("http://127.0.0.1:", "data:", "blob:"))
