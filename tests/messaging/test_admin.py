import re
from datetime import UTC, datetime

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.contrib.messages import get_messages
from django.db import connection as database
from django.urls import reverse

from messaging.campaigns import create_campaign, edit_campaign, submit_campaign
from messaging.clients import add_key, create_client, take
from messaging.clock import db_now
from messaging.connections import create_connection, pause_connection, stop_connection
from messaging.doorkeeping import Wish, create_door_client, rotate_door_key, take_call
from messaging.models import (
    ApiClient,
    ApiKey,
    AuditEvent,
    Campaign,
    Connection,
    DoorClient,
    DoorKey,
    IdempotencyKey,
    TemplateReview,
    TemplateVersion,
    WebhookEndpoint,
    WebhookSecret,
)
from messaging.planning import materialise
from messaging.statuses import Channel
from messaging.webhooks import create_endpoint
from tests.factories import (
    make_approved_version,
    make_connection,
    make_contact,
    make_conversation,
    make_list,
    make_mo,
    make_mt,
    make_raw,
    make_request,
    make_user,
    make_version,
)

pytestmark = pytest.mark.django_db

MODELS = list(apps.get_app_config("messaging").get_models())
HAS_NO_PAGE = {"HookToken", "CampaignAudience"}  # they are seen inside their parent's
NAMES = [model.__name__ for model in MODELS if model.__name__ not in HAS_NO_PAGE]


@pytest.fixture
def superuser():
    return User.objects.create_superuser("root")


@pytest.fixture
def door(client, superuser):
    client.force_login(superuser)
    return client


def page(name: str, what: str = "changelist", *args) -> str:
    return reverse(f"admin:messaging_{name.lower()}_{what}", args=args)


def act(door, row, action: str, **confirmed):
    """POST an action for one row; the messages it answered with."""
    answer = door.post(page(type(row).__name__), {"action": action, "_selected_action": [row.pk], **confirmed})
    return answer, [str(message) for message in get_messages(answer.wsgi_request)]


def confirm(door, row, action: str, **more) -> list[str]:
    """Both steps, as a browser takes them: the page that asks, and its form."""
    asked, _ = act(door, row, action)
    assert asked.status_code == 200
    hidden = dict(re.findall(r'name="(seen-\d+|confirmed)" value="([^"]*)"', asked.content.decode()))
    return act(door, row, action, **hidden | more)[1]


@pytest.fixture
def rows():
    """At least one row of most kinds."""
    connection, contact = make_connection(), make_contact(name="Aminah")
    make_conversation(contact, connection, last_mo_at=db_now())
    make_request([make_mt(connection=connection, contact=contact)], ref="ref1")
    make_mo(connection=connection, contact=contact)
    make_raw(connection, "dn", b"status=SENT")
    make_approved_version()
    create_campaign(user=make_user(), now=db_now(), name="C", connection=connection)
    stop_connection(connection_id=connection.pk, state="no_credit", code=402, detail="", now=db_now())
    make_systems(make_connection(), make_user())


def make_systems(connection: Connection, owner: User) -> list[str]:
    """Another system by every way in, and what happened there; its secrets."""
    now = db_now()
    asker = create_client(name="Shop", scopes=["send"], owner=owner, user=owner, now=now)
    take(asker)
    IdempotencyKey.objects.create(client=asker, digest=bytes(32), fingerprint=bytes(32), body="{}", created_at=now)
    caller = create_door_client(
        name="Desk", connection=connection, owner=owner, allowed_peers=["127.0.0.0/8"], user=owner, now=now
    )
    endpoint, signs_with = create_endpoint(
        url="https://1.1.1.1/", event_types=["connection.state"], owner=owner, now=now
    )
    pair = rotate_door_key(client=caller, user=owner, now=now)
    take_call(client=caller, wish=Wish("60123240066", Channel.SMS, ["60123240066"], "Salam."), now=now)
    pause_connection(connection=connection, user=owner, now=now)
    endpoint.deliveries.get().attempts.create(at=now, status=503, ms=12)
    return [add_key(client=asker, user=owner, now=now), pair[1], signs_with]


@pytest.mark.parametrize("name", NAMES)
def test_every_model_can_be_listed_searched_and_opened_but_not_changed(door, rows, name):
    assert door.get(page(name)).status_code == 200
    assert door.get(page(name), {"q": "x' %"}).status_code in {200, 302}
    assert door.get(page(name, "add")).status_code == 403
    for row in apps.get_model("messaging", name).objects.all():
        opened = door.get(page(name, "change", row.pk))
        assert opened.status_code == 200
        assert not re.search(r'<(input(?! type="hidden")|select|textarea)', _main_form(opened))
        assert door.post(page(name, "change", row.pk), {"state": "approved"}).status_code == 403
        assert door.post(page(name, "delete", row.pk), {"post": "yes"}).status_code == 403


def _main_form(answer) -> str:
    (form,) = re.findall(r'<form[^>]+_form".*?</form>', answer.content.decode(), re.DOTALL)
    return form


def test_no_model_is_missing():
    unregistered = {model.__name__ for model in MODELS if not admin.site.is_registered(model)}
    assert unregistered == HAS_NO_PAGE


def test_nothing_can_be_deleted_from_a_list(door, rows):
    for name in NAMES:
        assert b"delete_selected" not in door.get(page(name)).content


def test_no_form_can_name_an_approver(rf, superuser):
    request = rf.get("/")
    request.user = superuser
    for model in (TemplateVersion, Campaign, TemplateReview):
        form = admin.site.get_model_admin(model).get_form(request, model(), change=True)
        assert list(form.base_fields) == []


def test_no_page_shows_a_secret(door, superuser):
    connection, token = create_connection(
        name="Clinic",
        kind="bulk360",
        base_url="https://sms.360.my",
        app_key="7LrdwRb1Ya",
        app_secret="aAjc9I7mW5eGzxwYs",
        user=superuser,
        now=db_now(),
    )
    with database.cursor() as cursor:
        cursor.execute("SELECT app_secret FROM messaging_connection")
        encrypted = cursor.fetchone()[0]
    digest = bytes(connection.hook_tokens.get().digest)
    shown = door.get(page("connection", "change", connection.pk)).content.decode()
    shown += door.get(page("connection")).content.decode()
    assert "7LrdwRb1Ya" in shown
    for hidden in ("aAjc9I7mW5eGzxwYs", encrypted, token, digest.hex(), repr(digest)):
        assert hidden not in shown


def test_no_page_shows_what_another_system_signs_in_or_checks_with(door, superuser):
    key, app_secret, signs_with = make_systems(make_connection(), superuser)
    shown = "".join(
        door.get(page(model.__name__, "change", row.pk)).content.decode()
        + door.get(page(model.__name__)).content.decode()
        for model in (ApiClient, ApiKey, DoorClient, DoorKey, WebhookEndpoint, WebhookSecret)
        for row in model.objects.all()
    )
    digests = [bytes(ApiKey.objects.get().digest), bytes(DoorKey.objects.get().digest)]
    assert key[:16] in shown
    for hidden in (key, app_secret, signs_with, *(digest.hex() for digest in digests), *map(repr, digests)):
        assert hidden not in shown


def test_a_connection_is_paused_and_resumed_with_the_person_named(door, superuser):
    connection = make_connection()
    act(door, connection, "pause")
    assert Connection.objects.get().state == "paused"
    act(door, connection, "resume")
    assert Connection.objects.get().state == "ok"
    assert list(AuditEvent.objects.order_by("pk").values_list("act", "actor")) == [
        ("connection.paused", superuser.pk),
        ("connection.resumed", superuser.pk),
    ]


def test_a_refusal_is_shown_as_a_message(door):
    connection = make_connection(state="suspended")
    _, said = act(door, connection, "pause")
    assert said == [f"{connection}: This connection is stopped already."]


def test_a_version_is_approved_after_its_text_was_shown(door, superuser):
    version = make_version("Salam {{name}}, jumpa lagi.")
    asked, _ = act(door, version, "approve")
    assert b"Salam {{name}}, jumpa lagi." in asked.content
    version.refresh_from_db()
    assert version.state == "in_review"
    confirm(door, version, "approve")
    version.refresh_from_db()
    assert (version.state, version.approved_by) == ("approved", superuser)


def test_a_version_is_returned_with_a_reason_only(door):
    version = make_version()
    assert "needs a reason" in confirm(door, version, "send_back", reason="")[0]
    confirm(door, version, "send_back", reason="Name the branch.")
    assert TemplateReview.objects.get().reason == "Name the branch."


def test_a_superuser_cannot_approve_their_own_version(door, superuser):
    version = make_version(author=superuser)
    (said,) = confirm(door, version, "approve")
    assert "somebody else has to approve it" in said
    version.refresh_from_db()
    assert version.state == "in_review"


def planned_campaign(user) -> Campaign:
    now = db_now()
    campaign = create_campaign(user=user, now=now, name="C", connection=make_connection(), sms_text="Salam.")
    edit_campaign(campaign=campaign, user=user, version=0, now=now, include=[make_list([make_contact()])])
    submit_campaign(campaign=campaign, user=user, now=now)
    materialise(campaign.pk, now)
    campaign.refresh_from_db()
    return campaign


def test_a_campaign_is_approved_with_the_plan_that_was_shown(door, superuser):
    campaign = planned_campaign(make_user())
    asked, _ = act(door, campaign, "approve")
    assert "Salam." in asked.content.decode()
    assert "1 sms" in asked.content.decode()
    assert "Look at it again" in act(door, campaign, "approve", confirmed="yes")[1][0]
    confirm(door, campaign, "approve")
    campaign.refresh_from_db()
    assert (campaign.state, campaign.approved_by) == ("approved", superuser)


def test_a_superuser_cannot_approve_their_own_campaign(door, superuser):
    campaign = planned_campaign(superuser)
    (said,) = confirm(door, campaign, "approve")
    assert "somebody else has to approve it" in said
    campaign.refresh_from_db()
    assert campaign.state == "in_review"


def test_a_campaign_is_returned_with_its_reason(door):
    campaign = planned_campaign(make_user())
    confirm(door, campaign, "send_back", reason="Wrong list.")
    campaign.refresh_from_db()
    assert campaign.state == "draft"


def test_staff_who_may_only_look_get_no_actions_and_no_decision(client):
    viewer = make_user(role="viewer")
    User.objects.filter(pk=viewer.pk).update(is_staff=True)
    client.force_login(User.objects.get(pk=viewer.pk))
    campaign = planned_campaign(make_user())
    assert b'value="approve"' not in client.get(page("campaign")).content
    act(client, campaign, "approve", confirmed="yes", **{f"seen-{campaign.pk}": campaign.plan_hash})
    campaign.refresh_from_db()
    assert campaign.state == "in_review"


@pytest.mark.parametrize("role", ["", "composer", "approver", "agent", "admin"])
def test_who_is_not_staff_does_not_get_in(client, role):
    client.force_login(make_user(role=role))
    assert client.get(page("campaign")).status_code == 302


@pytest.mark.parametrize("name", ["message", "providerrequest", "inboundraw", "conversation", "auditevent"])
def test_a_list_takes_no_more_queries_for_more_rows(door, rows, django_assert_max_num_queries, name):
    with django_assert_max_num_queries(30) as few:
        door.get(page(name))
    connection = Connection.objects.first()
    for _ in range(5):
        contact = make_contact()
        make_request([make_mt(connection=connection, contact=contact)], ref="again")
        make_raw(connection, "dn")
        make_conversation(contact, connection)
        create_campaign(user=make_user(), now=db_now(), name="C", connection=connection)
    before = len(few.captured_queries)
    with django_assert_max_num_queries(before):
        door.get(page(name))


def test_a_user_is_given_a_role_on_their_page(door):
    user, role = make_user(), make_user(role="agent").groups.get()
    shown = door.get(reverse("admin:auth_user_change", args=[user.pk]))
    assert 'name="groups"' in shown.content.decode()
    assert role.name in door.get(reverse("admin:auth_user_changelist")).content.decode()


def test_the_secret_of_a_second_factor_is_not_shown(door, superuser):
    from allauth.mfa.models import Authenticator

    factor = Authenticator.objects.create(user=superuser, type="totp", data={"secret": "JBSWY3DPEHPK3PXP"})
    shown = door.get(reverse("admin:mfa_authenticator_change", args=[factor.pk]))
    assert shown.status_code == 200
    assert "JBSWY3DPEHPK3PXP" not in shown.content.decode()


def test_a_message_is_found_by_its_number_in_any_spelling_and_by_the_senders_reference(door):
    connection, contact = make_connection(), make_contact("60123240066")
    wanted = make_mt(connection=connection, contact=contact, reference="INV-7")
    other = make_mt(connection=connection, contact=make_contact())
    for words in ("012-324 0066", "+60123240066", "INV-7"):
        shown = door.get(page("message"), {"q": words}).content.decode()
        assert f"/{wanted.pk}/change/" in shown
        assert f"/{other.pk}/change/" not in shown


def test_a_filter_goes_through_the_newest_rows_and_says_so_and_a_search_through_all(door, monkeypatch):
    monkeypatch.setattr("messaging.admin.tables.LOOKED_THROUGH", 2)
    connection, contact = make_connection(), make_contact()
    old, *_, new = [make_mt(connection=connection, contact=contact) for _ in range(3)]
    filtered = door.get(page("message"), {"send_state__exact": "queued"}).content.decode()
    assert f"/{new.pk}/change/" in filtered
    assert f"/{old.pk}/change/" not in filtered
    assert "filtered from the newest 2" in filtered
    searched = door.get(page("message"), {"send_state__exact": "queued", "q": contact.msisdn}).content.decode()
    assert f"/{old.pk}/change/" in searched


def test_the_desk_names_many_rows_as_one_says_it(door):
    assert not [name for name in (str(model._meta.verbose_name_plural) for model in MODELS) if name.endswith("ss")]
    index = door.get(reverse("admin:index")).text
    for heading in ["API keys", "Calls of the door", "Events for subscribers", "Recipients of requests"]:
        assert f">{heading}</a>" in index


def test_history_tells_the_second_in_which_something_happened(door):
    make_mt(timeline_at=datetime(2026, 3, 9, 6, 5, 7, tzinfo=UTC))
    assert "9 Mar 2026 14:05:07" in door.get(page("Message")).text


def test_only_what_can_be_changed_leads_to_its_history_of_changes(door):
    message, user = make_mt(), make_user()
    assert "historylink" not in door.get(page("Message", "change", message.pk)).text
    assert "historylink" in door.get(reverse("admin:auth_user_change", args=[user.pk])).text


def test_a_user_is_given_roles_by_ticks_and_never_rights_of_their_own(door):
    user = make_user("farid", role="viewer")
    address = reverse("admin:auth_user_change", args=[user.pk])
    form = door.get(address).context["adminform"].form
    assert {"last_login", "date_joined", "user_permissions"} & form.fields.keys() == set()
    approver = Group.objects.get(name="approver")
    typed = {"username": "farid", "first_name": "Farid", "is_active": "on", "groups": [approver.pk]}
    assert door.post(address, typed).status_code == 302
    assert [group.name for group in user.groups.all()] == ["approver"]


def test_a_role_tells_its_rights_and_nobody_changes_them_here(door):
    role = Group.objects.get(name="agent")
    address = reverse("admin:auth_group_change", args=[role.pk])
    shown = door.get(address).content.decode()
    assert "Can view conversation" in shown and 'name="_save"' not in shown
    assert door.post(address, {"name": "chief"}).status_code == 403
    assert door.get(reverse("admin:auth_group_add")).status_code == 403
    assert door.post(reverse("admin:auth_group_delete", args=[role.pk])).status_code == 403


def test_the_messages_say_what_finds_them(door):
    assert "search for a whole number, or for the sender" in door.get(page("Message")).content.decode()
