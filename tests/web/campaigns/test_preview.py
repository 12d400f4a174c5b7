"""The phone beside the composer, and how to reach the people whose text it shows."""

import re

import pytest

from messaging.examples import Examples, find_examples, look_for
from tests.factories import make_contact, make_list
from tests.web.campaigns.steps import page, url, write

pytestmark = pytest.mark.django_db


def test_the_preview_walks_through_real_people(draft, people, sign_in):
    client = sign_in("composer")
    assert client.get(url(draft), {"k": 2}).context["preview"].row.contact == people[1]
    assert client.get(url(draft), {"k": 99}).context["preview"].k == 5
    shown = client.get(url(draft, "campaign_preview"), {"show": "skipped"}, headers={"HX-Request": "true"})
    assert "Person 4 of 5" in shown.content.decode()


@pytest.mark.parametrize(("show", "name"), [("longest", "Tan Wei Ling"), ("missing", "No name")])
def test_the_preview_jumps_to_those_who_try_the_texts(show, name, draft, sign_in):
    shown = sign_in("composer").get(url(draft, "campaign_preview"), {"show": show}, headers={"HX-Request": "true"})
    assert f"<strong>{name}</strong>" in shown.content.decode()
    assert shown.context["preview"].said == ""


def test_who_has_no_number_is_no_example_of_a_missing_value(users, connection):
    without = make_contact(name="", msisdn=None, wa_id="MY.1")
    people = [make_contact(name="Aminah"), without, make_contact(name="")]
    campaign = by_sms(users, connection, people, "Hi {{name}}")
    assert find_examples(look_for(campaign)).missing == people[2].pk


def test_the_phone_begins_with_the_first_who_gets_something(users, connection, sign_in):
    people = [make_contact(name=name) for name in ("", "", "Aminah", "Siti")]
    campaign = by_sms(users, connection, people, "Hi {{name}}")
    client = sign_in("composer")
    shown = client.get(url(campaign))
    assert shown.context["preview"].row.contact == people[2]
    assert "Person 3 of 4" in shown.content.decode()
    assert client.get(url(campaign), {"k": 1}).context["preview"].row.contact == people[0]


def test_a_person_whom_nobody_chose_is_not_kept_while_the_draft_changes(users, connection, sign_in):
    campaign = by_sms(users, connection, [make_contact(name=""), make_contact(name="Siti")], "")
    client = sign_in("composer")
    assert 'name="k"' not in page(client, campaign)
    chosen = client.get(url(campaign, "campaign_preview"), {"k": 1}, headers={"HX-Request": "true"}).content.decode()
    assert '<input type="hidden" name="k" value="1">' in chosen


def test_nobody_gets_anything_and_the_phone_shows_the_first(users, connection, sign_in):
    campaign = by_sms(users, connection, [make_contact(name=""), make_contact(name="")], "Hi {{name}}")
    assert sign_in("composer").get(url(campaign)).context["preview"].k == 1


def test_longest_goes_by_the_values_that_the_texts_ask_for(users, connection):
    short = make_contact(name="A name much longer", fields={"town": "Klang", "unasked": "x" * 99})
    people = [short, make_contact(name="Siti", fields={"town": "Kuala Terengganu"})]
    campaign = by_sms(users, connection, people, "From {{town}}")
    assert find_examples(look_for(campaign)) == Examples(longest=people[1].pk)


def by_sms(users, connection, people, body):
    texts = {"session_text": "", "template_version": None, "sms_text": body}
    return write(users["composer"], connection, [make_list(people)], **texts)


@pytest.mark.parametrize(
    ("names", "body", "found"),
    [
        (["Aminah", "Sítí", "陈伟强"], "Hi {{name}}", {"longest": 0, "chinese": 2, "dearer": 1}),
        (["Aminah", "陈伟"], "Hi {{name}}", {"longest": 0, "chinese": 1, "dearer": 1}),
        (["Ämin€h", "[Ñaña]"], "Hi {{name}}", {}),  # in the plain alphabet, all of it
        (["Aminah", "Sítí"], "你好 {{name}}", {"longest": 0}),  # the text itself is dear for everybody
        (["Aminah", "陈伟", ""], "Hello all", {}),  # all get the same
        (["Aminah", ""], "Hi {{name}}", {"longest": 0, "missing": 1}),
        (["a`minah", "a]minah"], "Hi {{name}}", {"dearer": 0}),
    ],
)
def test_who_tries_a_text_is_found_by_what_it_asks_for(names, body, found, users, connection):
    people = [make_contact(name=name) for name in names]
    campaign = by_sms(users, connection, people, body)
    assert find_examples(look_for(campaign)) == Examples(**{kind: people[n].pk for kind, n in found.items()})


def test_who_is_left_out_is_no_example(users, connection):
    people = [make_contact(name=name) for name in ("Aminah", "Siti", "陈伟")]
    campaign = write(users["composer"], connection, [make_list(people)], exclude=[make_list(people[2:])])
    assert find_examples(look_for(campaign)) == Examples(longest=people[0].pk)


def test_letters_dear_only_outside_the_sms_make_no_sms_dearer(users, connection):
    people = [make_contact(name="陈伟"), make_contact(name="Aminah")]
    campaign = write(users["composer"], connection, [make_list(people)], sms_text="See you on Saturday")
    assert find_examples(look_for(campaign)) == Examples(longest=people[1].pk, chinese=people[0].pk)


def test_a_chip_stands_where_somebody_is_behind_it_and_shows_them(users, connection, sign_in):
    people = [make_contact(name=name) for name in ("Aminah", "Siti", "陈伟强")]
    campaign = by_sms(users, connection, people, "Hi {{name}}, see you on Saturday")
    client = sign_in("composer")
    shown = page(client, campaign)
    assert re.findall(r"\?show=(\w+)\" hx-get", shown) == ["sms", "longest", "chinese", "random"]
    part = client.get(url(campaign, "campaign_preview"), {"show": "chinese"}, headers={"HX-Request": "true"})
    assert "<strong>陈伟强</strong>" in part.content.decode()
    assert "1 SMS part: “陈伟强” makes each part 70 letters instead of 160." in part.content.decode()
    plain = client.get(url(campaign, "campaign_preview"), {"k": 1}, headers={"HX-Request": "true"}).content.decode()
    assert "1 SMS part</figcaption>" in plain
    alike = by_sms(users, connection, people, "See you on Saturday")
    assert re.findall(r"\?show=(\w+)\" hx-get", page(client, alike)) == ["sms", "random"]


def test_anybody_is_one_of_the_audience(draft, sign_in):
    client = sign_in("composer")
    shown = client.get(url(draft, "campaign_preview"), {"show": "random"}, headers={"HX-Request": "true"})
    assert shown.context["preview"].row is not None
    assert 1 <= shown.context["preview"].k <= 5


def test_a_jump_that_finds_nobody_says_so(users, connection, sign_in):
    everybody = [make_contact(name="Aminah"), make_contact(name="Siti")]
    campaign = write(users["composer"], connection, [make_list(everybody)])
    address = url(campaign, "campaign_preview")
    shown = sign_in("composer").get(address, {"show": "missing"}, headers={"HX-Request": "true"}).content.decode()
    assert "Nobody is like that; this is the first person." in shown
    assert "Person 1 of 2" in shown
