import csv
import io
import json
import threading
import time
from contextlib import contextmanager
from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection as database
from django.db.models import F
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from contacts.imports import run_import
from contacts.imports.choosing import choose
from contacts.models import ConsentEvent, Contact, ContactImport, ContactList, Suppression
from contacts.numbers import parse_msisdn
from messaging import inbox, ingest, planning, reports, sending, ticks
from messaging.clock import db_now
from messaging.connections import client_for
from messaging.demo import crowd
from messaging.demo.campaigns import wait_until
from messaging.demo.check import CampaignCheck
from messaging.demo.names import patients
from messaging.demo.players import seed_connection, seed_users
from messaging.demo.twin import Twin
from messaging.models import (
    Campaign,
    Connection,
    Conversation,
    DeliveryNotice,
    InboundRaw,
    Incident,
    Message,
    ProviderApproval,
    ProviderRequest,
    Template,
    TemplateVersion,
)
from messaging.text import render
from tests.twin import running_twin

PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def quiet_home(settings, tmp_path, monkeypatch):
    """Files go to a folder of the test's own, and the environment names neither sandbox nor passwords."""
    settings.MEDIA_ROOT = tmp_path / "media"
    for name in (
        "SANDBOX_URL",
        "SWITCHBOARD_DEMO_PASSWORD",
        *(f"DEMO_PASSWORD_{user}" for user in ("COMPOSER", "ADMIN")),
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def twin(tmp_path, monkeypatch):
    with running_twin(tmp_path / "twin") as twin:
        monkeypatch.setenv("SANDBOX_URL", twin.url)
        monkeypatch.setenv("SANDBOX_APP_KEY", twin.user)
        monkeypatch.setenv("SANDBOX_APP_SECRET", twin.secret)
        monkeypatch.setenv("SANDBOX_HOOK_TOKEN", "chosen-by-up")
        yield twin


def seed() -> None:
    call_command("seed_demo", stdout=io.StringIO())


def ran(command: str, *arguments: object, **options: object) -> str:
    out = io.StringIO()
    call_command(command, *map(str, arguments), stdout=out, **options)
    return out.getvalue().strip()


# People


def test_sixty_patients_bear_sixty_names_in_four_languages():
    names = patients()
    assert len({name for name, _ in names}) == 60
    assert {language for _, language in names} == {"ms", "zh", "ta", "en"}


@given(st.sets(st.integers(0, crowd.MOST - 1), min_size=2, max_size=50))
def test_no_two_people_of_a_crowd_share_a_number(places):
    assert len({crowd.msisdn_of(place) for place in places}) == len(places)


def test_every_spelling_in_a_crowds_file_is_the_number_of_its_person():
    file = io.StringIO()
    crowd.write_people(file, 500)
    rows = list(csv.reader(io.StringIO(file.getvalue())))[1:]
    assert [parse_msisdn(row[0]) for row in rows] == [crowd.msisdn_of(place) for place in range(500)]


# The story


@pytest.mark.django_db(transaction=True)
def test_the_story_has_a_text_in_every_state_of_review():
    seed()
    states = set(TemplateVersion.objects.values_list("state", flat=True))
    assert states == {"approved", "in_review", "returned", "retired"}
    assert Template.objects.filter(versions=None).exists()
    assert set(Template.objects.values_list("language", flat=True)) == {"ms", "en", "zh", "ta"}


@pytest.mark.django_db(transaction=True)
def test_two_people_told_the_story():
    seed()
    version = TemplateVersion.objects.filter(state="approved").first()
    assert (version.submitted_by.username, version.approved_by.username) == ("composer", "approver")


@pytest.mark.django_db(transaction=True)
def test_everyone_with_an_appointment_can_be_sent_every_approved_text():
    seed()
    people = list(ContactList.objects.get(name="Appointments this week").members.all())
    assert len(people) == 40
    for version in TemplateVersion.objects.approved():
        texts = {render(version.body, person.fields | {"name": person.name}) for person in people}
        assert len(texts) == 40


@pytest.mark.django_db(transaction=True)
def test_a_stop_a_telephone_call_and_a_carrier_suppress_and_an_opt_in_is_on_record(twin):
    seed()
    suppressed = Suppression.objects.order_by("channel", "purpose").values_list("channel", "purpose", "source")
    assert list(suppressed) == [
        ("all", "all", "person"),
        ("all", "marketing", "staff"),
        ("whatsapp", "all", "notice"),
    ]
    assert ConsentEvent.objects.filter(direction="in").get().actor.username == "agent"


@pytest.mark.django_db(transaction=True)
def test_telling_it_again_changes_nothing(twin):
    def everything() -> dict[str, int]:
        ours = ("auth", "contacts", "messaging")
        return {model.__name__: model.objects.count() for model in apps.get_models() if model._meta.app_label in ours}

    seed()
    told, twin_told = everything(), twin.state()["phones"]
    seed()
    assert everything() == told
    assert twin.state()["phones"] == twin_told


@pytest.mark.django_db(transaction=True)
def test_a_story_that_was_cut_off_is_told_to_its_end():
    seed()
    Template.objects.filter(versions=None).delete()
    ContactImport.objects.filter(file_name="vaksin-flu.csv").delete()
    seed()
    assert Template.objects.filter(versions=None).count() == 2
    assert ContactImport.objects.get(file_name="vaksin-flu.csv").state == "done"


@pytest.mark.django_db(transaction=True)
def test_one_file_of_the_story_waits_until_its_columns_are_chosen():
    seed()
    waiting = ContactImport.objects.get(state="columns")
    assert (waiting.rows, "msisdn" in waiting.mapping.values()) == (4, True)
    assert not Contact.objects.filter(name__contains="Ong Bee Leng").exists()
    assert choose(contact_import=waiting, mapping={"Pelanggan": "name", "Hubungi": "msisdn"})
    assert run_import(waiting.pk).created == 4


# The last days


@pytest.fixture
def told(twin):
    """The finished campaign of a clinic that lives."""
    seed()
    return Campaign.objects.get(state=Campaign.State.FINISHED)


@pytest.mark.django_db
def test_the_finished_campaign_has_every_outcome_and_its_sums_close(told):
    sums, people = reports.sums(told), planning.audience_counts(told)
    assert people.listed == people.removed + people.audience
    assert people.removed > 0
    assert people.audience == sums.audience
    assert sums.audience == sums.skipped + sums.refused + sums.submitted
    assert sums.submitted == sums.delivered + sums.undelivered + sums.waiting + sums.unknown
    found = (sums.delivered, sums.undelivered, sums.waiting, sums.unknown, sums.refused, sums.skipped)
    assert found == (40, 4, 2, 1, 1, 3)


@pytest.mark.django_db
def test_each_skip_and_each_failure_has_its_reason(told):
    messages = Message.objects.filter(campaign=told)
    skipped = set(messages.filter(send_state="skipped").values_list("reason", flat=True))
    assert skipped == {"opted_out", "no_number", "missing_variable:appointment_time"}
    codes = set(messages.filter(delivery_state="undelivered").values_list("error_code", flat=True))
    assert codes == {"501", "505", "552", "561"}
    (bad,) = Contact.objects.exclude(whatsapp_bad_at=None)
    assert messages.get(contact=bad).error_code == "505"


@pytest.mark.django_db
def test_everything_of_it_happened_in_order_and_days_ago(told):
    now = db_now()
    assert told.created_at < told.submitted_at < told.approved_at < told.launched_at < told.finished_at
    assert told.finished_at < now - timedelta(days=2)
    for message in Message.objects.exclude(send_state__in=["planned", "queued"]):
        times = [step.at for step in inbox.steps(message)]
        assert message.created_at <= message.timeline_at
        assert message.created_at == times[0]
        assert times[-1] < now
    assert not InboundRaw.objects.exclude(digested_at=F("received_at")).exists()


@pytest.mark.django_db
def test_every_accepted_message_has_its_request_with_a_ref_of_its_own(told):
    requests = ProviderRequest.objects.filter(outcome="accepted")
    assert requests.count() == requests.exclude(ref="").values("ref").distinct().count()
    accepted = Message.objects.mts().filter(send_state="accepted")
    assert set(accepted) == set(Message.objects.filter(attempts__request__in=requests))
    assert not DeliveryNotice.objects.exclude(state=DeliveryNotice.State.APPLIED).exists()


@pytest.mark.django_db
def test_an_incident_in_the_past_was_closed_by_an_admin_and_the_campaign_went_on(told):
    (incident,) = Incident.objects.all()
    assert (incident.kind, incident.code, incident.closed_by.username) == ("no_credit", "402", "admin")
    assert told.launched_at < incident.opened_at < incident.closed_at < told.finished_at
    assert Connection.objects.get().state == "ok"
    refused = ProviderRequest.objects.filter(code="402").values_list("recipients__message__send_state", flat=True)
    assert set(refused) <= {"accepted", "unknown", "refused"}
    assert len(refused) == 4


@pytest.mark.django_db
def test_one_campaign_waits_for_its_approver_one_for_tomorrow_and_one_for_its_writer(told):
    waiting = Campaign.objects.get(state="in_review")
    assert waiting.submitted_by.username == "composer"
    assert waiting.plan_sealed_at
    lanes = {(count.lane, count.reason) for count in reports.tally(waiting).planned}
    assert {("session", "window_open"), ("template", "template_approved"), ("skipped", "number_bad")} <= lanes
    scheduled = Campaign.objects.get(state="scheduled")
    tomorrow = timezone.localdate() + timedelta(days=1)
    assert timezone.localtime(scheduled.send_at).date() == tomorrow
    closed = timezone.localtime(scheduled.send_at) + timedelta(days=1)
    assert f"closed on {closed:%A %-d %B}" in scheduled.sms_text, "the day after it leaves"
    assert scheduled.approved_by != scheduled.submitted_by
    assert Campaign.objects.filter(state="draft").count() == 1


@pytest.mark.django_db
def test_the_inbox_has_something_in_every_view(told):
    counts = inbox.view_counts(User.objects.get(username="agent"))
    assert all(counts.values()), counts
    ends = [window.ends_at for one in Conversation.objects.all() if (window := inbox.window_of(one, db_now())).ends_at]
    left = [end - db_now() for end in ends]
    for wanted in (timedelta(minutes=10), timedelta(hours=2), timedelta(hours=20)):
        assert any(wanted - timedelta(minutes=2) < one <= wanted for one in left)
    assert any(one < timedelta(0) for one in left)
    assert {"mo", "mt", "note", "opted_out", "assigned"} <= {
        entry.kind for contact in Contact.objects.all() for entry in inbox.timeline(contact)
    }


@pytest.mark.django_db
def test_the_twins_windows_are_ours_so_every_open_conversation_can_be_answered(told, twin):
    agent, answered = User.objects.get(username="agent"), []
    for conversation in Conversation.objects.filter(channel="whatsapp").select_related("contact", "connection"):
        if inbox.window_of(conversation, db_now()).open:
            inbox.reply(conversation=conversation, user=agent, text="On our way.", now=db_now())
            answered.append(conversation.contact.msisdn)
    sending.drain(told.connection_id, budget_s=10)
    assert len(answered) >= 8
    assert sorted(entry["msisdn"] for entry in twin.ledger()) == sorted(answered)
    assert not Message.objects.filter(send_state="refused", campaign=None).exists()


@pytest.mark.django_db(transaction=True)
def test_what_the_twin_tells_our_hook_of_it_adds_nothing(twin, live_server):
    hooks = {kind: f"{live_server.url}/hooks/chosen-by-up/{kind}" for kind in ("dn", "mo")}
    twin.control("accounts", user=twin.user, hooks=hooks)
    started_at = db_now()
    seed()
    mos, unread = Message.objects.mos().count(), list(Conversation.objects.order_by("pk").values_list("unread"))
    copies = InboundRaw.objects.filter(kind="mo", received_at__gt=started_at)
    lately = Message.objects.mos().filter(channel="whatsapp", timeline_at__gt=started_at - timedelta(days=1)).count()
    wait_until(lambda: copies.count() == lately, 10, "the twin's calls")
    ingest.digest_all()
    assert set(copies.values_list("problem", flat=True)) == {"the same id and text came before"}
    assert Message.objects.mos().count() == mos
    assert list(Conversation.objects.order_by("pk").values_list("unread")) == unread


@pytest.mark.django_db(transaction=True)
def test_without_a_reachable_sandbox_the_history_is_told_and_the_twin_learns_its_windows_later(twin, monkeypatch):
    monkeypatch.setenv("SANDBOX_URL", "http://127.0.0.1:9")
    seed()
    assert Campaign.objects.filter(state=Campaign.State.FINISHED).count() == 1
    monkeypatch.setenv("SANDBOX_URL", twin.url)
    seed()
    (account,) = twin.state()["accounts"]
    assert account["windows"] >= 8


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_has_sent_something_gets_no_invented_history(twin):
    seed_users()
    connection = seed_connection(User.objects.get(username="admin"), db_now())
    contact = Contact.objects.create(msisdn="60123456789")
    Message.objects.create(contact=contact, connection=connection, send_state="queued", timeline_at=db_now(), body="Hi")
    seed()
    assert [message.body for message in Message.objects.all()] == ["Hi"]
    assert not Campaign.objects.exists()


def approved_bodies() -> set[str]:
    return set(TemplateVersion.objects.approved().values_list("body", flat=True))


# Users and the connection


@pytest.mark.django_db(transaction=True)
def test_users_have_their_roles_and_only_admin_enters_the_admin():
    seed()
    roles = {user.username: [group.name for group in user.groups.all()] for user in User.objects.all()}
    assert roles == {name: [name] for name in ("composer", "approver", "agent", "viewer", "admin")}
    assert list(User.objects.filter(is_staff=True, is_superuser=True)) == [User.objects.get(username="admin")]


@pytest.mark.django_db(transaction=True)
def test_passwords_come_from_the_environment_and_the_common_one_wins(monkeypatch):
    seed()
    assert not User.objects.get(username="composer").has_usable_password()
    monkeypatch.setenv("DEMO_PASSWORD_COMPOSER", "only the composer's")
    seed()
    assert User.objects.get(username="composer").check_password("only the composer's")
    monkeypatch.setenv("SWITCHBOARD_DEMO_PASSWORD", PASSWORD)
    seed()
    assert all(user.check_password(PASSWORD) for user in User.objects.all())


@pytest.mark.django_db(transaction=True)
def test_without_a_sandbox_there_is_no_connection():
    seed()
    assert not Connection.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_connection_knows_the_given_token_and_the_twin_knows_the_approved_texts(twin):
    seed()
    assert Connection.objects.for_hook("chosen-by-up").name == "Sandbox"
    assert set(twin.state()["templates"]) == approved_bodies()
    approvals = ProviderApproval.objects.filter(version__in=TemplateVersion.objects.approved())
    assert set(approvals.values_list("state", flat=True)) == {"approved"}


@pytest.mark.django_db(transaction=True)
def test_another_port_and_other_credentials_at_the_next_start_are_taken_over(twin, tmp_path, monkeypatch):
    seed()
    with running_twin(tmp_path / "second") as second:
        for name, value in {"URL": second.url + "/", "APP_SECRET": "new", "HOOK_TOKEN": "new-token"}.items():
            monkeypatch.setenv(f"SANDBOX_{name}", value)
        seed()
        assert set(second.state()["templates"]) == approved_bodies()
    connection = Connection.objects.get()
    assert (connection.base_url, connection.app_secret) == (second.url, "new")
    assert Connection.objects.for_hook("new-token") == connection


# Campaigns


@pytest.mark.parametrize("command", [("demo_campaign", "--people=3"), ("check_campaign",)])
@pytest.mark.django_db(transaction=True)
def test_a_campaign_needs_the_demos_users_and_connection(command):
    with pytest.raises(CommandError, match="seed_demo"):
        ran(*command)


@pytest.mark.parametrize(
    ("options", "used"),
    [
        ([], {"template_version__body": "Klinik Mesra is closed on Friday. We are open again on Saturday from 9.00."}),
        (["--personal"], {"template_version__body__contains": "{{name}}"}),
        (["--lane=sms"], {"template_version": None, "sms_text__startswith": "Klinik"}),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_a_demo_campaign_is_launched_by_two_people(twin, options, used):
    seed()
    printed = ran("demo_campaign", "--people=30", *options)
    campaign = Campaign.objects.filter(**used).get(public_id=printed)
    assert campaign.state == "preparing"
    assert (campaign.submitted_by.username, campaign.approved_by.username) == ("composer", "approver")
    assert Message.objects.filter(campaign=campaign, planned_lane=campaign_lane(options)).count() == 30


def campaign_lane(options: list[str]) -> str:
    return "sms" if "--lane=sms" in options else "template"


@pytest.mark.django_db(transaction=True)
def test_the_same_crowd_gets_a_second_campaign_without_a_second_import(twin):
    seed()
    first, second = (ran("demo_campaign", "--people=20") for _ in range(2))
    assert first != second
    assert ContactImport.objects.filter(file_name="demo-20.csv").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_report_is_one_line_of_sums_that_close(twin):
    seed()
    report = ran("campaign_report", ran("demo_campaign", "--people=20"))
    sums = json.loads(report)
    assert "\n" not in report
    assert (sums["listed"], sums["audience"], sums["to_send"], sums["submitted"]) == (20, 20, 20, 0)


@pytest.mark.django_db
def test_a_report_on_no_campaign_says_so():
    with pytest.raises(CommandError):
        ran("campaign_report", "00000000-0000-0000-0000-000000000000")


@contextmanager
def working(live_server, twin):
    """A worker beside us, and a door for the twin's DNs."""
    hooks = {kind: f"{live_server.url}/hooks/chosen-by-up/{kind}" for kind in ("dn", "mo")}
    twin.control("accounts", user=twin.user, hooks=hooks)
    done = threading.Event()

    def work() -> None:
        while not done.is_set():
            ticks.tick()
            ingest.digest_all()
            for connection in Connection.objects.all():
                sending.drain(connection.pk, budget_s=1)
            time.sleep(0.1)
        database.close()

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        done.set()
        worker.join(30)


@pytest.mark.django_db(transaction=True)
def test_the_check_follows_a_campaign_to_its_last_dn_and_sees_what_is_wrong_afterwards(twin, live_server):
    seed()
    said: list[str] = []
    check = CampaignCheck(60, limit_s=60, say=said.append)
    with working(live_server, twin):
        assert check.run() == []
    parts = [line.split()[0] for line in said]
    assert parts == ["import", "template", "plan", "send", "delivered", "sums:"]

    first, second = Message.objects.filter(campaign=check.campaign).select_related("contact")[:2]
    text = "Klinik Mesra Kapar is closed on Friday. We are open again on Saturday from 9.00."
    connection = Connection.objects.get()
    assert client_for(connection).send([first.contact.msisdn], text, "whatsapp").ref
    Message.objects.filter(pk=first.pk).update(delivery_state="none")
    Message.objects.filter(pk=second.pk).update(send_state="queued")
    numbers = sorted([first.contact.msisdn, second.contact.msisdn])
    assert list(check.problems(Twin(connection))) == [
        "1 messages are still on their way",
        f"1 more than once in the ledger: {first.contact.msisdn}",
        f"2 in the ledger, but not accepted and delivered here: {', '.join(numbers)}",
    ]


@pytest.mark.django_db(transaction=True)
def test_an_unknown_that_the_twin_never_saw_stays_unknown_and_is_listed(twin, live_server):
    seed()
    said: list[str] = []
    check = CampaignCheck(20, limit_s=60, say=said.append)
    with working(live_server, twin):
        twin.control("faults", faults=[{"fault": "reset_before", "at": [1]}])
        assert check.run() == []
    unknown = Message.objects.unknowns().filter(campaign=check.campaign).values_list("contact__msisdn", flat=True)
    assert 0 < len(unknown) < 20
    assert all(msisdn in said[-1] for msisdn in unknown)


@pytest.mark.django_db(transaction=True)
def test_a_check_that_nobody_works_for_ends_with_its_reason(twin):
    seed()
    with pytest.raises(CommandError, match="every message to be sent"):
        ran("check_campaign", "--people=10", "--limit-s=2")
