"""The page of phones in a real Chromium."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.twin import AMINAH, FARID, Twin

pytestmark = pytest.mark.browser
QUIET = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
QUIET += ["--disable-component-update", "--disable-sync"]


@pytest.fixture
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def page(browser: Browser, twin: Twin, complaints: list[str]) -> Iterator[Page]:
    """The empty page; whatever the console says or another host is asked ends up in `complaints`."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: request.url.startswith(twin.url) or complaints.append(request.url))
    page.goto(twin.url)
    yield page
    assert complaints == []


def test_a_visitor_lets_a_phone_write_in_gets_an_answer_and_replies(page, hooked, hook):
    page.get_by_role("button", name="Let a phone write in").click()
    page.get_by_label("Number", exact=True).fill("+60 12-324 0066")
    page.get_by_label("Message", exact=True).fill("Hello <b>there</b>")
    page.get_by_role("button", name="Write", exact=True).click()
    phone = page.get_by_role("article", name="+60 12-324 0066")
    expect(phone.locator(".bubble--mo .bubble__text")).to_have_text("Hello <b>there</b>")
    expect(phone.locator(".window")).to_contain_text("Window open 23:59:")
    assert hooked.send(text="Good day, Aminah")["code"] == 200
    expect(phone.locator(".bubble--mt")).to_contain_text("Good day, Aminah")
    expect(phone.locator(".bubble--mt .state")).to_have_text("delivered ✓✓")
    phone.get_by_role("button", name="STOP").click()
    phone.get_by_label("Reply", exact=True).fill("I mean it")
    phone.get_by_label("Reply", exact=True).press("Enter")
    expect(phone.locator(".bubble--mo")).to_have_count(3)
    hook.wait(5)
    said = [call.form["text"] for call in hook.calls if call.path == "/mo"]
    assert said == ["Hello <b>there</b>", "STOP", "I mean it"]


def test_search_finds_one_phone_among_many(page, twin):
    for n in range(6):
        twin.send(to=",".join(f"6012{n}{m:06d}" for m in range(10)), text="Good day")
    page.get_by_label("Search by number or text").fill("60123 000007")
    expect(page.locator(".line__number")).to_have_text(["+60 12-300 0007"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 768, 1440])
def test_nothing_sticks_out_at_any_width(page, twin, width, scheme):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 844})
    twin.send(to=AMINAH, text="A_word_that_is_far_too_long_for_any_phone_" * 4)
    page.locator(".line").click()
    expect(page.locator(".bubble")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_reset_empties_the_page_by_itself(page, twin):
    twin.send(to=AMINAH, text="Good day")
    expect(page.locator(".phone")).to_have_count(1)
    twin.control("reset")
    expect(page.locator(".phone")).to_have_count(0)
    expect(page.get_by_role("heading", name="No phone has heard from you yet")).to_be_visible()


LATE = """const real = fetch;
window.fetch = async (...asked) => {
  const answer = await real(...asked);
  await new Promise((later) => setTimeout(later, 1300));
  return answer;
};"""


def test_phones_are_filled_however_slowly_the_first_answers_come(browser, twin):
    twin.send(to=AMINAH, text="Good day")
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.add_init_script(LATE)  # each answer comes after the next question was asked
    page.goto(twin.url)
    expect(page.locator(".phone .bubble")).to_have_text(re.compile("Good day"), timeout=10_000)
    page.get_by_role("button", name="Put this phone away").click()
    page.locator(".line").click()
    expect(page.locator(".phone .bubble")).to_have_text(re.compile("Good day"), timeout=10_000)


def test_search_finds_by_text_and_offers_a_phone_that_is_not_there(page, hooked):
    hooked.send(to=AMINAH, text="The flu vaccine has arrived")
    hooked.send(to=FARID, text="Closed on Friday")
    search = page.get_by_label("Search by number or text")
    search.fill("flu VACCINE")
    expect(page.locator(".line__number")).to_have_text(["+60 12-324 0066"])
    search.fill("parking")
    expect(page.get_by_text("“parking” stands in none of the latest messages.")).to_be_visible()
    search.fill("019-876 5432")
    page.get_by_role("button", name="Let +60 19-876 5432 write in").click()
    page.get_by_role("button", name="Write", exact=True).click()
    expect(page.get_by_role("article", name="+60 19-876 5432").locator(".bubble--mo")).to_have_count(1)


def test_clocks_are_those_of_the_sandbox_wherever_the_browser_is(browser, hooked):
    hooked.control("mo", msisdn=AMINAH, text="Late", at="2026-03-03T16:30:00+00:00")
    page = browser.new_context(timezone_id="America/Lima").new_page()
    page.goto(hooked.url)
    expect(page.locator(".top")).to_contain_text("Times are those of Asia/Kuala_Lumpur.")
    expect(page.locator(".line__time")).to_have_text("4 Mar")
    expect(page.locator(".bubble time")).to_have_text("00:30")
