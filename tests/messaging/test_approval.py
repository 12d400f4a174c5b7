import re
from itertools import cycle

import pytest
from django.db import connection as database

from messaging import approval, doubts
from messaging.approval import Unfit, body_problems, sample_problems
from messaging.audit import history
from messaging.campaigns import create_campaign, edit_campaign, submit_campaign
from messaging.clock import db_now
from messaging.errors import Incomplete, Refused, SelfApproval, Stale, WrongState
from messaging.models import AuditEvent, Campaign, Message, ProviderApproval, Template, TemplateReview, TemplateVersion
from messaging.planning import materialise
from messaging.text import body_sha256
from tests.contacts.racing import race
from tests.factories import (
    make_approved_version,
    make_connection,
    make_contact,
    make_list,
    make_user,
    make_version,
)
from tests.messaging.misbehaving import serving
from tests.messaging.test_connections import answering
from tests.twin import running_twin

pytestmark = pytest.mark.django_db


def save(template=None, body="Salam {{name}}, jumpa {{day}}.", user=None, **fields) -> Template:
    defaults = {"name": "Reminder", "language": "ms", "purpose": "service"}
    defaults["samples"] = {"name": "Aminah", "day": "Isnin"}
    return approval.save_template(
        template=template, body=body, user=user or make_user(), now=db_now(), **defaults | fields
    )


def submit(template, user=None) -> TemplateVersion:
    return approval.submit_template(template=template, user=user or make_user(), now=db_now())


def approve(version, user=None) -> TemplateVersion:
    return approval.approve_version(version=version, user=user or make_user(), now=db_now())


# Drafts


def test_a_draft_is_stored_in_the_form_that_will_be_compared():
    template = save(
        body="Salam {{name}}  \r\nJumpa Cafe\u0301. \r\n\r\n", samples={"name": " Siti   Aminah\n", "x": "y"}
    )
    assert template.body == "Salam {{name}}\nJumpa Café."
    assert template.samples == {"name": "Siti Aminah"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "no text yet"),
        ("  \n ", "no text yet"),
        ("Hi {{Name}}", "{{Name}} is no placeholder"),
        ("Hi\n{{1}}", "Line 2"),
        ("Hi {{name}", "{{name}"),
        ("Hi\u202ename", "U+202E RIGHT-TO-LEFT OVERRIDE"),
        ("Hi\x00", "U+0000"),
        ("Hi \ud83d", "U+D83D"),
        ("{{name}}", "words of its own"),
        ("{{name}} \n{{day}}", "words of its own"),
        ("x" * 4100, "4 letters too long"),
        ("x" + "{{name}}" * 51, "more than 50"),
    ],
)
def test_a_text_that_cannot_be_a_template_is_refused_in_words(body, words):
    with pytest.raises(Unfit) as refusal:
        save(body=body)
    assert words in " ".join(refusal.value.detail["problems"])
    assert not Template.objects.exists()


def test_every_problem_of_a_text_is_listed_at_once():
    problems = body_problems("Hi {{Name}}\nsee \x07 you {{2}}")
    assert [re.match(r"Line (\d)", problem)[1] for problem in problems] == ["2", "1", "2"]


@pytest.mark.parametrize("body", ["Hi {{name}}", "{{name}}您好", "a\tb", "{ {name} }", "வணக்கம் {{name}}", "x" * 4096])
def test_an_ordinary_text_has_no_problems(body):
    assert body_problems(body) == []


def test_a_name_is_needed_and_is_nobody_elses():
    save(name="Reminder")
    for name in ("", " \n", "Reminder"):
        with pytest.raises(Unfit):
            save(name=name)
    assert Template.objects.count() == 1


def test_everyone_who_saves_a_draft_stays_among_its_editors():
    first, second = make_user(), make_user()
    template = save(save(save(user=second), user=first), user=second)
    assert template.editor_ids == sorted([first.pk, second.pk])
    assert [event.actor for event in history(template)] == [second, first, second]


def test_a_retired_template_is_not_edited_and_not_submitted():
    template = save()
    approval.retire_template(template=template, user=make_user(), now=db_now())
    for act in (lambda: save(template), lambda: submit(template)):
        with pytest.raises(WrongState):
            act()


# Review


def test_submitting_makes_a_version_that_names_all_writers_and_the_submitter():
    writers = [make_user(), make_user()]
    template = save(save(user=writers[0]), user=writers[1])
    submitter = make_user()
    version = submit(template, submitter)
    assert set(version.editor_ids) == {submitter.pk, *(writer.pk for writer in writers)}
    assert (version.number, version.state, bytes(version.sha256)) == (1, "in_review", body_sha256(template.body))
    assert version.samples == {"name": "Aminah", "day": "Isnin"}


def test_every_placeholder_needs_a_sample_that_it_can_stand_for():
    assert sample_problems("{{a}} {{b}} {{c}}", {"a": "x", "c": "y" * 1025}) == [
        "Give a sample for {{b}}.",
        "The sample for {{c}} is too long.",
    ]
    template = save(samples={"name": "Aminah"})
    with pytest.raises(Unfit, match="day"):
        submit(template)


def test_one_version_is_in_review_at_a_time():
    template = save()
    submit(template)
    with pytest.raises(WrongState):
        submit(template)


def test_a_text_that_is_approved_already_is_not_submitted_again():
    template = save()
    approve(submit(template))
    with pytest.raises(WrongState, match="nothing has changed"):
        submit(template)
    save(template, body="Salam {{name}}, jumpa lagi {{day}}.")
    assert submit(template).number == 2


def test_a_draft_edited_during_review_does_not_change_the_version():
    template = save(body="Salam {{name}}.")
    version = submit(template)
    save(template, body="Hantar wang ke {{name}}.")
    assert approve(version).body == "Salam {{name}}."


def test_approving_leaves_older_approved_versions_and_asks_every_provider():
    connections = [make_connection(), make_connection()]
    template = save()
    first = approve(submit(template))
    save(template, body="Jumpa lagi.")
    reviewer = make_user()
    second = approve(submit(template), reviewer)
    assert list(TemplateVersion.objects.approved().order_by("number")) == [first, second]
    badges = ProviderApproval.objects.filter(version=second)
    assert {(badge.connection, badge.state) for badge in badges} == {(one, "pending") for one in connections}
    assert TemplateReview.objects.get(version=second).reviewer == reviewer


@pytest.mark.parametrize("who", ["writer", "second writer", "submitter"])
def test_whoever_had_a_hand_in_the_text_cannot_approve_it(who):
    people = {"writer": make_user(), "second writer": make_user(), "submitter": make_user()}
    template = save(save(user=people["writer"]), body="Salam.", user=people["second writer"])
    version = submit(template, people["submitter"])
    with pytest.raises(SelfApproval):
        approve(version, people[who])
    version.refresh_from_db()
    assert (version.state, version.approved_by) == ("in_review", None)
    assert not TemplateReview.objects.exists()


def test_a_writer_of_an_earlier_version_cannot_approve_a_later_one():
    writer, editor = make_user(), make_user()
    template = save(user=writer)
    approve(submit(template, writer))
    save(template, body="Jumpa lagi.", user=editor)
    with pytest.raises(SelfApproval):
        approve(submit(template, editor), writer)


def test_a_return_gives_its_reason_and_lets_the_text_be_submitted_again():
    template = save()
    version = submit(template)
    with pytest.raises(Incomplete):
        approval.return_version(version=version, user=make_user(), reason=" \n", now=db_now())
    reviewer = make_user()
    approval.return_version(version=version, user=reviewer, reason="Say which branch.", now=db_now())
    review = TemplateReview.objects.get()
    assert (review.reviewer, review.decision, review.reason) == (reviewer, "returned", "Say which branch.")
    assert submit(template).number == 2


@pytest.mark.parametrize("decision", ["approve", "return"])
def test_a_decided_version_is_not_decided_again(decision):
    version = approve(submit(save()))
    acts = {
        "approve": lambda: approve(version),
        "return": lambda: approval.return_version(version=version, user=make_user(), reason="No.", now=db_now()),
    }
    with pytest.raises(WrongState):
        acts[decision]()
    assert TemplateReview.objects.count() == 1


def test_retiring_ends_every_version_and_names_the_campaigns_that_use_it():
    template = save()
    version = approve(submit(template))
    save(template, body="Jumpa lagi.")
    waiting = submit(template)
    user = make_user()
    using, over = (
        create_campaign(user=user, now=db_now(), name=name, connection=make_connection(), template_version=version)
        for name in ("Reminders", "Old reminders")
    )
    Campaign.objects.filter(pk=over.pk).update(state="cancelled")
    assert approval.retire_template(template=template, user=user, now=db_now()) == [using]
    states = dict(TemplateVersion.objects.values_list("number", "state"))
    assert states == {version.number: "retired", waiting.number: "returned"}
    assert not TemplateVersion.objects.approved().exists()
    assert approval.retire_template(template=template, user=user, now=db_now()) == [using]
    assert history(template).filter(act="template.retired").count() == 1


@pytest.mark.django_db(transaction=True)
def test_writers_who_save_at_once_are_all_kept():
    template, users = save(user=make_user()), [make_user() for _ in range(6)]
    turns = cycle(users)
    race(lambda: save(template, user=next(turns)), workers=6)
    assert {user.pk for user in users} < set(Template.objects.get().editor_ids)


def tried(act):
    try:
        return act()
    except Refused as refusal:
        return refusal.code


@pytest.mark.django_db(transaction=True)
def test_of_many_submissions_at_once_one_makes_a_version():
    template, user = save(), make_user()
    results = race(lambda: tried(lambda: submit(template, user)), workers=6)
    assert sorted(map(str, results)) == sorted([str(TemplateVersion.objects.get()), *["wrong_state"] * 5])


@pytest.mark.django_db(transaction=True)
def test_of_an_approval_and_a_return_at_once_one_decides():
    version, first, second = submit(save()), make_user(), make_user()
    acts = cycle(
        [
            lambda: approve(version, first),
            lambda: approval.return_version(version=version, user=second, reason="No.", now=db_now()),
        ]
    )
    results = race(lambda: tried(next(acts)), workers=2)
    assert results.count("wrong_state") == 1
    assert TemplateReview.objects.get().decision == TemplateVersion.objects.get().state


# Campaigns


def planned_campaign(writer, **fields) -> Campaign:
    """In review with its plan sealed."""
    now = db_now()
    campaign = create_campaign(user=writer, now=now, name="Reminders", connection=make_connection(), **fields)
    people = make_list([make_contact(name="Aminah"), make_contact(name="Ravi")])
    campaign = edit_campaign(campaign=campaign, user=writer, version=campaign.version, now=now, include=[people])
    submit_campaign(campaign=campaign, user=writer, now=now)
    assert materialise(campaign.pk, now)
    campaign.refresh_from_db()
    return campaign


def approve_campaign(campaign, user=None, plan_hash=None) -> Campaign:
    return approval.approve_campaign(
        campaign=campaign,
        user=user or make_user(),
        plan_hash=campaign.plan_hash if plan_hash is None else plan_hash,
        now=db_now(),
    )


def test_a_campaign_is_approved_with_the_plan_that_the_approver_saw():
    campaign, reviewer = planned_campaign(make_user(), sms_text="Salam."), make_user()
    approved = approve_campaign(campaign, reviewer)
    assert (approved.state, approved.approved_by) == ("approved", reviewer)
    assert history(campaign).last().detail == {"plan_hash": campaign.plan_hash}


@pytest.mark.parametrize("seen", ["", "0" * 64])
def test_another_plan_than_the_one_seen_is_not_approved(seen):
    campaign = planned_campaign(make_user(), sms_text="Salam.")
    with pytest.raises(Stale):
        approve_campaign(campaign, plan_hash=seen)
    assert Campaign.objects.get().state == "in_review"


def test_a_plan_that_is_still_being_written_is_not_approved():
    campaign = planned_campaign(make_user(), sms_text="Salam.")
    Campaign.objects.update(plan_sealed_at=None, plan_hash="")
    with pytest.raises(WrongState):
        approve_campaign(campaign, plan_hash="")


def test_a_campaign_whose_template_was_retired_meanwhile_is_not_approved():
    version = make_approved_version("Hi {{name}}")
    campaign = planned_campaign(make_user(), template_version=version)
    approval.retire_template(template=version.template, user=make_user(), now=db_now())
    with pytest.raises(WrongState, match="template"):
        approve_campaign(campaign)


def test_neither_its_writers_nor_its_submitter_approve_a_campaign():
    writer, editor, submitter = make_user(), make_user(), make_user()
    now = db_now()
    campaign = create_campaign(user=writer, now=now, name="C", connection=make_connection(), sms_text="Salam.")
    people = make_list([make_contact()])
    campaign = edit_campaign(campaign=campaign, user=editor, version=campaign.version, now=now, include=[people])
    submit_campaign(campaign=campaign, user=submitter, now=now)
    materialise(campaign.pk, now)
    campaign.refresh_from_db()
    for person in (writer, editor, submitter):
        with pytest.raises(SelfApproval):
            approve_campaign(campaign, person)
    assert approve_campaign(campaign).state == "approved"


def test_a_returned_campaign_is_a_draft_without_a_plan_and_with_a_reason():
    campaign = planned_campaign(make_user(), sms_text="Salam.")
    with pytest.raises(Incomplete):
        approval.return_campaign(campaign=campaign, user=make_user(), reason="", now=db_now())
    assert Message.objects.count() == 2
    approval.return_campaign(campaign=campaign, user=make_user(), reason="Wrong list.", now=db_now())
    returned = Campaign.objects.get()
    assert (returned.state, returned.plan_sealed_at, returned.plan_hash) == ("draft", None, "")
    assert history(campaign).last().detail["reason"] == "Wrong list."


def test_only_a_campaign_in_review_is_decided():
    campaign = planned_campaign(make_user(), sms_text="Salam.")
    approve_campaign(campaign)
    with pytest.raises(WrongState):
        approve_campaign(campaign)
    with pytest.raises(WrongState):
        approval.return_campaign(campaign=campaign, user=make_user(), reason="No.", now=db_now())


# The provider's own approval


def doubt(version, connection) -> None:
    doubts.doubt_version(version_id=version.pk, connection_id=connection.pk, evidence="406 for +6012", now=db_now())


def test_a_406_makes_the_providers_approval_doubtful_once():
    version, connection = make_approved_version(), make_connection()
    for _ in range(3):
        doubt(version, connection)
    badge = ProviderApproval.objects.get()
    assert (badge.state, badge.evidence) == ("doubted", "406 for +6012")
    assert history(version.template).filter(act="template.doubted").count() == 1
    assert version.state == "approved"


def test_a_person_says_with_evidence_that_the_provider_approved():
    version, connection, user = make_approved_version(), make_connection(), make_user()
    doubt(version, connection)
    with pytest.raises(Incomplete):
        approval.confirm_at_provider(version=version, connection=connection, user=user, evidence=" ", now=db_now())
    approval.confirm_at_provider(version=version, connection=connection, user=user, evidence="Mail", now=db_now())
    assert ProviderApproval.objects.values_list("state", "evidence").get() == ("approved", "Mail")
    assert AuditEvent.objects.filter(act="template.confirmed").get().actor == user


def test_a_twin_learns_the_approved_texts_once(tmp_path):
    with running_twin(tmp_path) as twin:
        connection = make_connection(base_url=twin.url + "/")
        live = make_connection(kind="bulk360", base_url=twin.url)
        approve(submit(save(body="Salam {{name}}.\nJumpa lagi.")))
        make_version("Not approved {{name}}.")
        assert approval.post_sandbox_templates(db_now()) == 1
        assert approval.post_sandbox_templates(db_now()) == 0
        assert twin.state()["templates"] == ["Salam {{name}}.\nJumpa lagi."]
    badges = dict(ProviderApproval.objects.values_list("connection", "state"))
    assert badges == {connection.pk: "approved", live.pk: "pending"}
    assert ProviderApproval.objects.get(connection=connection).evidence == "approved (sandbox)"
    told = AuditEvent.objects.get(act="template.proved")
    assert (told.actor, told.detail) == (None, {"version": 1, "connection": connection.name})


def test_a_twin_that_is_younger_than_the_approval_or_starts_anew_is_told_too(tmp_path):
    version = make_approved_version("Salam {{name}}.")
    with running_twin(tmp_path / "first") as twin:
        connection = make_connection(base_url=twin.url)
        assert approval.post_sandbox_templates(db_now()) == 1
    with running_twin(tmp_path / "second") as twin:
        type(connection).objects.update(base_url=twin.url)
        assert approval.ask_provider_again(connection=connection, now=db_now()) == 1
        assert approval.post_sandbox_templates(db_now()) == 1
        assert twin.state()["templates"] == [version.body]


@pytest.mark.parametrize("status", ["500 Oops", "302 Found", "404 Not Found", "400 Bad Request"])
def test_a_twin_that_does_not_say_200_is_asked_again_later(status):
    make_approved_version()
    with serving(answering(b"{}", status)) as server:
        make_connection(base_url=server.url)
        assert approval.post_sandbox_templates(db_now()) == 0
    assert ProviderApproval.objects.get().state == "pending"


def test_a_twin_that_is_not_there_holds_up_nobody():
    make_approved_version()
    make_connection(base_url="http://127.0.0.1:9")
    assert approval.post_sandbox_templates(db_now()) == 0


@pytest.mark.django_db(transaction=True)
def test_a_twin_is_posted_to_with_no_transaction_open():
    make_approved_version()
    seen = []

    def behave(visit):
        visit.read_request()
        with_transaction = [row for row in _sessions() if row[1] == "idle in transaction"]
        seen.append(with_transaction)
        visit.answer(b"{}")

    def _sessions():
        try:
            with database.cursor() as cursor:
                cursor.execute("SELECT pid, state FROM pg_stat_activity WHERE datname = current_database()")
                return cursor.fetchall()
        finally:
            database.close()

    with serving(behave) as server:
        make_connection(base_url=server.url)
        assert approval.post_sandbox_templates(db_now()) == 1
    assert seen == [[]]
