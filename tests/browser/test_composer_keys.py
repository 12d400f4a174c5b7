"""The composer by keyboard: its parts, its people, its hours."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.rig import Rig

from .conftest import Desk


@pytest.fixture
def page(desk: Desk, rig: Rig) -> Page:
    """The composer's page of a new draft to a list of the sample office, counted."""
    page = desk("composer")
    page.goto(f"{rig.run['web']}/campaigns/new/")
    page.get_by_label("Name").fill("By keys")
    page.get_by_role("button", name="Begin the draft").click()
    page.get_by_label("SMS text", exact=True).fill("Hi {{name}}, the clinic moves.")
    page.get_by_label("Send to Flu vaccine").check()
    expect(page.locator(".preview__walk")).to_contain_text("Person 1 of")
    return page


def test_ctrl_enter_goes_from_part_to_part_from_where_the_cursor_stands_and_presses_nothing(page: Page):
    page.get_by_label("SMS text", exact=True).focus()
    for part in ("time", "plan", "approve", "people", "message"):
        page.keyboard.press("Control+Enter")
        page.wait_for_function("part => location.hash === '#' + part", arg=part)
        assert page.evaluate("part => document.getElementById(part).contains(document.activeElement)", part)
    expect(page.get_by_role("button", name="Ask for approval")).to_be_visible()


def test_j_and_k_walk_through_people_and_stay_letters_in_a_text(page: Page):
    said = page.locator(".preview__walk p")
    page.locator("#plan h2").click()
    page.keyboard.press("j")
    expect(said).to_have_text(re.compile("^Person 2 of"))
    page.keyboard.press("k")
    expect(said).to_have_text(re.compile("^Person 1 of"))
    assert not page.url.endswith("#message"), "the part came, and no new page"
    box = page.get_by_label("SMS text", exact=True)
    box.press("End")
    box.press_sequentially("jk/")
    expect(box).to_have_value(re.compile("jk/$"))
    expect(said).to_have_text(re.compile("^Person 1 of"))


def test_a_slash_finds_a_person_without_a_saving(page: Page):
    wanted = page.locator("#plan .rows__name").last.inner_text()
    expect(page.locator("#saved")).to_contain_text("Saved")
    version = page.locator("#draft-version").input_value()
    page.locator("#plan h2").click()
    page.keyboard.press("/")
    expect(page.get_by_label("Find a person in these lists")).to_be_focused()
    page.keyboard.type(wanted)
    expect(page.locator("#plan .rows__name")).to_have_text([wanted])
    page.keyboard.press("Enter")
    page.wait_for_timeout(1_500)
    expect(page.locator("#plan .rows__name")).to_have_text([wanted])
    expect(page.get_by_label("Find a person in these lists")).to_have_value(wanted)
    assert page.locator("#draft-version").input_value() == version


def test_an_hour_by_keyboard_sets_the_time_and_the_sentence_stays(page: Page):
    expect(page.locator(".hours__foot")).to_contain_text("The hour makes no difference")
    bar = page.locator(".hour__bar").nth(2)
    wanted = bar.get_attribute("value") or ""
    bar.focus()
    page.keyboard.press("Space")
    expect(page.get_by_label("Send at")).to_have_value(wanted[:16])
    expect(bar).to_have_attribute("aria-current", "time")
    page.reload()
    expect(page.get_by_label("Send at")).to_have_value(wanted[:16])


def test_nothing_complained(complaints: list[str]):
    assert complaints == []


def test_two_braces_open_the_list_of_values_and_enter_puts_one_in(page: Page):
    box = page.get_by_label("SMS text", exact=True)
    box.press("Control+End")
    box.press_sequentially(" {{")
    offered = page.get_by_role("listbox", name="Values").get_by_role("option")
    expect(offered.first).to_have_attribute("aria-selected", "true")
    assert offered.count() > 2
    box.press_sequentially("msi")
    expect(offered).to_have_text(["{{msisdn}} Number"])
    box.press("Enter")
    expect(box).to_have_value("Hi {{name}}, the clinic moves. {{msisdn}}")
    expect(offered).to_have_count(0)
    box.press_sequentially(" {{")
    box.press("ArrowDown")
    second = offered.nth(1)
    expect(second).to_have_attribute("aria-selected", "true")
    words = second.get_attribute("data-words")
    box.press("Tab")
    expect(box).to_have_value(f"Hi {{{{name}}}}, the clinic moves. {{{{msisdn}}}} {words}")
    expect(box).to_be_focused()


def test_escape_and_words_that_are_no_value_close_the_list(page: Page):
    box = page.get_by_label("SMS text", exact=True)
    offered = page.get_by_role("listbox", name="Values")
    box.press("Control+End")
    box.press_sequentially(" {{n")
    expect(offered).to_be_visible()
    box.press("Escape")
    expect(offered).to_have_count(0)
    box.press_sequentially("a")
    expect(offered).to_have_count(0)
    box.press_sequentially("me}} {{zzz")
    expect(offered).to_have_count(0)
    expect(box).to_have_value("Hi {{name}}, the clinic moves. {{name}} {{zzz")


@pytest.mark.parametrize("key", ["End", "Home"])
def test_a_list_that_the_cursor_has_left_takes_no_key(key: str, page: Page):
    box = page.get_by_label("SMS text", exact=True)
    offered = page.get_by_role("listbox", name="Values")
    box.fill("")
    box.press_sequentially("{{, the clinic moves.")
    for _ in range(len(", the clinic moves.")):
        box.press("ArrowLeft")
    box.press("Backspace")
    box.press_sequentially("{")
    expect(offered).to_be_visible()
    box.press(key)
    expect(offered).to_have_count(0)
    box.press("Enter")
    expect(box).to_have_value("{{, the clinic moves.\n" if key == "End" else "\n{{, the clinic moves.")


def test_a_placeholder_that_is_mended_is_not_doubled(page: Page):
    box = page.get_by_label("SMS text", exact=True)
    box.fill("Hi {{nme}}.")
    for _ in range(len("me}}.")):
        box.press("ArrowLeft")
    box.press("Backspace")
    box.press_sequentially("n")
    expect(page.get_by_role("listbox", name="Values").get_by_role("option").first).to_have_text("{{name}} Name")
    box.press("Enter")
    expect(box).to_have_value("Hi {{name}}.")


def test_half_a_placeholder_is_saved_once_it_is_whole_or_given_up(page: Page):
    expect(page.locator("#saved")).to_contain_text("Saved")
    version = page.locator("#draft-version").input_value()
    box = page.get_by_label("SMS text", exact=True)
    box.fill("Hi {{name}}, the clinic moves. {{")  # in one stroke: nothing else is on its way
    page.wait_for_timeout(1_800)
    assert page.locator("#draft-version").input_value() == version
    assert "is no placeholder" not in page.locator("#message").inner_text()
    box.press("Escape")
    expect(page.locator("#message")).to_contain_text("is no placeholder")
    box.press("Backspace")
    box.press("Backspace")
    expect(page.locator("#message")).not_to_contain_text("is no placeholder")


def test_a_click_on_a_value_puts_it_where_the_cursor_stands(page: Page):
    box = page.get_by_label("SMS text", exact=True)
    box.press("Control+Home")
    page.get_by_role("button", name="{{msisdn}}").click()
    expect(box).to_have_value("{{msisdn}}Hi {{name}}, the clinic moves.")
    box.press("Control+Home")
    box.press_sequentially("{{na")
    page.get_by_role("option", name="{{name}}").click()
    expect(box).to_have_value("{{name}}{{msisdn}}Hi {{name}}, the clinic moves.")


def test_a_letter_that_costs_is_replaced_by_a_button(page: Page):
    box = page.get_by_label("SMS text", exact=True)
    box.fill("Hi {{name}}, the “clinic” moves: “soon”.")
    page.get_by_role("button", name="Replace “ everywhere in this text").click()
    expect(box).to_have_value('Hi {{name}}, the "clinic” moves: "soon”.')
    page.get_by_role("button", name="Replace ” everywhere in this text").click()
    expect(page.locator("#findings-sms")).to_contain_text("of 160 letters")
    expect(page.locator("#findings-sms button")).to_have_count(0)
