"""What a conversation does in a browser while two things happen at once."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, Route, expect

from tests.rig import Rig

from .conftest import DESK, SMALL, Desk

WRITER = "60162127840"
POLL = re.compile(r"/conversations/[^/]+/live/")


def write_in(rig: Rig, text: str) -> None:
    rig.sandbox("mo", msisdn=WRITER, text=text, channel="whatsapp")


@pytest.fixture(scope="module")
def talk(desk: Desk, rig: Rig) -> str:
    """An open conversation, by its address."""
    write_in(rig, "Is the clinic open on Sunday?")
    page = desk("agent")
    page.goto(f"{rig.run['web']}/conversations/")
    page.get_by_role("listitem").filter(has_text="open on Sunday?").get_by_role("link").click()
    expect(page.get_by_label("Your reply")).to_be_visible()
    return page.url


def bubble(page: Page, text: str) -> None:
    expect(page.locator(".bubble", has_text=text)).to_have_count(1)


def test_a_poll_that_is_answered_after_the_reply_is_not_heard(talk: str, desk: Desk, rig: Rig, complaints: list[str]):
    page = desk("agent")
    held: list[Route] = []

    def hold(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.goto(talk)
    write_in(rig, "And on Monday?")
    bubble(page, "And on Monday?")
    page.route(POLL, hold)
    page.wait_for_function("() => document.querySelector('#timeline.htmx-request')")
    page.get_by_label("Your reply").fill("Sunday no, Monday yes.")
    page.get_by_role("button", name="Send", exact=True).click()
    bubble(page, "Sunday no, Monday yes.")
    stale = page.request.get(re.sub(r"seen=\w+", "seen=old", held[0].request.url)).text()
    assert 'id="timeline"' in stale
    with suppress(PlaywrightError):  # the page does not wait for it any more
        held[0].fulfill(body=stale, content_type="text/html")
    page.wait_for_timeout(1_500)
    page.unroute(POLL)
    assert complaints == []
    bubble(page, "Sunday no, Monday yes.")


def test_whoever_looks_at_the_end_goes_on_seeing_it_in_a_smaller_window_and_nobody_else_is_moved(
    talk: str, desk: Desk, rig: Rig
):
    page = desk("agent")
    for number in range(8):
        write_in(rig, f"Line {number}")
    page.goto(talk)
    bubble(page, "Line 7")
    page.set_viewport_size(SMALL)
    expect(page.locator(".bubble", has_text="Line 7")).to_be_in_viewport(ratio=1)
    page.locator("#scroll").evaluate("scroll => { scroll.scrollTop = 0; }")
    page.set_viewport_size(DESK)
    page.set_viewport_size(SMALL)
    page.wait_for_timeout(300)
    assert page.locator("#scroll").evaluate("scroll => scroll.scrollTop") == 0
    page.set_viewport_size(DESK)


def test_a_stop_takes_the_box_away_from_an_open_page_and_start_brings_it_back(talk: str, desk: Desk, rig: Rig):
    page = desk("agent")
    page.goto(talk)
    box, send = page.get_by_label("Your reply"), page.get_by_role("button", name="Send", exact=True)
    expect(box).to_be_visible()
    write_in(rig, "STOP")
    expect(page.locator("#talk-badge")).to_contain_text("Opted out")
    expect(page.locator("#reply-lane")).to_contain_text("Nothing can be sent to them until they write here again.")
    expect(box).to_be_hidden()
    expect(send).to_have_count(0)
    expect(page.locator("#who")).to_contain_text("No: opted out of everything")
    for size in (DESK, SMALL):
        page.set_viewport_size(size)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        inner = page.locator("#who").evaluate(
            "who => who.getBoundingClientRect().right - who.querySelector('.state').getBoundingClientRect().right"
        )
        assert inner > 0
    page.set_viewport_size(DESK)
    write_in(rig, "START")
    expect(box).to_be_visible()
    expect(send).to_be_visible()
