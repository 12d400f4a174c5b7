"""Every screen, as an admin sees it with a clinic's data in it: to a reader, by keyboard, under a strict policy."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from config.launch.screens import resize, screens
from tests.rig import Rig, wait_until

from .axe import grave_faults
from .conftest import DESK, PHONE, SMALL, Desk

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
WRITES_IN = {"60162114128": "Can I come later?", "60162127839": "please dont send anymore", "60162155261": "ok"}
KEYBOARD = [
    "/", "/contacts/", "/contacts/import/", "/templates/", "/templates/new/", "/campaigns/", "/campaigns/new/",
    "/conversations/", "/unknowns/", "/connections/", "/developers/", "/developers/examples/", "/developers/api/new/",
    "/developers/door/new/", "/developers/webhooks/new/",
]  # fmt: skip
# All that can be operated, without those of a group of radio buttons that arrow keys reach; where the focus has been,
# and where it was and could not be seen.
WATCH_FOCUS = """() => {
  const usual = "a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex='0']";
  const others = one => one.type === "radio" && !one.checked && document.querySelector(`[name="${one.name}"]:checked`);
  window.controls = [...document.querySelectorAll(usual)].filter(
    one => !one.disabled && one.checkVisibility({visibilityProperty: true}) && one.tabIndex >= 0 && !others(one));
  window.reached = new Set();
  window.unseen = new Set();
  return controls.length;
}"""
NOTE_FOCUS = """() => {
  const here = document.activeElement;
  document.getAnimations().forEach(one => one.finish());
  const style = getComputedStyle(here);
  reached.add(here);
  if (style.outlineStyle === "none" && style.boxShadow === "none" && here !== document.body) unseen.add(here);
}"""
STORY = """
import io
from contacts.imports import choosing
from messaging import campaigns, planning
from messaging.clock import db_now
from messaging.demo.campaigns import draft, plan
from messaging.demo.players import players
from messaging.policy import Lane
from contacts.models import ContactList
team, people = players(), ContactList.objects.get(name="Flu vaccine")
draft(team, "A draft", people, "personal", Lane.TEMPLATE)
plan(team, draft(team, "To decide", people, "personal", Lane.TEMPLATE))
unclear = io.BytesIO(b"Kad,Hubungi,Peserta\\nA1,0123456701,Mei\\nA2,0123456702,Siti\\n")
choosing.receive(file=unclear, file_name="Peserta.csv", contact_list=None, user=team.composer)
"""


@pytest.fixture(scope="module")
def busy(rig: Rig) -> Rig:
    """A product in which every kind of screen has something to show: drafts, reports, failures, doubts, talks."""
    rig.sandbox("dn", delay_s=0.1, undelivered_share=0.2)
    rig.manage("demo_campaign", "--people", "30", "--personal")
    rig.sandbox("dn", delay_s=3600)
    rig.sandbox("faults", faults=[{"fault": "drop_after", "share": 0.3, "seed": 1}])
    doubtful = rig.manage("demo_campaign", "--people", "25", "--personal").split()[-1]
    wait_until(lambda: rig.report(doubtful)["unknown"] > 0, seconds=60, what="unknowns")
    rig.sandbox("faults", faults=[])
    rig.manage("shell", "-v0", "-c", STORY)
    for msisdn, text in WRITES_IN.items():
        rig.sandbox("mo", msisdn=msisdn, text=text, channel="whatsapp")
    return rig


ASKED_AGAIN = re.compile(r"/live/|/running/$")


@dataclass
class Seen:
    """One screen and what was wrong with it."""

    url: str
    status: int
    complaints: list[str]  # of the console, of scripts and of the content policy
    faults: list[str]  # axe-core's
    sticks_out: list[str]  # of a telephone, of a small screen


@pytest.fixture(scope="module")
def seen(busy: Rig, desk: Desk, complaints: list[str]) -> list[Seen]:
    page = desk("admin")
    page.route(ASKED_AGAIN, lambda route: route.fulfill(status=204))  # what changes meanwhile cannot be measured
    found = [look(page, url, status, complaints) for url, status in screens(page, f"{busy.run['web']}/")]
    page.unroute(ASKED_AGAIN)
    return found


def look(page: Page, url: str, status: int, complaints: list[str]) -> Seen:
    """The admin's pages are Django's own: how wide they are is its affair."""
    heard, sticks_out = complaints.copy(), []
    if "/admin/" not in url:
        for screen in (PHONE, SMALL):
            resize(page, **screen)
            width = page.evaluate("document.documentElement.scrollWidth")
            sticks_out += [f"{width} of {screen['width']}"] if width > screen["width"] else []
        resize(page, **DESK)
    faults = grave_faults(page)
    complaints.clear()  # axe-core itself writes styles that the policy stops
    return Seen(url, status, heard, faults, sticks_out)


def test_no_screen_has_a_grave_fault_for_people_who_see_little_or_nothing(seen: list[Seen]):
    assert len(seen) > 120, "the walk has not found the screens"
    assert not [f"{one.url}: {fault}" for one in seen for fault in one.faults]


def test_no_screen_needs_what_the_content_policy_stops_nor_fails_in_any_way(seen: list[Seen]):
    assert not [f"{one.url}: {one.status} {one.complaints}" for one in seen if one.complaints or one.status != 200]


def test_no_screen_sticks_out_on_a_telephone_or_a_small_screen(seen: list[Seen]):
    assert not [f"{one.url}: {one.sticks_out}" for one in seen if one.sticks_out]


@pytest.mark.parametrize("path", KEYBOARD)
def test_tab_reaches_every_control_and_shows_where_it_is(path: str, busy: Rig, desk: Desk):
    page = desk("admin")
    page.goto(f"{busy.run['web']}{path}")
    follow_first(page)
    controls = page.evaluate(WATCH_FOCUS)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip-link"
    for _ in range(controls + 5):
        page.evaluate(NOTE_FOCUS)
        page.keyboard.press("Tab")
    assert page.evaluate("[...controls].filter(one => !reached.has(one)).map(one => one.outerHTML)") == []
    assert page.evaluate("[...unseen].map(one => one.outerHTML)") == []


def follow_first(page: Page) -> None:
    """From a list to the first of what it lists."""
    first = page.locator("main .rows__name, main .talk__link").first
    if first.count():
        page.goto(first.evaluate("link => link.href"))


def test_the_skip_link_leads_past_the_navigation(busy: Rig, desk: Desk):
    page = desk("admin")
    page.goto(f"{busy.run['web']}/contacts/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_a_dialog_opens_by_enter_keeps_the_focus_and_closes_by_escape(busy: Rig, desk: Desk):
    page = desk("admin")
    page.goto(f"{busy.run['web']}/contacts/")
    follow_first(page)
    opener = page.get_by_role("link", name="Opt out")
    opener.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    expect(opener).to_be_focused()


def test_the_dialogs_too_have_no_grave_fault(busy: Rig, desk: Desk, complaints: list[str]):
    page = desk("admin")
    page.goto(f"{busy.run['web']}/contacts/")
    follow_first(page)
    page.get_by_role("link", name="Opt out").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert grave_faults(page) == []
    complaints.clear()
