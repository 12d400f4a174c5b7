"""The whole story through Chromium alone: a file of people, a text, two campaigns, and a conversation between them."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
import requests
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Locator, Page, expect

from tests.rig import Rig

from .conftest import PHONE, Desk

PEOPLE, PAGE = 40, 25
LIST, TEMPLATE = "Gotong-royong", "Gotong-royong reminder"
BODY = "Salam {{name}}, gotong-royong is on Sunday at {{place}}. Reply 1 if you come."
SESSION = "Thank you for writing, {{name}}! See you at {{place}} on Sunday."
AISHAH, BAKAR = "60123456701", "60123456702"
MARGIN = timedelta(seconds=60)  # Connection.window_margin_s


def people_file() -> bytes:
    """Forty people who can be reached, in the spellings of a Malaysian office, and one who cannot."""
    out = io.StringIO()
    write = csv.writer(out).writerow
    write(["Telefon", "Nama", "Place"])
    for n in range(1, PEOPLE + 1):
        write([f"012-345 67{n:02}", f"Person {n:02}", "Dewan Kapar" if n % 2 else "Surau An-Nur"])
    write(["03-3371", "Nobody", "Nowhere"])
    return out.getvalue().encode()


@dataclass(frozen=True)
class Ledger:
    """What the provider took: texts by number, in their order."""

    rig: Rig

    def texts(self) -> dict[str, list[str]]:
        page = requests.get(f"{self.rig.run['sandbox']}/sandbox/ledger", timeout=10).json()
        found: dict[str, list[str]] = {}
        for entry in page["entries"]:
            found.setdefault(entry["msisdn"], []).append(entry["text"])
        return found


def lane(page: Page, name: str, people: int) -> None:
    """The flight plan's card of that lane shows this number."""
    expect(page.locator(f".lane-card--{name} .lane-card__number")).to_have_text(str(people))


def piece(page: Page, words: str, count: int) -> None:
    """The bars of a report have this piece."""
    row = page.locator("#live tr").filter(has=page.get_by_role("rowheader", name=re.compile(f"^{words}$")))
    expect(row.get_by_role("cell")).to_have_text(str(count))


def toast(page: Page, words: str) -> None:
    expect(page.locator(".toast-line").filter(has_text=words)).to_be_visible()


def handset(page: Page, rig: Rig, msisdn: str) -> Locator:
    """This phone on the sandbox's page."""
    page.goto(f"{rig.run['sandbox']}/#{msisdn}")
    return page.get_by_role("article", name=f"+60 {msisdn[2:4]}-{msisdn[4:7]} {msisdn[7:]}")


def look_again(page: Page) -> None:
    """Open the page anew; it may be doing so by itself, since its campaign moved on, and then ours is cut short."""
    for _ in range(5):
        with suppress(PlaywrightError):
            page.goto(page.url)
            return
    page.goto(page.url)


@pytest.fixture(scope="module")
def imported(desk: Desk, rig: Rig) -> str:
    """The list that the composer imported, by its name."""
    page = desk("composer")
    page.goto(f"{rig.run['web']}/contacts/import/")
    page.get_by_label("CSV file").set_input_files(
        {"name": "gotong.csv", "mimeType": "text/csv", "buffer": people_file()}
    )
    page.get_by_label("Or into a new list called").fill(LIST)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_role("heading", name="All rows were read")).to_be_visible()
    expect(page.get_by_role("row", name=f"New people {PEOPLE}", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="1 row did not go in")).to_be_visible()
    return LIST


@pytest.fixture(scope="module")
def approved(desk: Desk, rig: Rig, imported: str) -> str:
    """The template that the composer wrote and the approver approved, by its name."""
    page = desk("composer")
    page.goto(f"{rig.run['web']}/templates/new/")
    page.get_by_label("Name").fill(TEMPLATE)
    page.get_by_label("Text", exact=True).fill(BODY)
    page.get_by_label("{{name}}").fill("Person 01")
    page.get_by_label("{{place}}").fill("Dewan Kapar")
    expect(page.locator("#preview")).to_contain_text("Salam Person 01")
    page.get_by_role("button", name="Save and ask for approval").click()
    expect(page.get_by_role("heading", name=TEMPLATE)).to_be_visible()
    decide = desk("approver")
    decide.goto(f"{rig.run['web']}/templates/review/")
    decide.get_by_role("link", name=TEMPLATE).first.click()
    decide.get_by_role("button", name="Approve this text").click()
    toast(decide, "may be sent once the sandbox has approved it, too")
    expect(decide.get_by_text("approved (sandbox)")).to_be_visible()
    return TEMPLATE


def draft(page: Page, rig: Rig, name: str, *, session_text: str = "") -> None:
    """A new campaign to the list, which has saved itself when this returns."""
    page.goto(f"{rig.run['web']}/campaigns/new/")
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Begin the draft").click()
    page.get_by_label(f"Send to {LIST}").check()
    page.get_by_label("Template", exact=True).select_option(label=f"{TEMPLATE} v1")
    if session_text:
        page.get_by_label("Free text", exact=True).fill(session_text)


def ask(page: Page) -> None:
    """Returns when the plan is sealed: a draft has a flight plan, too, but nothing decided."""
    page.get_by_role("button", name="Ask for approval").click()
    expect(page.get_by_role("heading", name="How it is sent")).to_be_visible()


def approve_and_start(page: Page, rig: Rig, name: str) -> None:
    page.goto(f"{rig.run['web']}/campaigns/")
    page.get_by_role("link", name=name).click()
    page.get_by_role("button", name=f"Approve {PEOPLE} messages").click()
    toast(page, "Approved")
    page.get_by_role("link", name=f"Start sending {PEOPLE} messages").click()
    page.get_by_role("dialog").get_by_role("button", name=f"Start sending {PEOPLE} messages").click()
    toast(page, "Started")


@pytest.fixture(scope="module")
def delivered(desk: Desk, rig: Rig, approved: str) -> str:
    """The first campaign, watched by its composer until everyone has it; its URL."""
    rig.sandbox("dn", delay_s=2)
    page = desk("composer")
    draft(page, rig, "First call")
    lane(page, "template", PEOPLE)
    lane(page, "session", 0)
    ask(page)
    expect(page.get_by_text("Waiting for Farid Hassan or Suresh Kumar")).to_be_visible()
    approve_and_start(desk("approver"), rig, "First call")
    look_again(page)
    piece(page, "delivered", PEOPLE)
    expect(page.locator(".headline")).to_contain_text(f"{PEOPLE} of {PEOPLE} delivered")
    expect(page.locator("#people-rows .state")).to_have_text(["Delivered"] * PAGE)
    return page.url


def write_in(rig: Rig, text: str, at: datetime) -> None:
    rig.sandbox("mo", msisdn=BAKAR, text=text, channel="whatsapp", at=at.isoformat())


@pytest.fixture(scope="module")
def answered(desk: Desk, rig: Rig, delivered: str) -> str:
    """The conversation in which Aishah wrote back and the agent answered; its URL."""
    phone = handset(desk("agent").context.new_page(), rig, AISHAH)
    expect(phone.locator(".bubble--mt")).to_have_text(re.compile("Salam Person 01, gotong-royong"))
    phone.get_by_label("Reply", exact=True).fill("I come. What do I bring?")
    phone.get_by_label("Reply", exact=True).press("Enter")
    page = desk("agent")
    page.goto(f"{rig.run['web']}/conversations/")
    row = page.get_by_role("listitem").filter(has_text="I come. What do I bring?")
    expect(row.locator(".window-chip")).to_have_text(re.compile("23 h|24 h"))
    row.get_by_role("link").click()
    page.get_by_label("Your reply").fill("Only yourself!")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(phone.locator(".bubble--mt").last).to_contain_text("Only yourself!")
    expect(page.locator(".bubble").last).to_contain_text("Delivered", ignore_case=True)
    phone.page.close()
    return page.url


def test_a_campaign_reaches_everybody_of_the_file_once(delivered: str, rig: Rig):
    texts = Ledger(rig).texts()
    assert Counter(len(sent) for number, sent in texts.items() if number.startswith("601234567")) == {1: PEOPLE}
    assert texts[BAKAR][0] == "Salam Person 02, gotong-royong is on Sunday at Surau An-Nur. Reply 1 if you come."


def test_a_reply_opens_the_window_and_a_free_answer_arrives(answered: str, rig: Rig):
    assert Ledger(rig).texts()[AISHAH][-1] == "Only yourself!"


@pytest.fixture(scope="module")
def second(desk: Desk, rig: Rig, answered: str) -> str:
    """The second campaign, which has a text for those whose window is open; its URL."""
    page = desk("composer")
    draft(page, rig, "Second call", session_text=SESSION)
    lane(page, "session", 1)
    lane(page, "template", PEOPLE - 1)
    ask(page)
    approve_and_start(desk("approver"), rig, "Second call")
    look_again(page)
    piece(page, "delivered", PEOPLE)
    return page.url


def test_the_second_campaign_goes_by_session_to_who_wrote_and_by_template_to_the_rest(
    second: str, desk: Desk, rig: Rig
):
    page = desk("composer")
    page.goto(second)
    planned = page.locator("#planned")
    expect(planned.get_by_role("definition")).to_have_text([str(PEOPLE), "1", str(PEOPLE - 1)])
    page.get_by_label("Way of sending").select_option("session")
    expect(page.locator("#people-rows tbody tr")).to_have_count(1)
    expect(page.locator("#people-rows tbody tr")).to_contain_text("Person 01")
    texts = Ledger(rig).texts()
    assert texts[AISHAH][-1] == "Thank you for writing, Person 01! See you at Dewan Kapar on Sunday."
    assert texts[BAKAR][-1].startswith("Salam Person 02, gotong-royong")
    assert [len(texts[number]) for number in (AISHAH, BAKAR)] == [3, 2]


def test_a_reply_that_comes_too_late_is_refused_with_the_reason_and_kept(delivered: str, desk: Desk, rig: Rig):
    page = desk("agent")
    write_in(rig, "The day before yesterday", datetime.now(UTC) - timedelta(hours=48))
    page.goto(f"{rig.run['web']}/conversations/")
    page.get_by_role("listitem").filter(has_text="The day before yesterday").get_by_role("link").click()
    send = page.get_by_role("button", name="Send", exact=True)
    expect(page.get_by_role("button", name="Hold back until they write")).to_be_visible()
    expect(send).to_be_hidden()
    closes = datetime.now(UTC) + timedelta(seconds=15)
    write_in(rig, "Yesterday", closes + MARGIN - timedelta(hours=24))
    expect(send).to_be_visible()
    page.route("**/live/**", lambda route: route.fulfill(status=204))  # it does not hear of the end in time
    page.get_by_label("Your reply").fill("Too late?")
    page.wait_for_timeout(max((closes - datetime.now(UTC)).total_seconds() * 1000 + 500, 0))
    send.click()
    expect(page.get_by_role("alert").filter(has_text="Not sent.")).to_contain_text("24 hours")
    expect(page.get_by_label("Your reply")).to_have_value("Too late?")
    expect(send).to_be_hidden()
    expect(page.get_by_role("button", name="Hold back until they write")).to_be_visible()
    page.unroute("**/live/**")
    assert "Too late?" not in Ledger(rig).texts()[BAKAR]


def test_an_hour_is_chosen_by_a_press_and_not_by_the_focus_alone(approved: str, desk: Desk, rig: Rig):
    page = desk("composer")
    draft(page, rig, "At an hour")
    bars = page.locator(".hour__bar")
    expect(bars.nth(3)).to_have_attribute("aria-label", re.compile(f": Template {PEOPLE}$"))
    bars.nth(3).focus()
    page.keyboard.press("Enter")
    expect(bars.nth(3)).to_have_attribute("aria-current", "time")
    expect(bars.nth(3)).to_be_focused()
    chosen = page.get_by_label("Send at").input_value()
    assert chosen.endswith(":00")
    page.get_by_label("SMS text", exact=True).press_sequentially("Hi")
    with page.expect_response(re.compile("/campaigns/")):  # the draft saves itself while another bar has the focus
        bars.nth(6).focus()
    expect(page.locator("#used-by-sms")).to_have_text("used by nobody")
    page.reload()
    assert page.get_by_label("Send at").input_value() == chosen
    assert page.get_by_label("SMS text", exact=True).input_value() == "Hi"


def test_the_author_of_a_campaign_cannot_approve_it(approved: str, desk: Desk, rig: Rig):
    page = desk("admin")
    draft(page, rig, "My own call")
    lane(page, "template", PEOPLE)
    ask(page)
    expect(page.get_by_text("You cannot approve this one")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Approve"))).to_have_count(0)
    seal = page.locator("#facts .mono").get_attribute("title")
    forced = """async ([url, body]) => {
        const token = JSON.parse(document.body.getAttribute("hx-headers"));
        return (await fetch(url, {method: "POST", body: new URLSearchParams(body), headers: token})).status;
    }"""
    assert page.evaluate(forced, [f"{page.url}approve/", {"plan_hash": seal}]) == 200
    page.goto(page.url)
    expect(page.get_by_text("You cannot approve this one")).to_be_visible()


def test_on_a_phone_the_agent_finds_the_answer_and_writes_back(answered: str, desk: Desk, rig: Rig):
    page = desk("agent").context.new_page()
    page.set_viewport_size(PHONE)
    page.goto(rig.run["web"])
    page.get_by_text("Menu", exact=True).click()
    page.locator(".frame-menu").get_by_role("link", name=re.compile("^Conversations")).click()
    page.get_by_role("searchbox").fill("Person 01")
    page.get_by_role("listitem").filter(has_text="Person 01").get_by_role("link").click()
    page.get_by_label("Your reply").fill("From the market: bring gloves, too.")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator(".bubble").last).to_contain_text("bring gloves")
    expect(page.locator(".bubble").last).to_contain_text("Delivered", ignore_case=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    page.close()


def test_nothing_complained_on_the_way(second: str, complaints: list[str]):
    assert complaints == []
