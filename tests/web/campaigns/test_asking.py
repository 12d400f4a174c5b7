"""Nobody asks for approval of people that the page did not show: what differs is saved and shown first."""

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.urls import reverse
from django.utils.html import escape

from messaging import campaigns, planning
from messaging.clock import db_now
from messaging.errors import Stale
from messaging.models import Campaign
from messaging.reasons import WORDS_OF_ITS_OWN
from messaging.web.campaigns.page import either
from tests.factories import make_contact, make_draft, make_list, make_user

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
FIELDS = ("name", "connection", "purpose", "version", "session_text", "template_version", "time_zone")
REFUSED = "Saved, but approval is not asked for yet"


@pytest.fixture
def lists():
    """Two lists by their names: two people and five."""
    return [
        make_list([make_contact(name=f"{name} {number}") for number in range(people)], name)
        for name, people in (("Choir", 2), ("Parents", 5))
    ]


@pytest.fixture
def draft(connection, lists):
    return make_draft(connection, lists[:1])


def url(draft, name="campaign_detail", *more):
    return reverse(name, args=[draft.public_id, *more])


def posted(client, draft, **changes):
    """The page as it is shown, its button pressed, with something changed."""
    context = client.get(url(draft)).context
    form, counted = context["form"], context["counted"]
    values = {name: form[name].value() for name in FIELDS if form[name].value() is not None}
    ticks = {name: sorted(context[name]) for name in ("include", "exclude")}
    return values | ticks | {"seen": counted.mark if counted else "", "act": "submit"} | changes


@pytest.mark.parametrize("field", ["session_text", "sms_text"])
def test_a_text_of_nothing_but_placeholders_is_refused_where_it_is_written(field, draft, sign_in):
    client = sign_in("composer")
    answer = client.post(url(draft), posted(client, draft, **{field: "{{name}}\n {{note}}"}), follow=True)
    lane = field.removesuffix("_text")
    assert WORDS_OF_ITS_OWN in [one.words for one in answer.context["findings"][lane]]
    assert any(str(WORDS_OF_ITS_OWN) in problem for problem in answer.context["problems"])
    assert state_of(draft) == Campaign.State.DRAFT


def state_of(draft):
    return Campaign.objects.get(pk=draft.pk).state


def included(draft):
    return list(draft.audience.filter(excluded=False).values_list("contact_list__name", flat=True))


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_ticks_that_were_not_counted_are_shown_with_their_people_before_they_are_submitted(
    headers, draft, lists, sign_in
):
    client = sign_in("composer")
    answer = client.post(url(draft), posted(client, draft, include=[lists[1].pk]), headers=headers)
    shown = answer.content.decode()
    assert state_of(draft) == "draft"
    assert included(draft) == ["Parents"]
    assert REFUSED in shown
    assert "This page had counted 2 people." in shown
    assert "Now it is 5 people of “Parents”, and 5 messages." in shown
    assert answer.context["version"] == Campaign.objects.get(pk=draft.pk).version
    client.post(url(draft), posted(client, draft))
    assert state_of(draft) == "in_review"


def test_without_script_the_page_that_asks_again_is_no_success(draft, lists, sign_in):
    client = sign_in("composer")
    answer = client.post(url(draft), posted(client, draft, include=[lists[1].pk]))
    assert answer.status_code == 409
    assert f'name="seen" value="{answer.context["counted"].mark}"' in answer.content.decode()


def test_as_many_people_of_another_list_are_other_people(draft, sign_in):
    client = sign_in("composer")
    others = make_list([make_contact(), make_contact()], "Others")
    shown = client.post(url(draft), posted(client, draft, include=[others.pk]), headers=HTMX).content.decode()
    assert "This page had counted for other lists, texts or times." in shown
    assert "Now it is 2 people of “Others”" in shown
    assert state_of(draft) == "draft"


def test_people_who_were_added_to_the_list_meanwhile_are_shown_first(draft, lists, sign_in):
    client = sign_in("composer")
    values = posted(client, draft)
    lists[0].members.add(make_contact(name="Late"))
    shown = client.post(url(draft), values, headers=HTMX).content.decode()
    assert "This page had counted 2 people." in shown
    assert state_of(draft) == "draft"


def test_a_text_that_changes_who_gets_what_is_counted_first_and_other_words_are_not(draft, sign_in):
    client = sign_in("composer")
    unfillable = posted(client, draft, template_version="", session_text="Your seat is {{seat}}")
    assert REFUSED in client.post(url(draft), unfillable, headers=HTMX).content.decode()
    assert state_of(draft) == "draft"
    client.post(url(draft), posted(client, draft, session_text="You have the seat {{seat}}"), headers=HTMX)
    assert state_of(draft) == "in_review"


def test_a_page_that_has_not_counted_yet_counts_when_it_is_asked(draft, sign_in, monkeypatch):
    monkeypatch.setattr("messaging.web.campaigns.forecast.MANY", 0)
    cache.clear()
    client = sign_in("composer")
    shown = client.post(url(draft), posted(client, draft), headers=HTMX).content.decode()
    assert "This page had not counted the people yet." in shown
    assert 'id="counting"' not in shown
    client.post(url(draft), posted(client, draft), headers=HTMX)  # kept from that counting
    assert state_of(draft) == "in_review"


def test_what_is_submitted_is_the_version_that_was_counted(draft):
    writer = make_user()
    campaigns.edit_campaign(campaign=draft, user=writer, version=draft.version, now=db_now(), name="Theirs")
    with pytest.raises(Stale):
        campaigns.submit_campaign(campaign=draft, user=writer, now=db_now(), version=draft.version)
    assert state_of(draft) == "draft"


def test_the_lists_keep_their_order_whichever_are_ticked(draft, lists, sign_in):
    client = sign_in("composer")
    before = [row.name for row in client.get(url(draft)).context["lists"]]
    client.post(url(draft), posted(client, draft, include=[lists[1].pk], act="save"))
    assert [row.name for row in client.get(url(draft)).context["lists"]] == before == ["Choir", "Parents"]


def test_going_back_finds_no_earlier_look_at_the_draft(draft, sign_in):
    answer = sign_in("composer").get(url(draft))
    assert "no-store" in answer["Cache-Control"]
    assert 'id="draft" method="post" autocomplete="off"' in answer.content.decode()


def test_the_lists_are_named_where_approval_is_asked_for(draft, lists, sign_in):
    client = sign_in("composer")
    shown = client.post(url(draft), posted(client, draft, exclude=[lists[1].pk]), headers=HTMX).content.decode()
    assert "Goes to: Choir. Left out: Parents." in shown


def test_a_word_to_the_approver_stands_above_their_decision_and_in_the_history(draft, sign_in):
    said = "Only the choir:\nthe parents get theirs on Friday."
    composer = sign_in("composer")
    composer.post(url(draft), posted(composer, draft, note=f"  {said}\x00 "))
    planning.materialise(draft.pk, db_now())
    shown = sign_in("approver").get(url(draft))
    assert [note.reason for note in shown.context["notes"]] == [said]
    words = shown.content.decode()
    assert words.count(escape(said)) == 2
    assert words.index(escape(said)) < words.index('id="story"')


def test_a_word_can_be_added_while_it_waits_and_stands_after_the_first(draft, sign_in):
    composer = sign_in("composer")
    composer.post(url(draft), posted(composer, draft, note="Please today."))
    planning.materialise(draft.pk, db_now())
    address = url(draft, "campaign_note")
    assert address in composer.get(url(draft)).content.decode()
    assert composer.post(address, {"note": "  "}).status_code == 422
    composer.post(address, {"note": "Before noon, if you can."})
    shown = sign_in("approver").get(url(draft))
    assert [note.reason for note in shown.context["notes"]] == ["Please today.", "Before noon, if you can."]
    assert address not in shown.content.decode()
    assert "added a word for the approver" in shown.content.decode()
    assert sign_in("approver").post(address, {"note": "Mine"}).status_code == 403


def test_a_word_comes_too_late_once_it_was_taken_back_and_none_outlives_that(draft, sign_in):
    composer = sign_in("composer")
    composer.post(url(draft), posted(composer, draft, note="Please today."))
    composer.post(url(draft, "campaign_act", "withdraw"))
    answer = composer.post(url(draft, "campaign_note"), {"note": "Hello?"})
    assert answer.status_code == 422 and "This campaign is draft" in answer.content.decode()
    composer.post(url(draft), posted(composer, draft))
    planning.materialise(draft.pk, db_now())
    assert composer.get(url(draft)).context["notes"] == []


def test_without_a_word_nothing_is_quoted(draft, sign_in):
    composer = sign_in("composer")
    composer.post(url(draft), posted(composer, draft))
    planning.materialise(draft.pk, db_now())
    shown = sign_in("approver").get(url(draft))
    assert shown.context["notes"] == [] and "decide__note" not in shown.content.decode()


def test_a_refusal_keeps_the_word(draft, sign_in):
    client = sign_in("composer")
    asked = posted(client, draft, note="Please before noon", session_text="")
    answer = client.post(url(draft), asked | {"template_version": "", "seen": "old"})
    assert ">Please before noon</textarea>" in answer.content.decode()
    draft.refresh_from_db()
    assert draft.state == Campaign.State.DRAFT


def test_the_composer_names_who_can_approve_it_and_never_its_writers(draft, sign_in):
    client = sign_in("composer")
    User.objects.exclude(username="composer").update(is_active=False)  # whoever may approve here
    assert "Nobody can approve it" in client.get(url(draft)).content.decode()
    farid = make_user("farid", role="approver")
    make_user("mei", role="approver")
    make_user("agent2", role="agent")
    assert "approves it: farid or mei. Then" in client.get(url(draft)).content.decode()
    draft.editor_ids = [*draft.editor_ids, farid.pk]
    draft.save()
    assert "approves it: mei. Then" in client.get(url(draft)).content.decode()


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], ""),
        (["A"], "A"),
        (["A", "B", "C", "D"], "A, B, C or D"),
        (["A", "B", "C", "D", "E"], "A, B, C or 2 others"),
    ],
)
def test_many_approvers_are_named_in_part(names, words):
    assert either(names) == words
