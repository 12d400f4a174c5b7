import re
from datetime import timedelta

import pytest
from django.urls import reverse

from contacts import consent
from messaging import approval, campaigns, examples, planning
from messaging.clock import db_now
from messaging.models import Campaign, Connection, Conversation
from messaging.roles import ROLES
from messaging.web.frame import polling
from tests.factories import (
    make_approved_version,
    make_contact,
    make_conversation,
    make_list,
    make_request,
    make_running_campaign,
    make_user,
)
from tests.web.test_pages import FORBIDDEN

pytestmark = pytest.mark.django_db
BODY = "Hello {{name}}, the gotong-royong is on Saturday."


@pytest.fixture
def people(connection):
    """Five people: one wrote lately, one opted out, one has no name."""
    found = [make_contact(name=name) for name in ("Aminah", "Tan Wei Ling", "Muthu", "Siti", "")]
    make_conversation(found[0], connection, last_mo_at=db_now() - timedelta(hours=1))
    consent.opt_out(contact=found[3], source="person", words="STOP", now=db_now())
    return found


@pytest.fixture
def klang(people):
    return make_list(people, "Klang parents")


@pytest.fixture
def draft(users, connection, klang):
    return write(users["composer"], connection, [klang])


def write(user, connection, lists, **fields):
    campaign = campaigns.create_campaign(user=user, now=db_now(), name="Gotong-royong", connection=connection)
    texts = {"session_text": "Hi {{name}}, see you on Saturday?", "template_version": make_approved_version(BODY)}
    return campaigns.edit_campaign(
        campaign=campaign, user=user, version=0, now=db_now(), include=lists, **{"exclude": []} | texts | fields
    )


@pytest.fixture
def in_review(draft, users):
    campaigns.submit_campaign(campaign=draft, user=users["composer"], now=db_now())
    planning.materialise(draft.pk, db_now())
    return fresh(draft)


@pytest.fixture
def approved(in_review, users):
    arguments = {"user": users["approver"], "plan_hash": in_review.plan_hash, "now": db_now()}
    approval.approve_campaign(campaign=in_review, **arguments)
    return fresh(in_review)


@pytest.fixture
def running(approved, users):
    campaigns.launch_campaign(campaign=approved, user=users["approver"], now=db_now())
    campaigns.start(approved.pk, db_now())
    return fresh(approved)


def fresh(campaign):
    return Campaign.objects.get(pk=campaign.pk)


def url(campaign, name="campaign_detail", *more):
    return reverse(name, args=[campaign.public_id, *more])


def page(client, campaign, **query):
    return client.get(url(campaign), query).content.decode()


def as_posted(client, campaign, **changes):
    """What a browser would post: the form as the page shows it, with something changed."""
    context = client.get(url(campaign)).context
    form, counted = context["form"], context["counted"]
    values = {"seen": counted.mark} if counted else {}
    for field in form:
        if (value := field.value()) not in (None, "", False):
            values[field.html_name] = field.field.widget.format_value(value) if "_a" in field.name else value
    return {"include": values.pop("include", [])} | values | changes


# The list


def test_an_empty_list_leads_to_the_first_campaign(connection, sign_in):
    assert reverse("campaign_new") in sign_in("composer").get(reverse("campaign_list")).content.decode()


def test_without_a_connection_the_list_says_what_comes_first(sign_in):
    assert "A connection comes first" in sign_in("composer").get(reverse("campaign_list")).content.decode()


def test_the_list_says_in_words_how_far_each_campaign_is(running, sign_in):
    shown = sign_in("viewer").get(reverse("campaign_list")).content.decode()
    assert "Gotong-royong" in shown
    assert "Running" in shown
    assert "5 = to send 3 + skipped 2" in shown


@pytest.mark.parametrize(("query", "found"), [({"q": "royong"}, 1), ({"q": "zzz"}, 0), ({"state": "running"}, 0)])
def test_campaigns_are_found_by_name_and_state(query, found, draft, sign_in):
    assert len(sign_in("viewer").get(reverse("campaign_list"), query).context["page"].rows) == found


def test_the_list_asks_the_same_number_of_questions_for_one_campaign_and_for_twenty(
    users, connection, klang, sign_in, django_assert_max_num_queries
):
    client = sign_in("viewer")
    write(users["composer"], connection, [klang])
    client.get(reverse("campaign_list"))
    with django_assert_max_num_queries(30) as one:
        client.get(reverse("campaign_list"))
    for _more in range(19):
        write(users["composer"], connection, [klang])
    with django_assert_max_num_queries(len(one)):
        client.get(reverse("campaign_list"))


# Who may do what


@pytest.mark.parametrize("role", ROLES)
def test_everyone_on_the_staff_reads_campaigns_and_strangers_do_not(role, draft, sign_in):
    assert sign_in(role).get(url(draft)).status_code == 200
    assert sign_in("stranger").get(url(draft)).status_code == 403


@pytest.mark.parametrize(
    ("role", "act", "allowed"),
    [
        ("viewer", "launch", False),
        ("agent", "pause", False),
        ("composer", "launch", True),
        ("approver", "withdraw", False),
        ("composer", "withdraw", True),
        ("viewer", "cancel", False),
    ],
)
def test_acts_are_for_those_whose_role_has_them(role, act, allowed, approved, sign_in):
    assert (sign_in(role).get(url(approved, "campaign_act", act)).status_code == 200) is allowed


def test_a_viewer_cannot_save_a_draft(draft, sign_in):
    client = sign_in("viewer")
    assert '<fieldset class="stack" disabled>' in page(client, draft)
    assert client.post(url(draft), as_posted(client, draft, name="Mine")).status_code == 403
    assert fresh(draft).name == "Gotong-royong"


def test_an_act_that_does_not_exist_is_not_found(draft, sign_in):
    assert sign_in("admin").post(url(draft, "campaign_act", "explode")).status_code == 404


# The composer


def test_a_new_campaign_needs_a_name_and_opens_as_a_draft(connection, sign_in):
    client = sign_in("composer")
    answer = client.post(reverse("campaign_new"), {"connection": connection.pk, "purpose": "service"})
    assert answer.status_code == 422
    answer = client.post(
        reverse("campaign_new"), {"name": "Fees", "connection": connection.pk, "purpose": "service"}, follow=True
    )
    assert Campaign.objects.get().name == "Fees"
    assert "No text yet" in answer.content.decode()


def test_the_composer_counts_people_lanes_and_reasons_of_what_is_saved(draft, sign_in):
    context = sign_in("composer").get(url(draft)).context
    assert context["audience"].audience == 5
    assert {group.lane: group.people for group in context["groups"]} == {
        "session": 1, "template": 2, "sms": 0, "held": 0, "skipped": 2,
    }  # fmt: skip
    assert sum(group.people for group in context["groups"]) == context["audience"].audience


def test_each_person_has_a_line_with_lane_reason_and_their_own_text(draft, sign_in):
    shown = page(sign_in("composer"), draft)
    assert "Hi Aminah, see you on Saturday?" in shown
    assert "Hello Tan Wei Ling, the gotong-royong is on Saturday." in shown
    assert "They asked us not to write to them." in shown


def test_the_plan_can_be_narrowed_to_a_lane_and_a_reason(draft, people, sign_in):
    client = sign_in("composer")
    assert [row.contact for row in client.get(url(draft), {"lane": "session"}).context["plan_rows"]] == [people[0]]
    chosen = client.get(url(draft), {"lane": "skipped", "reason": "opted_out"}).context["plan_rows"]
    assert [row.contact for row in chosen] == [people[3]]


@pytest.mark.parametrize("before", ["", "?lane=template"])
def test_a_lane_pressed_on_the_page_is_the_one_that_comes_whatever_stood_there_before(before, draft, people, sign_in):
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{url(draft)}{before}"}
    context = sign_in("composer").get(url(draft), {"lane": "session"}, headers=headers).context
    assert [row.contact for row in context["plan_rows"]] == [people[0]]


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


def test_longest_goes_by_the_values_that_the_texts_ask_for(users, connection, sign_in):
    short = make_contact(name="A name much longer", fields={"town": "Klang", "unasked": "x" * 99})
    people = [short, make_contact(name="Siti", fields={"town": "Kuala Terengganu"})]
    campaign = write(users["composer"], connection, [make_list(people)], session_text="", sms_text="From {{town}}")
    campaign.template_version = None
    campaign.save()
    assert examples.longest(campaign) == people[1].pk
    assert examples.lacking(campaign) is None


def test_a_jump_that_finds_nobody_says_so(users, connection, sign_in):
    everybody = [make_contact(name="Aminah"), make_contact(name="Siti")]
    campaign = write(users["composer"], connection, [make_list(everybody)])
    address = url(campaign, "campaign_preview")
    shown = sign_in("composer").get(address, {"show": "missing"}, headers={"HX-Request": "true"}).content.decode()
    assert "Nobody is like that; this is the first person." in shown
    assert "Person 1 of 2" in shown


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
    assert "“’” makes each SMS part 70 letters" in shown
    assert re.search(r"Saved \d\d:\d\d:\d\d", shown)


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


def test_the_composer_asks_the_same_number_of_questions_for_five_people_and_for_fifty(
    draft, klang, sign_in, django_assert_max_num_queries
):
    client = sign_in("composer")
    client.get(url(draft))
    with django_assert_max_num_queries(60) as few:
        client.get(url(draft))
    klang.members.add(*[make_contact(name="Somebody") for _more in range(45)])
    with django_assert_max_num_queries(len(few)):
        client.get(url(draft))


# Review


def test_a_plan_that_is_still_written_says_how_far_it_is(draft, users, sign_in):
    campaigns.submit_campaign(campaign=draft, user=users["composer"], now=db_now())
    client = sign_in("approver")
    assert "0 of 5 people have their line" in page(client, draft)
    part = client.get(url(draft, "campaign_live"), {"seen": "planning"}, headers={"HX-Request": "true"})
    assert "0 of 5" in part.content.decode()
    planning.materialise(draft.pk, db_now())
    assert client.get(url(draft, "campaign_live"), {"seen": "planning"})["HX-Refresh"] == "true"


def test_the_approver_sees_counts_texts_and_everyone_and_how_many_messages_it_is(in_review, sign_in):
    shown = page(sign_in("approver"), in_review)
    assert "Approve 3 messages" in shown
    assert "Hi Aminah, see you on Saturday?" in shown
    assert "They asked us not to write to them." in shown
    assert in_review.plan_hash in shown


def test_the_writer_is_told_why_somebody_else_has_to_approve(in_review, users, sign_in):
    assert "Approve 3 messages" not in page(sign_in("composer"), in_review)
    shown = page(sign_in("admin"), in_review)
    assert "Approve 3 messages" in shown
    withdrawn = campaigns.withdraw_campaign(campaign=in_review, user=users["composer"], now=db_now())
    campaigns.edit_campaign(
        campaign=withdrawn, user=users["admin"], version=withdrawn.version, now=db_now(), name="Ours"
    )
    campaigns.submit_campaign(campaign=withdrawn, user=users["composer"], now=db_now())
    planning.materialise(withdrawn.pk, db_now())
    shown = page(sign_in("admin"), withdrawn)
    assert "You cannot approve this one" in shown
    assert "Approve 3 messages" not in shown
    sign_in("admin").post(url(withdrawn, "campaign_approve"), {"plan_hash": fresh(withdrawn).plan_hash})
    assert fresh(withdrawn).state == "in_review"


def test_whoever_decides_returns_it_and_its_writers_alone_cancel_what_is_in_review(in_review, sign_in):
    decider, writer = page(sign_in("approver"), in_review), page(sign_in("composer"), in_review)
    assert ("Return to its writers…" in decider, "Cancel for good…" in decider) == (True, False)
    assert ("Return to its writers…" in writer, "Cancel for good…" in writer) == (False, True)
    asked = sign_in("composer").get(url(in_review, "campaign_act", "cancel")).content.decode()
    assert "already with the provider" not in asked, "nothing is"


def test_once_it_is_approved_both_may_cancel(approved, sign_in):
    assert all("Cancel for good…" in page(sign_in(role), approved) for role in ("approver", "composer"))


def test_approving_is_of_the_plan_that_was_seen(in_review, sign_in):
    client = sign_in("approver")
    answer = client.post(url(in_review, "campaign_approve"), {"plan_hash": "0" * 64}, follow=True)
    assert "not the one that you saw" in answer.content.decode()
    assert fresh(in_review).state == "in_review"
    client.post(url(in_review, "campaign_approve"), {"plan_hash": in_review.plan_hash})
    assert fresh(in_review).state == "approved"


def test_many_messages_are_approved_by_typing_their_number(in_review, sign_in, monkeypatch):
    monkeypatch.setattr("messaging.web.campaigns.review.MANY", 2)
    client = sign_in("approver")
    values = {"plan_hash": in_review.plan_hash}
    refused = client.post(url(in_review, "campaign_approve"), values | {"count": "4"})
    assert refused.status_code == 422
    assert "it is 3" in refused.content.decode()
    client.post(url(in_review, "campaign_approve"), values | {"count": " 3 "})
    assert fresh(in_review).state == "approved"


def test_returning_needs_a_reason_which_the_writer_then_reads(in_review, sign_in):
    approver = sign_in("approver")
    assert approver.post(url(in_review, "campaign_return"), {"reason": " "}).status_code == 422
    assert fresh(in_review).state == "in_review"
    approver.post(url(in_review, "campaign_return"), {"reason": "Name the hall."})
    assert fresh(in_review).state == "draft"
    assert "Name the hall." in page(sign_in("composer"), in_review)


def test_people_who_joined_since_are_shown_and_not_added(in_review, klang, sign_in):
    klang.members.add(make_contact(name="Late"))
    context = sign_in("approver").get(url(in_review)).context
    assert context["joined"] == 1
    assert context["audience"].audience == 5


# Start, pause, resume, cancel


def test_an_approved_campaign_is_started_after_a_question_that_says_how_many(approved, sign_in):
    client = sign_in("composer")
    assert "Start sending 3 messages" in page(client, approved)
    asked = client.get(url(approved, "campaign_act", "launch")).content.decode()
    assert "3 messages will begin to leave now" in asked
    assert "Start sending 3 messages</button>" in asked, "the question has the words of the button that led to it"
    assert fresh(approved).state == "approved"
    client.post(url(approved, "campaign_act", "launch"))
    assert fresh(approved).state == "preparing"


def test_a_later_time_makes_it_scheduled(users, connection, klang, sign_in):
    campaign = write(users["composer"], connection, [klang], send_at=db_now() + timedelta(days=1))
    campaigns.submit_campaign(campaign=campaign, user=users["composer"], now=db_now())
    planning.materialise(campaign.pk, db_now())
    sealed = fresh(campaign)
    approval.approve_campaign(campaign=sealed, user=users["approver"], plan_hash=sealed.plan_hash, now=db_now())
    client = sign_in("approver")
    assert "Schedule 3 messages" in page(client, campaign)
    assert "Schedule 3 messages</button>" in client.get(url(campaign, "campaign_act", "launch")).content.decode()
    said = client.post(url(campaign, "campaign_act", "launch"), follow=True).content.decode()
    assert fresh(campaign).state == "scheduled"
    assert "Scheduled." in said
    assert "Begins on" in said


def test_whoever_launches_for_later_scheduled_it_and_did_not_start_it(users, connection, klang, sign_in):
    later = db_now() + timedelta(days=1)
    campaign = write(users["composer"], connection, [klang], send_at=later)
    campaigns.submit_campaign(campaign=campaign, user=users["composer"], now=db_now())
    planning.materialise(campaign.pk, db_now())
    arguments = {"user": users["approver"], "plan_hash": fresh(campaign).plan_hash, "now": db_now()}
    approval.approve_campaign(campaign=campaign, **arguments)
    campaigns.launch_campaign(campaign=campaign, user=users["approver"], now=db_now())
    client = sign_in("viewer")
    assert "</strong> scheduled it" in page(client, campaign)
    assert "started it" not in page(client, campaign)
    campaigns.start_due(later)
    assert "approver scheduled it for" in page(client, campaign)
    assert "started it" not in page(client, campaign)


def test_what_was_cancelled_before_its_launch_has_a_report_without_answers(approved, users, sign_in):
    campaigns.cancel_campaign(campaign=approved, user=users["approver"], now=db_now())
    assert sign_in("viewer").get(url(approved), {"then": "wrote"}).context["answered"] == {"wrote": 0, "opted_out": 0}


def test_a_running_campaign_is_paused_and_resumed(running, sign_in):
    client = sign_in("approver")
    client.post(url(running, "campaign_act", "pause"))
    assert "0 of 3 submitted · 3 to send. What has not left yet waits until somebody resumes it." in page(
        client, running
    )
    client.post(url(running, "campaign_act", "resume"))
    assert fresh(running).state == "running"


def test_cancelling_says_first_what_it_means_and_a_second_time_is_refused_in_words(running, sign_in):
    client = sign_in("approver")
    assert "3 messages will not be sent" in client.get(url(running, "campaign_act", "cancel")).content.decode()
    client.post(url(running, "campaign_act", "cancel"))
    assert fresh(running).state == "cancelled"
    again = client.post(url(running, "campaign_act", "cancel"), follow=True)
    assert "not possible now" in again.content.decode()


# The report


def settle(running, *, delivered=0, undelivered=0, waiting=0, unknown=0, code="505"):
    """Hand over the first rows of a running campaign, with these ends."""
    rows = list(running.messages.filter(send_state="queued").select_related("contact", "connection").order_by("pk"))
    for row in rows:
        row.lane, row.reason, row.body = row.planned_lane, row.planned_reason, ""
    told = delivered + undelivered
    good, rows = rows[: told + waiting], rows[told + waiting :]
    if good:
        make_request(good, ref="17.1", text="Hi")
    for number, row in enumerate(good[:told]):
        row.delivery_state = "delivered" if number < delivered else "undelivered"
        row.error_code = "" if number < delivered else code
        row.save()
    if unknown:
        make_request(rows[:unknown], text="Hi", error="no answer")


def test_the_bars_always_add_up(running, sign_in):
    settle(running, delivered=1, undelivered=1)
    client = sign_in("viewer")
    audience, submitted = client.get(url(running)).context["bars"]
    assert audience.total == 5
    assert submitted.total == 2
    assert audience.equation == "5 = submitted 2 + to send 1 + skipped 2"
    assert submitted.equation == "2 = delivered 1 + not delivered 1"
    assert "2 of 3 submitted" in page(client, running)


def test_failures_say_what_to_do_and_lead_to_their_people(running, sign_in):
    settle(running, delivered=1, undelivered=1)
    client = sign_in("viewer")
    (group,) = client.get(url(running)).context["failures"]
    assert str(group.words) == "Check the number"
    assert "outcome=undelivered&amp;code=505" in page(client, running)
    assert len(client.get(url(running), {"outcome": "undelivered", "code": "505"}).context["page"].rows) == 1


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 5),
        ({"outcome": "delivered"}, 1),
        ({"outcome": "submitted"}, 2),
        ({"outcome": "to_send"}, 1),
        ({"outcome": "skipped"}, 2),
        ({"reason": "opted_out"}, 1),
        ({"lane": "session"}, 1),
        ({"q": "tan wei"}, 1),
        ({"outcome": "nonsense", "lane": "nonsense"}, 5),
        ({"outcome": "held"}, 0),
    ],
)
def test_everyone_can_be_found_by_outcome_lane_reason_and_name(query, count, running, sign_in):
    settle(running, delivered=1, undelivered=1)
    assert len(sign_in("viewer").get(url(running), query).context["page"].rows) == count


def test_what_happened_otherwise_than_planned_is_counted(running, sign_in):
    settle(running, delivered=2)
    row = running.messages.get(planned_lane="template", delivery_state="delivered")
    row.lane, row.reason = "session", "window_open"
    row.save()
    client = sign_in("viewer")
    (change,) = client.get(url(running)).context["changes"]
    assert (change.planned, change.happened, change.people) == ("Template", "Free text", 1)
    assert len(client.get(url(running), {"changed": "1"}).context["page"].rows) == 1


def test_replies_and_opt_outs_are_counted_and_lead_to_their_people(running, people, connection, sign_in):
    left = running.messages.filter(send_state="queued")
    left.update(lane="template")
    make_request(list(left), ref="r2", text="Hello")
    Conversation.objects.filter(contact=people[0]).update(last_mo_at=db_now())
    consent.opt_out(contact=people[1], source="person", words="STOP", now=db_now())
    client = sign_in("agent")
    assert client.get(url(running)).context["answered"] == {"wrote": 1, "opted_out": 1}
    for then, who in (("wrote", "Aminah"), ("opted_out", "Tan Wei Ling")):
        found = client.get(url(running), {"then": then}).context["page"].rows
        assert [line.message.contact.name for line in found] == [who]
    assert f"?campaign={running.public_id}" in page(client, running)
    inbox = client.get(reverse("conversation_list"), {"campaign": running.public_id})
    assert [row.conversation.contact.name for row in inbox.context["rows"]] == ["Aminah"]
    assert "wrote after “Gotong-royong”" in inbox.content.decode()


def test_unknowns_are_named_and_lead_to_the_work_list(running, sign_in):
    settle(running, unknown=2)
    shown = page(sign_in("approver"), running)
    assert "Of 2 messages nobody can say whether they left." in shown
    assert f"{reverse('unknown_list')}?campaign={running.public_id}" in shown


def test_a_stopped_connection_is_the_first_thing_said(running, sign_in):
    Connection.objects.update(state="no_credit")
    shown = page(sign_in("viewer"), running)
    assert "Nothing leaves just now" in shown
    assert "3 messages not sent yet; none of them is lost" in shown


def test_live_figures_come_only_when_something_is_new(running, sign_in):
    client = sign_in("viewer")
    seen = client.get(url(running)).context["seen"]
    assert client.get(url(running, "campaign_live"), {"seen": seen}).status_code == 204
    settle(running, delivered=1)
    part = client.get(url(running, "campaign_live"), {"seen": seen})
    assert part["HX-Trigger"] == "campaign-changed"
    assert "<html" not in part.content.decode()
    Campaign.objects.filter(pk=running.pk).update(state="paused")
    assert client.get(url(running, "campaign_live"), {"seen": seen})["HX-Refresh"] == "true"


@pytest.mark.parametrize(
    ("state", "ended_ago", "settled", "connection_state", "every"),
    [
        ("running", None, {}, "ok", "1s"),
        ("running", None, {"delivered": 3}, "ok", "3s"),  # who is held until they write is not about to move
        ("running", None, {}, "no_credit", "3s"),
        ("paused", None, {}, "ok", "3s"),
        ("finished", timedelta(seconds=5), {"waiting": 3}, "ok", "1s"),
        ("finished", timedelta(minutes=5), {"waiting": 3}, "ok", "10s"),
    ],
)
def test_the_page_asks_the_sooner_the_more_is_about_to_happen(
    state, ended_ago, settled, connection_state, every, running, sign_in
):
    settle(running, **settled)
    finished_at = ended_ago and db_now() - ended_ago
    Campaign.objects.filter(pk=running.pk).update(state=state, finished_at=finished_at)
    type(running.connection).objects.filter(pk=running.connection_id).update(state=connection_state)
    assert sign_in("viewer").get(url(running)).context["every"] == every


def test_a_page_of_very_many_people_asks_less_often(running, sign_in, monkeypatch):
    monkeypatch.setattr(polling, "SMALL", 2)
    assert sign_in("viewer").get(url(running)).context["every"] == "3s"


def test_a_finished_campaign_keeps_its_report(running, sign_in):
    settle(running, delivered=3)
    Campaign.objects.filter(pk=running.pk).update(state="finished", finished_at=db_now())
    assert "3 of 3 delivered" in page(sign_in("viewer"), running)


def test_one_persons_steps_are_told_in_words(running, sign_in):
    settle(running, delivered=1)
    row = running.messages.filter(delivery_state="delivered").get()
    shown = sign_in("viewer").get(url(running, "campaign_person", row.public_id)).content.decode()
    assert "They wrote to us within 24 hours" in shown
    assert "Handed to the provider" in shown


def test_a_message_of_another_campaign_is_not_found(running, draft, sign_in):
    row = running.messages.first()
    other = write(make_user("other", "composer"), running.connection, [])
    assert sign_in("viewer").get(url(other, "campaign_person", row.public_id)).status_code == 404


def test_a_viewer_sees_no_whole_numbers(running, people, sign_in):
    assert people[0].pretty_number not in page(sign_in("viewer"), running)
    assert people[0].pretty_number in page(sign_in("composer"), running)


def test_the_history_says_who_did_what_and_folds_repeated_savings(running, users, sign_in):
    story = sign_in("viewer").get(url(running)).context["story"]
    assert [(line.who, line.did) for line in story][:2] == [("approver", "started it"), ("approver", "approved it")]
    assert len(story) == len({(line.who, line.did) for line in story})


def test_the_report_asks_the_same_number_of_questions_for_few_people_and_for_many(
    running, connection, sign_in, django_assert_max_num_queries
):
    large = make_running_campaign(connection, [make_contact(wa_id=f"nobody{number}") for number in range(30)])
    client = sign_in("viewer")
    client.get(url(running))
    with django_assert_max_num_queries(60) as few:
        client.get(url(running), {"outcome": "skipped"})
    with django_assert_max_num_queries(len(few)):
        client.get(url(large), {"outcome": "skipped"})


def test_a_new_draft_is_made_in_one_line_and_changed_by_whoever_comes_next(draft, sign_in):
    client = sign_in("composer")
    client.post(url(draft), as_posted(client, draft, session_text="Hi"))
    assert [(line.who, line.did) for line in client.get(url(draft)).context["story"]] == [
        ("composer", "made the draft")
    ]
    admin = sign_in("admin")
    admin.post(url(draft), as_posted(admin, draft, session_text="Hello"))
    story = admin.get(url(draft)).context["story"]
    assert [(line.who, line.did) for line in story] == [("admin", "changed the draft"), ("composer", "made the draft")]


def test_taking_it_back_is_not_returning_it(in_review, users, sign_in):
    client = sign_in("composer")
    client.post(url(in_review, "campaign_act", "withdraw"))
    assert client.get(url(in_review)).context["story"][0].did == "took it back to draft"
    campaigns.submit_campaign(campaign=in_review, user=users["composer"], now=db_now())
    planning.materialise(in_review.pk, db_now())
    sign_in("approver").post(url(in_review, "campaign_return"), {"reason": "Name the hall."})
    assert client.get(url(in_review)).context["story"][0].did == "returned it"


def test_the_texts_stay_readable_after_the_start(running, sign_in):
    shown = page(sign_in("viewer"), running)
    assert "the texts as they were approved" in shown
    for words in ("see you on Saturday?", "the gotong-royong is on Saturday."):
        assert words in shown


def test_who_is_left_out_is_left_out_for_a_reason_on_every_page(users, connection, people, sign_in):
    lists = [make_list(people[:3], "A"), make_list(people[1:], "B")]
    campaign = write(users["composer"], connection, lists, exclude=[make_list(people[4:], "Never")])
    client = sign_in("approver")
    for state in ("draft", "in_review", "running"):
        shown = re.sub(r"<[^>]+>|\s+", " ", page(client, campaign))
        assert "2 already in another list" in shown, state
        assert "1 in an excluded list" in shown, state
        if state == "draft":
            campaigns.submit_campaign(campaign=campaign, user=users["composer"], now=db_now())
            planning.materialise(campaign.pk, db_now())
        elif state == "in_review":
            seen = {"user": users["approver"], "plan_hash": fresh(campaign).plan_hash, "now": db_now()}
            approval.approve_campaign(campaign=campaign, **seen)
            campaigns.launch_campaign(campaign=campaign, user=users["approver"], now=db_now())
            campaigns.start(campaign.pk, db_now())


# One person


def planned(client, campaign, person):
    return client.get(
        url(campaign, "campaign_person_planned", person.public_id),
        headers={"HX-Request": "true", "HX-Target": "sheet"},
    ).content.decode()


def test_a_person_of_a_draft_opens_in_the_dialog_with_their_text(draft, people, sign_in):
    client = sign_in("composer")
    shown = page(client, draft)
    assert f'hx-get="{url(draft, "campaign_person_planned", people[0].public_id)}" hx-target="#sheet"' in shown
    assert "Hi Aminah, see you on Saturday?" in planned(client, draft, people[0])
    assert "<html" not in planned(client, draft, people[0])
    assert "<html" in client.get(url(draft, "campaign_person_planned", people[0].public_id)).content.decode()


def test_whoever_would_be_skipped_is_told_why_and_what_could_change_it(draft, people, sign_in):
    shown = planned(sign_in("composer"), draft, people[3])
    assert "They would be skipped: They asked us not to write to them." in shown
    assert "only if they themselves agree to messages again" in shown


def test_somebody_outside_the_lists_has_no_line_in_the_draft(draft, sign_in):
    stranger = make_contact(name="Stranger")
    address = url(draft, "campaign_person_planned", stranger.public_id)
    assert sign_in("composer").get(address).status_code == 404


def test_a_dialog_asked_for_after_it_was_submitted_shows_the_line_of_the_plan(in_review, people, sign_in):
    answer = sign_in("composer").get(url(in_review, "campaign_person_planned", people[3].public_id), follow=True)
    assert "They will be skipped: They asked us not to write to them." in answer.content.decode()


@pytest.mark.parametrize("state", ["draft", "in_review", "running"])
def test_sms_parts_stand_where_there_is_an_sms_and_only_at_who_gets_it(state, users, connection, people, sign_in):
    client = sign_in("composer")
    told = {"session_text": "Hi {{name}}", "template_version": None}
    by_sms = write(users["composer"], connection, [make_list(people)], sms_text="Come on Saturday", **told)
    without = write(users["composer"], connection, [make_list(people)], **told)
    for campaign in (by_sms, without):
        if state != "draft":
            campaigns.submit_campaign(campaign=campaign, user=users["composer"], now=db_now())
            planning.materialise(campaign.pk, db_now())
        if state == "running":
            seen = {"user": users["approver"], "plan_hash": fresh(campaign).plan_hash, "now": db_now()}
            approval.approve_campaign(campaign=campaign, **seen)
            campaigns.launch_campaign(campaign=campaign, user=users["approver"], now=db_now())
            campaigns.start(campaign.pk, db_now())
    by_sms.messages.filter(send_state="queued", contact=people[0]).update(lane="session", parts=1)
    by_sms.messages.filter(send_state="queued").exclude(contact=people[0]).update(lane="sms", parts=1)
    context = client.get(url(by_sms)).context
    rows = context["plan_rows"] if state == "draft" else context["page"].rows
    assert {row.lane: row.parts for row in rows} == {"session": 0, "sms": 1, "skipped": 0}
    assert 'class="num">SMS parts</th>' in page(client, by_sms)
    assert 'class="num">SMS parts</th>' not in page(client, without)


@pytest.fixture
def every_page(draft, users, connection, klang):
    """A page of each state."""
    found = [draft, write(users["composer"], connection, [])]
    for step in range(4):
        campaign = write(users["composer"], connection, [klang])
        campaigns.submit_campaign(campaign=campaign, user=users["composer"], now=db_now())
        found.append(campaign)
        if step == 0:
            continue
        planning.materialise(campaign.pk, db_now())
        if step == 1:
            continue
        seen = {"user": users["approver"], "plan_hash": fresh(campaign).plan_hash, "now": db_now()}
        approval.approve_campaign(campaign=campaign, **seen)
        if step == 2:
            continue
        campaigns.launch_campaign(campaign=campaign, user=users["approver"], now=db_now())
        campaigns.start(campaign.pk, db_now())
    return [url(campaign) for campaign in found] + [reverse("campaign_list"), reverse("campaign_new")]


def test_no_page_carries_what_the_csp_forbids(every_page, sign_in):
    client = sign_in("admin")
    for address in every_page:
        assert not FORBIDDEN.findall(client.get(address).content.decode()), address


def test_every_box_has_a_label_and_every_id_is_there_once(every_page, sign_in):
    client = sign_in("admin")
    for address in every_page:
        shown = client.get(address).content.decode()
        ids = re.findall(r'\sid="([^"]+)"', shown)
        assert len(ids) == len(set(ids)), address
        labelled = set(re.findall(r'<label[^>]*for="([^"]+)"', shown))
        kinds = r'<(?:input|select|textarea)(?![^>]*type="(?:hidden|checkbox|radio)")[^>]*id="([^"]+)"'
        assert set(re.findall(kinds, shown)) <= labelled, address


def test_what_people_wrote_is_never_markup(users, connection, sign_in):
    person = make_contact(name="<script>alert(1)</script>")
    campaign = write(
        users["composer"], connection, [make_list([person], "<b>List</b>")], session_text="<i>{{name}}</i>"
    )
    shown = page(sign_in("composer"), campaign)
    assert "<script>alert" not in shown
    assert "<i>" not in shown
    assert "<b>List" not in shown
