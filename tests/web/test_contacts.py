import re
from datetime import timedelta

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from contacts import consent
from contacts.models import ConsentEvent, Contact, ContactField, Suppression
from messaging.clock import db_now
from messaging.models import ConversationEvent, Message
from messaging.web.contacts.views import CAMPAIGNS
from messaging.web.frame.words import reason_short
from tests.factories import make_contact, make_conversation, make_list, make_running_campaign

pytestmark = pytest.mark.django_db


def shown(client, **query):
    """Names of the people on the first page of the list."""
    return {row.contact.name for row in client.get(reverse("contact_list"), query).context["rows"]}


@pytest.fixture
def people(connection):
    aminah = make_contact("60123240066", name="Aminah")
    tan = make_contact("60198765432", name="Tan Wei Ling", sms_bad_at=db_now())
    muthu = make_contact("60111112222", name="Muthu")
    make_conversation(aminah, connection, last_mo_at=db_now() - timedelta(hours=1))
    make_conversation(tan, connection, last_mo_at=db_now() - timedelta(hours=25))
    return {"aminah": aminah, "tan": tan, "muthu": muthu, "list": make_list([aminah, tan], "Klang parents")}


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("wei", {"Tan Wei Ling"}),
        ("012-324 0066", {"Aminah"}),
        ("9876", {"Tan Wei Ling"}),
        ("nobody", set()),
        ("  ", {"Aminah", "Tan Wei Ling", "Muthu"}),
        ("%", set()),
    ],
)
def test_people_are_found_by_name_or_by_number_in_any_spelling(words, names, people, sign_in):
    assert shown(sign_in("agent"), q=words) == names


def test_people_are_filtered_by_list_and_by_what_stops_us(people, sign_in):
    client = sign_in("agent")
    client.post(
        reverse("contact_opt_out", args=[people["muthu"].public_id]), {"words": "x", "channel": "all", "purpose": "all"}
    )
    assert shown(client, list=people["list"].public_id) == {"Aminah", "Tan Wei Ling"}
    assert shown(client, reach="open") == {"Aminah"}
    assert shown(client, reach="bad") == {"Tan Wei Ling"}
    assert shown(client, reach="opted_out") == {"Muthu"}


def test_a_filter_that_nobody_knows_shows_everybody(people, sign_in):
    assert len(shown(sign_in("agent"), list="x", reach="x")) == 3


def test_an_erased_person_is_nowhere(people, sign_in):
    Contact.objects.filter(pk=people["muthu"].pk).update(erased_at=db_now(), msisdn=None)
    client = sign_in("admin")
    assert "Muthu" not in shown(client)
    assert client.get(reverse("contact_detail", args=[people["muthu"].public_id])).status_code == 404


def test_a_person_added_by_hand_has_their_number_in_one_form(sign_in):
    ContactField.objects.create(key="district", label="District")
    answer = sign_in("composer").post(
        reverse("contact_new"),
        {"number": "012-324 0066", "name": "  Aminah ", "language": "ms", "field_district": "Klang"},
    )
    contact = Contact.objects.get()
    assert (contact.msisdn, contact.name, contact.fields) == ("60123240066", "Aminah", {"district": "Klang"})
    assert answer.url == reverse("contact_detail", args=[contact.public_id])


def test_a_number_that_is_none_is_refused_in_words_and_nothing_typed_is_lost(sign_in):
    answer = sign_in("composer").post(reverse("contact_new"), {"number": "03-7724 0000", "name": "Aminah"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "land-line" in page
    assert 'value="Aminah"' in page
    assert not Contact.objects.exists()


def test_adding_somebody_who_is_known_keeps_one_person(people, sign_in):
    answer = sign_in("composer").post(reverse("contact_new"), {"number": "+60123240066", "name": ""}, follow=True)
    assert "was known already" in answer.content.decode()
    assert Contact.objects.get(msisdn="60123240066").name == "Aminah"


def test_editing_replaces_and_empties_what_was_there(people, sign_in):
    ContactField.objects.create(key="district", label="District")
    Contact.objects.filter(pk=people["aminah"].pk).update(fields={"district": "Klang"}, language="fr")
    page = reverse("contact_edit", args=[people["aminah"].public_id])
    client = sign_in("agent")
    assert 'value="fr" selected' in client.get(page).content.decode()
    client.post(page, {"name": "Aminah binti Yusof", "language": "ms", "field_district": ""})
    contact = Contact.objects.get(pk=people["aminah"].pk)
    assert (contact.name, contact.language, contact.fields) == ("Aminah binti Yusof", "ms", {})


def test_opting_out_needs_the_words_and_shows_at_once(people, sign_in):
    client, contact = sign_in("agent"), people["aminah"]
    page = reverse("contact_opt_out", args=[contact.public_id])
    answer = client.post(page, {"words": " ", "channel": "all", "purpose": "all"})
    assert (answer.status_code, Suppression.objects.count()) == (422, 0)
    client.post(page, {"words": "Jangan hantar lagi", "channel": "all", "purpose": "all"})
    assert Suppression.objects.get().source == ConsentEvent.Source.STAFF
    shown_page = client.get(reverse("contact_detail", args=[contact.public_id])).content.decode()
    assert "Jangan hantar lagi" in shown_page
    assert "Opted out" in shown_page
    assert ConversationEvent.objects.get().kind == ConversationEvent.Kind.OPTED_OUT


def test_opting_in_lifts_what_stopped_us(people, sign_in):
    client, contact = sign_in("agent"), people["aminah"]
    asked = {"words": "by phone", "channel": "all", "purpose": "all"}
    client.post(reverse("contact_opt_out", args=[contact.public_id]), asked)
    client.post(reverse("contact_opt_in", args=[contact.public_id]), asked)
    assert not Suppression.objects.exists()
    assert [event.direction for event in ConsentEvent.objects.all()] == ["out", "in"]


def test_the_question_is_a_page_without_script_and_a_fragment_in_the_dialog(people, sign_in):
    client, page = sign_in("agent"), reverse("contact_opt_out", args=[people["aminah"].public_id])
    assert "<main" in client.get(page).content.decode()
    fragment = client.get(page, headers={"HX-Request": "true", "HX-Target": "sheet"}).content.decode()
    assert "<main" not in fragment
    assert 'id="sheet-title"' in fragment
    assert "csrfmiddlewaretoken" in fragment


def test_one_wording_says_that_a_number_does_not_work_and_what_ones_role_may_do(people, sign_in):
    Contact.objects.filter(pk=people["tan"].pk).update(whatsapp_bad_at=db_now(), sms_bad_at=None)
    page = reverse("contact_detail", args=[people["tan"].public_id])
    for role, step in (
        ("composer", f'<a href="{reverse("contact_new")}">add it as a new person</a>'),
        ("agent", "can add it"),
    ):
        shown = sign_in(role).get(page).content.decode()
        assert shown.count("Number does not work on WhatsApp") == 2
        assert step in shown
    assert "Not on WhatsApp" in sign_in("viewer").get(reverse("contact_list")).content.decode()


def test_a_number_that_works_after_all_is_cleared_by_staff(people, sign_in):
    sign_in("agent").post(reverse("contact_reachable", args=[people["tan"].public_id, "sms"]))
    assert Contact.objects.get(pk=people["tan"].pk).sms_bad_at is None
    assert ConversationEvent.objects.get().kind == ConversationEvent.Kind.NUMBER_OK


def test_a_person_is_put_into_lists_and_taken_out(people, sign_in):
    other = make_list(name="Staff")
    sign_in("composer").post(reverse("contact_lists", args=[people["aminah"].public_id]), {"lists": [other.pk]})
    assert [one.name for one in people["aminah"].lists.all()] == ["Staff"]


def test_two_lists_cannot_have_one_name(people, sign_in):
    answer = sign_in("composer").post(reverse("list_new"), {"name": "Klang parents"})
    assert answer.status_code == 422
    assert "already exists" in answer.content.decode()


def test_a_viewer_sees_no_whole_number(people, sign_in):
    page = sign_in("viewer").get(reverse("contact_list")).content.decode()
    assert "60123240066" not in page
    assert "+60 12-324 0066" not in page
    assert "+60 12-324 0066" in sign_in("agent").get(reverse("contact_list")).content.decode()


def test_a_hostile_name_stays_a_name(sign_in):
    contact = make_contact(name='<script>alert("x")</script>', fields={"district": "<b>Klang"})
    page = sign_in("agent").get(reverse("contact_detail", args=[contact.public_id])).content.decode()
    assert "<script>alert" not in page
    assert "<b>Klang" not in page


def test_a_person_s_page_has_their_latest_campaigns_with_what_became_of_each(connection, sign_in):
    aminah, other = make_contact(name="Aminah"), make_contact()
    reminder = make_running_campaign(connection, [aminah, other])
    row = reminder.messages.get(contact=aminah)
    Message.objects.filter(pk=row.pk).update(send_state="skipped", reason="opted_out")
    page = reverse("contact_detail", args=[aminah.public_id])
    client = sign_in("composer")
    shown = client.get(page)
    told = shown.content.decode()
    assert [one.campaign.name for one in shown.context["in_campaigns"]] == [reminder.name]
    assert reverse("campaign_person", args=[reminder.public_id, row.public_id]) in told
    assert "Skipped" in told
    assert reason_short("opted_out") in told
    with CaptureQueriesContext(database) as few:
        client.get(page)
    for _each in range(CAMPAIGNS + 2):
        make_running_campaign(connection, [aminah])
    with CaptureQueriesContext(database) as many:
        after = client.get(page).context["in_campaigns"]
    assert len(many) == len(few)
    assert len(after) == CAMPAIGNS
    assert reminder.name not in [one.campaign.name for one in after]


def test_a_person_s_campaigns_are_found_by_the_index_of_their_timeline(connection):
    with database.cursor() as cursor:
        for way in ("seqscan", "bitmapscan", "sort", "incremental_sort"):  # of few rows any way is as cheap
            cursor.execute(f"SET LOCAL enable_{way} = off")
    rows = Message.objects.in_campaigns(make_contact().pk).select_related("campaign")
    assert "message_timeline" in rows[:CAMPAIGNS].explain()


def test_a_viewer_sees_no_whole_address_of_a_person_without_a_name(sign_in):
    number, hidden = make_contact(), make_contact(wa_id="MY.1122334455667788")
    viewer = sign_in("viewer")
    for contact, address in ((number, number.msisdn), (hidden, "1122334455667788")):
        assert address not in viewer.get(reverse("contact_detail", args=[contact.public_id])).content.decode()
    assert (
        "1122334455667788" in sign_in("agent").get(reverse("contact_detail", args=[hidden.public_id])).content.decode()
    )


@pytest.mark.parametrize(
    ("channels", "words"),
    [
        ([], "Yes: they have not opted out."),
        (["whatsapp"], "Allowed: they have not opted out. But the number does not work on WhatsApp."),
        (["sms"], "Allowed: they have not opted out. But the number does not work for SMS."),
        (["whatsapp", "sms"], "Allowed: they have not opted out. But the number does not work."),
    ],
)
def test_a_number_that_does_not_work_takes_the_yes_back(channels, words, sign_in):
    contact = make_contact()
    for channel in channels:
        consent.mark_bad(contact=contact, channel=channel, notice_id=1, now=db_now())
    shown = sign_in("viewer").get(reverse("contact_detail", args=[contact.public_id])).content.decode()
    assert words in shown.partition('id="consent-title"')[2]
    assert ("template only" in shown) is ("whatsapp" not in channels)
    assert ("A number cannot be changed." in shown) is bool(channels)


def test_a_hidden_number_is_said_to_be_hidden_and_the_id_stands_once_among_the_facts(sign_in):
    hidden = make_contact(wa_id="MY.1122334455667788")
    shown = sign_in("agent").get(reverse("contact_detail", args=[hidden.public_id])).content.decode()
    facts = shown[shown.index('id="who-title"') : shown.index('id="lists-title"')]
    assert "hidden by WhatsApp" in facts
    assert facts.count("MY.1122334455667788") == 1


def test_no_browser_keeps_a_page_with_people(sign_in):
    assert "no-store" in sign_in("agent").get(reverse("contact_list")).headers["Cache-Control"]


@pytest.mark.parametrize("page", ["contact_list", "campaign_list", "template_list", "conversation_list"])
def test_a_nul_in_a_search_is_no_trouble(sign_in, page):
    assert sign_in("agent").get(reverse(page), {"q": "a\0b"}).status_code == 200


@pytest.mark.parametrize(
    ("scopes", "words"),
    [
        ([{}], "Opted out"),
        ([{"channel": "whatsapp"}], "Opted out of WhatsApp"),
        ([{"channel": "sms"}, {"channel": "whatsapp"}], "Opted out"),
        ([{"purpose": "marketing"}], "No marketing"),
        ([{"channel": "sms"}, {"purpose": "marketing"}], "Opted out in part"),
    ],
)
def test_the_badge_says_opted_out_of_everything_only(scopes, words, sign_in):
    contact = make_contact(name="Rohani")
    for scope in scopes:
        consent.opt_out(contact=contact, source="staff", words="said so", now=db_now(), **scope)
    shown = sign_in("viewer").get(reverse("contact_detail", args=[contact.public_id])).content.decode()
    assert re.search(rf"state--bad[^>]*>.*?{words}</span>", shown.partition("<main")[2].partition("</header>")[0])
