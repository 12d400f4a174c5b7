"""The composer and the browser's Back: what the page shows is what is saved, and what is asked for is what it shows."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.rig import Rig

from .conftest import Desk

LISTS = ("Appointments this week", "Diabetes follow-up", "Flu vaccine")  # as the sample office has them
TEXT = "The clinic moves to Jalan Meru."


@pytest.fixture
def page(desk: Desk, rig: Rig) -> Page:
    """The composer's page of a new draft with an SMS text."""
    page = desk("composer")
    page.goto(f"{rig.run['web']}/campaigns/new/")
    page.get_by_label("Name").fill("We move")
    page.get_by_role("button", name="Begin the draft").click()
    page.get_by_label("SMS text", exact=True).fill(TEXT)
    expect(page.locator("#saved")).to_contain_text("Saved")
    return page


def tick(page: Page, name: str) -> str:
    """Send to this list, and wait until it is saved and counted; how many people that is, in words."""
    people = page.get_by_role("row", name=re.compile(f"^{name}")).locator(".rows__sub").first.inner_text()
    page.get_by_label(f"Send to {name}").check()
    expect(page.locator("#people-count strong")).to_have_text(people)
    return people


def ticked(page: Page) -> list[str]:
    rows = page.locator(".list-pick tbody tr").filter(has=page.locator("[name=include]:checked"))
    return [text.split("\n")[0] for text in rows.locator("th").all_inner_texts()]


def test_back_shows_the_list_that_is_saved_and_no_other(page: Page):
    people = tick(page, "Flu vaccine")
    page.get_by_role("link", name="Templates").first.click()
    page.wait_for_url(re.compile("/templates/"))
    page.go_back()
    expect(page.locator("#people-count strong")).to_have_text(people)
    assert ticked(page) == ["Flu vaccine"]
    page.get_by_role("button", name="Ask for approval").click()
    expect(page.locator("#facts")).to_contain_text("Flu vaccine")
    expect(page.locator("#facts")).not_to_contain_text(LISTS[0])


def test_what_was_typed_in_the_last_second_is_there_after_back(page: Page):
    page.get_by_label("SMS text", exact=True).press_sequentially(" Come and see us.")
    page.get_by_role("link", name="Templates").first.click()
    page.wait_for_url(re.compile("/templates/"))
    page.go_back()
    expect(page.get_by_label("SMS text", exact=True)).to_have_value(f"{TEXT} Come and see us.")


def test_asking_for_what_was_not_counted_yet_shows_it_and_asks_again(page: Page):
    tick(page, "Flu vaccine")
    page.get_by_label("Send to Diabetes follow-up").check()
    page.get_by_role("button", name="Ask for approval").click()  # before it saves itself
    asked = page.get_by_role("alert").filter(has_text="approval is not asked for yet")
    expect(asked).to_contain_text("Diabetes follow-up, Flu vaccine")
    page.wait_for_timeout(1_500)  # the saving that the tick began finds nothing left to save
    expect(asked).to_be_visible()
    page.get_by_role("button", name="Ask for approval").click()
    expect(page.locator("#facts")).to_contain_text("Diabetes follow-up")


def test_a_person_of_the_draft_s_plan_opens_over_the_page(page: Page):
    tick(page, "Flu vaccine")
    address = page.url
    page.locator("#plan .rows__name").first.click()
    sheet = page.get_by_role("dialog")
    expect(sheet).to_contain_text(TEXT)
    sheet.get_by_role("link", name="Close").click()
    expect(sheet).to_be_hidden()
    assert page.url == address
    assert ticked(page) == ["Flu vaccine"]


def test_going_back_through_the_plan_leaves_a_draft_that_saves_itself_and_submits_nothing(page: Page):
    tick(page, "Flu vaccine")
    page.locator(".lane-card--sms .lane-card__main").click()
    expect(page.locator(".lane-card--chosen")).to_have_count(1)
    with page.expect_response(lambda answer: "hx-history-restore-request" in answer.request.headers):
        page.go_back()
    expect(page.locator(".lane-card--chosen")).to_have_count(0)
    expect(page.locator("#saved")).to_have_text("")
    page.get_by_label("SMS text", exact=True).press_sequentially(" Soon.")
    page.get_by_role("button", name="Ask for approval").focus()
    expect(page.locator("#saved")).to_contain_text("Saved")
    expect(page.get_by_role("button", name="Ask for approval")).to_be_visible()


def test_nothing_complained(complaints: list[str]):
    assert complaints == []
