"""What every screen's frame does in a browser: the menu stays, a key decides nothing, live pages keep to the policy."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.rig import Rig

from .conftest import Desk, overhear

WRITER = "60162127839"
STYLED = "document.body.setAttribute('style', 'color: red')"
COUNT_SWAPS = "document.addEventListener('htmx:afterSettle', () => { window.swaps = (window.swaps || 0) + 1; })"


def write_in(rig: Rig, text: str) -> None:
    rig.sandbox("mo", msisdn=WRITER, text=text, channel="whatsapp")


def swapped(page: Page, times: int) -> None:
    """At least so many answers of the server have taken their places on this page."""
    page.wait_for_function("times => (window.swaps || 0) >= times", arg=times)


@pytest.fixture(scope="module")
def talk(desk: Desk, rig: Rig) -> str:
    """An open conversation, by its address."""
    write_in(rig, "Is the clinic open?")
    page = desk("agent")
    page.goto(f"{rig.run['web']}/conversations/")
    row = page.get_by_role("listitem").filter(has_text="Is the clinic open?")
    row.get_by_role("link").click()
    expect(page.get_by_label("Your reply")).to_be_visible()
    return page.url


def test_the_menu_stays_where_it_is_on_a_long_page(desk: Desk, rig: Rig):
    page = desk("agent").context.new_page()
    page.set_viewport_size({"width": 1024, "height": 600})
    page.goto(f"{rig.run['web']}/contacts/")
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    assert page.evaluate("scrollY") > 600
    place = page.locator(".frame-side").bounding_box()
    assert place
    assert (round(place["y"]), round(place["height"])) == (0, 600)
    page.close()


def test_the_system_chooses_light_or_dark_after_a_visit_to_the_support_desk_too(desk: Desk, rig: Rig):
    page = desk("admin").context.new_page()
    page.emulate_media(color_scheme="dark")
    page.goto(f"{rig.run['web']}/admin/")
    expect(page.locator("html")).to_have_attribute("data-theme", "auto")
    page.goto(f"{rig.run['web']}/connections/")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    page.close()


def test_a_bare_key_reaches_the_approval_and_does_not_give_it(desk: Desk, rig: Rig):
    page = desk("composer")
    page.goto(f"{rig.run['web']}/templates/new/")
    page.get_by_label("Name").fill("By a key")
    page.get_by_label("Text", exact=True).fill("Salam {{name}}, the clinic is open again.")
    page.get_by_label("{{name}}").fill("Aminah")
    page.get_by_role("button", name="Save and ask for approval").click()
    expect(page.get_by_role("heading", name="By a key")).to_be_visible()
    decide = desk("approver")
    decide.goto(f"{rig.run['web']}/templates/review/")
    decide.get_by_role("link", name="By a key").first.click()
    approve = decide.get_by_role("button", name="Approve this text")
    expect(approve).to_be_visible()
    decide.wait_for_load_state("domcontentloaded")  # keys are heard once the frame's script has run
    review = decide.url
    decide.keyboard.press("a")
    expect(approve).to_be_focused()
    assert decide.url == review
    decide.reload()
    expect(approve).to_be_visible()
    decide.keyboard.press("a")
    decide.keyboard.press("Enter")
    expect(decide.locator(".toast-line").filter(has_text="Approved")).to_be_visible()


def test_a_style_that_stands_in_the_page_is_heard(desk: Desk, rig: Rig):
    """Else what follows would prove nothing."""
    heard: list[str] = []
    page = desk("viewer").context.new_page()
    overhear(page, heard)
    page.goto(rig.run["web"])
    page.evaluate(STYLED)
    page.wait_for_function("document.body.hasAttribute('style')")
    page.get_by_role("heading").first.click()
    assert [words for words in heard if "Applying inline style violates" in words]
    assert [words for words in heard if "CSP style-src-attr" in words]
    page.close()


@pytest.mark.parametrize("path", ["/", "/conversations/", "/campaigns/"])
def test_a_page_that_asks_again_keeps_to_the_policy(path: str, talk: str, desk: Desk, rig: Rig, complaints: list[str]):
    page = desk("agent")
    page.add_init_script(COUNT_SWAPS)
    page.goto(f"{rig.run['web']}{path}")
    write_in(rig, f"I ask from {path}")
    if path != "/campaigns/":  # which asks again only while one runs
        swapped(page, 1)
    page.wait_for_timeout(3_000)
    assert complaints == []


def test_a_box_that_was_drawn_larger_is_swapped_without_breaking_the_policy(
    talk: str, desk: Desk, rig: Rig, complaints: list[str]
):
    page = desk("agent")
    page.add_init_script(COUNT_SWAPS)
    page.goto(talk)
    box = page.get_by_label("Your reply")
    place = box.bounding_box()
    assert place
    corner = (place["x"] + place["width"] - 5, place["y"] + place["height"] - 5)
    page.mouse.move(*corner)
    page.mouse.down()
    page.mouse.move(corner[0], corner[1] + 60, steps=5)
    page.mouse.up()
    expect(box).to_have_attribute("style", re.compile("height"))
    box.fill("Yes, until five.")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator(".bubble").last).to_contain_text("Yes, until five.")
    swapped(page, 2)
    write_in(rig, "Thank you!")
    expect(page.locator(".bubble", has_text="Thank you!")).to_be_visible(timeout=60_000)
    page.wait_for_timeout(2_000)
    assert complaints == []
