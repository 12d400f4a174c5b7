"""A draft is saved, refused in words, and fought over by two editors."""

import re

import pytest

from messaging.web.campaigns.checks import Finding, sms_findings
from tests.factories import make_contact, make_list
from tests.web.campaigns.steps import as_posted, fresh, url, write

pytestmark = pytest.mark.django_db


def test_saving_keeps_texts_lists_and_times_on_the_campaigns_own_clock(draft, sign_in):
    client = sign_in("composer")
    extra = make_list([make_contact()], "Extra")
    values = as_posted(
        client, draft, session_text="Hello\r\nthere  ", exclude=[extra.pk], send_at="2030-03-12T09:00",
        not_after="2030-03-12T18:00", quiet_from="22:00", quiet_to="07:00",
    )  # fmt: skip
    assert client.post(url(draft), values).status_code == 302
    saved = fresh(draft)
    assert saved.session_text == "Hello\nthere"
    assert saved.send_at.isoformat() == "2030-03-12T01:00:00+00:00"
    assert list(saved.audience.filter(excluded=True).values_list("contact_list", flat=True)) == [extra.pk]
    assert client.get(url(draft)).context["form"]["send_at"].value().strftime("%H:%M") == "09:00"


def test_an_autosave_answers_with_the_parts_that_changed(draft, sign_in):
    client = sign_in("composer")
    values = as_posted(client, draft, sms_text="Don’t forget {{ward}}")
    shown = client.post(url(draft), values, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in shown
    assert 'id="draft-version" value="2" hx-swap-oob="true"' in shown
    assert "Nobody has a field “ward”" in shown
    assert "The letter ’ makes each SMS part 70 letters instead of 160. Write &#x27; instead." in shown
    assert re.search(r"Saved \d\d:\d\d:\d\d", shown)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", []),
        ("{{name}}", []),  # its own flaw is told in other words
        ("a" * 156, ["1 SMS part: 160 of 160 letters."]),
        ("a" * 157, ["2 SMS parts: 161 of 306 letters."]),
        ("Hi {{name}}", ["1 SMS part or more: 7 of 160 letters, and the values."]),
        ("你好", ["1 SMS part: 6 of 70 letters.", "The letter 你 makes each SMS part 70 letters instead of 160."]),
    ],
)
def test_how_many_parts_an_sms_takes_is_told_while_it_is_written(body, said):
    assert [one.words for one in sms_findings(body)][:2] == said


def test_a_letter_that_cannot_be_seen_is_named():
    costs = "The letter U+00A0 NO-BREAK SPACE makes each SMS part 70 letters instead of 160."
    assert sms_findings("a\xa0b")[1] == Finding("warning", f"{costs} Write a plain blank instead.", ("\xa0", " "))


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_the_second_of_two_editors_is_refused_in_words_and_keeps_the_text(headers, draft, sign_in):
    first, second = sign_in("composer"), sign_in("admin")
    mine = as_posted(second, draft, session_text="The admin's words")
    first.post(url(draft), as_posted(first, draft, session_text="The composer's words"))
    answer = second.post(url(draft), mine, headers=headers)
    assert "Somebody else saved this draft meanwhile" in answer.content.decode()
    assert "The composer&#x27;s words" in answer.content.decode()
    assert "The admin&#x27;s words" in answer.content.decode()
    assert fresh(draft).session_text == "The composer's words"
    if not headers:
        assert answer.status_code == 409


def test_the_second_editor_may_then_save_over_the_first(draft, sign_in):
    first, second = sign_in("composer"), sign_in("admin")
    mine = as_posted(second, draft, session_text="The admin's words")
    first.post(url(draft), as_posted(first, draft, session_text="The composer's words"))
    second.post(url(draft), mine | {"overwrite": str(fresh(draft).version)})
    assert fresh(draft).session_text == "The admin's words"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"send_at": "2030-03-12T09:00", "not_after": "2030-03-12T08:00"}, "before the time to send"),
        ({"quiet_from": "22:00"}, "both a beginning and an end"),
        ({"time_zone": "Mars/Olympus"}, "no time zone of this name"),
        ({"name": ""}, "required"),
        ({"connection": "0"}, "valid choice"),
    ],
)
def test_a_form_that_cannot_be_says_so_and_saves_nothing(changes, words, draft, sign_in):
    client = sign_in("composer")
    answer = client.post(url(draft), as_posted(client, draft, session_text="New", **changes))
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert ">New</textarea>" in answer.content.decode().replace("\n", "")
    assert fresh(draft).session_text != "New"


def test_a_list_is_not_both_sent_to_and_left_out(draft, klang, sign_in):
    client = sign_in("composer")
    answer = client.post(url(draft), as_posted(client, draft, exclude=[klang.pk]))
    assert answer.status_code == 422
    assert "Klang parents" in answer.content.decode()


def test_asking_for_approval_without_people_says_what_is_missing(users, connection, sign_in):
    campaign = write(users["composer"], connection, [])
    client = sign_in("composer")
    shown = client.post(url(campaign), as_posted(client, campaign, act="submit")).content.decode()
    assert "Choose at least one list of people." in shown
    assert fresh(campaign).state == "draft"


def test_asking_for_approval_saves_first(draft, sign_in):
    client = sign_in("composer")
    client.post(url(draft), as_posted(client, draft, session_text="Last words, {{name}}", act="submit"))
    assert (fresh(draft).state, fresh(draft).session_text) == ("in_review", "Last words, {{name}}")
