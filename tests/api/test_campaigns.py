"""Templates and campaigns: written and run by systems, approved by people."""

import json

import pytest

from messaging import approval, campaigns, planning
from messaging.clock import db_now
from messaging.errors import SelfApproval
from messaging.models import AuditEvent, Campaign, Template, TemplateVersion
from tests.factories import (
    make_approved_campaign,
    make_approved_version,
    make_connection,
    make_contact,
    make_list,
    make_running_campaign,
    make_user,
)


@pytest.fixture
def people():
    return make_list([make_contact(name="Mei"), make_contact(name="Ah Chong"), make_contact()])


@pytest.fixture
def body(people):
    version = make_approved_version("Dear {{name}}")
    return {"name": "Reminder", "template": version.template.name, "lists": [str(people.public_id)]}


def test_a_template_is_written_and_submitted_and_never_approved_by_its_owner(caller):
    made = caller.post("templates", {"name": "Pick-up", "body": "Dear {{name}}", "samples": {"name": "Mei"}}).json()
    assert made["versions"] == []
    version = caller.post(f"templates/{made['id']}/submit").json()
    assert (version["number"], version["state"]) == (1, "in_review")
    row = TemplateVersion.objects.get()
    assert row.editor_ids == [caller.client.owner_id]
    with pytest.raises(SelfApproval):
        approval.approve_version(version=row, user=caller.client.owner, now=db_now())
    approval.approve_version(version=row, user=make_user(), now=db_now())
    assert caller.get(f"templates/{made['id']}").json()["versions"][0]["state"] == "approved"
    assert caller.post(f"templates/{made['id']}/submit").json()["code"] == "wrong_state"
    assert caller.get("templates").json()["results"][0]["name"] == "Pick-up"


def test_a_text_that_cannot_be_a_template_is_refused_with_every_problem(caller):
    answer = caller.post("templates", {"name": "X", "body": "{{name}} {{ Bad }}"})
    assert answer.json()["code"] == "unfit_text"
    assert answer.json()["problems"]
    assert not Template.objects.exists()


@pytest.mark.parametrize("field", ["session_text", "sms_text"])
def test_a_campaign_whose_text_is_only_placeholders_is_not_put_to_approval(field, caller, connection, body):
    made = caller.post("campaigns", body | {field: "{{name}} {{note}}"}).json()
    answer = caller.post(f"campaigns/{made['id']}/submit")
    assert answer.status_code == 409
    assert "words of its own" in str(answer.json())
    assert Campaign.objects.get().state == Campaign.State.DRAFT


def test_a_campaign_goes_from_a_draft_to_its_people(caller, connection, body):
    made = caller.post("campaigns", body)
    assert made.status_code == 201
    path = f"campaigns/{made.json()['id']}"
    plan = caller.get(f"{path}/plan?limit=2").json()
    assert (plan["listed"], plan["audience"], plan["plan_hash"]) == (3, 3, "")
    assert {(count["lane"], count["reason"]): count["people"] for count in plan["counts"]} == {
        ("template", "template_approved"): 2,
        ("skipped", "missing_variable:name"): 1,
    }
    rest = caller.get(f"{path}/plan?limit=2&cursor={plan['next']}").json()
    texts = [row["text"] for row in plan["results"] + rest["results"]]
    assert sorted(texts) == ["", "Dear Ah Chong", "Dear Mei"]
    assert caller.post(f"{path}/launch").json()["code"] == "wrong_state", "nobody has approved it"
    assert caller.post(f"{path}/submit").json()["state"] == "in_review"
    campaign = Campaign.objects.get()
    planning.materialise(campaign.pk, db_now())
    assert caller.post(f"{path}/launch").json()["code"] == "wrong_state"
    written = caller.get(f"{path}/plan").json()
    assert len(written["plan_hash"]) == 64
    assert written["results"] == plan["results"] + rest["results"]
    approval.approve_campaign(campaign=campaign, user=make_user(), plan_hash=written["plan_hash"], now=db_now())
    assert caller.post(f"{path}/launch").json()["state"] == "preparing"
    campaigns.start_due(db_now())
    assert caller.post(f"{path}/pause").json()["state"] == "paused"
    resumed = caller.post(f"{path}/resume").json()
    assert (resumed["state"], resumed["sums"]["audience"], resumed["sums"]["skipped"]) == ("running", 3, 1)
    assert caller.post(f"{path}/cancel").json()["state"] == "cancelled"


def test_a_draft_is_changed_by_whoever_read_its_latest_version(caller, connection, body):
    made = caller.post("campaigns", body | {"quiet_from": "21:00", "quiet_to": "08:00"}).json()
    path = f"campaigns/{made['id']}"
    change = {"version": made["version"], "sms_text": "Hi", "template": None, "lists": [], "quiet_from": None}
    assert caller("patch", path, change).json()["code"] == "quiet_hours_in_pairs"
    changed = caller("patch", path, change | {"quiet_to": None}).json()
    assert (changed["sms_text"], changed["template"], changed["lists"], changed["quiet_to"]) == ("Hi", None, [], None)
    assert caller("patch", path, change | {"quiet_to": None}).json()["code"] == "stale"


def test_approval_is_asked_for_what_was_read_and_not_for_what_somebody_has_saved_since(caller, connection, body):
    made = caller.post("campaigns", body).json()
    path = f"campaigns/{made['id']}"
    read = {"version": made["version"]}
    caller("patch", path, read | {"sms_text": "From a colleague"})
    refused = caller.post(f"{path}/submit", read)
    assert (refused.status_code, refused.json()["code"]) == (409, "stale")
    assert caller.get(path).json()["state"] == "draft"
    now = caller.get(path).json()["version"]
    assert caller.post(f"{path}/submit", {"version": now}).json()["state"] == "in_review"


def test_a_submission_carries_a_word_to_whoever_approves_it(caller, connection, body):
    made = caller.post("campaigns", body).json()
    assert caller.post(f"campaigns/{made['id']}/submit", {"note": "Before noon"}).json()["state"] == "in_review"
    assert AuditEvent.objects.get(act="campaign.submitted").detail["note"] == "Before noon"


def test_a_submission_takes_nothing_but_a_version_and_a_note(caller, connection, body):
    made = caller.post("campaigns", body).json()
    for wrong in ({"version": "new"}, {"version": None}, {"note": "x" * 501}, {"sms_text": "Hi"}):
        assert caller.post(f"campaigns/{made['id']}/submit", wrong).status_code == 400
    assert caller.get(f"campaigns/{made['id']}").json()["state"] == "draft"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"template": "nothing"}, "unknown_template"),
        ({"lists": ["00000000-0000-4000-8000-000000000000"]}, "unknown_list"),
        ({"time_zone": "Mars"}, "bad_time_zone"),
        ({"name": "  "}, "bad_name"),
        ({"quiet_from": "21:00"}, "quiet_hours_in_pairs"),
        ({"send_at": "1026-01-01T00:00:00Z"}, "bad_time"),
    ],
)
def test_a_campaign_that_cannot_be_is_409_and_leaves_nothing(caller, connection, body, change, code):
    assert caller.post("campaigns", body | change).json()["code"] == code
    assert not Campaign.objects.exists()


def test_recipients_come_page_by_page_and_as_a_stream(caller, connection):
    campaign = make_running_campaign(connection, [make_contact(name=f"P{n}") for n in range(5)])
    path = f"campaigns/{campaign.public_id}/recipients"
    first = caller.get(f"{path}?limit=3").json()
    second = caller.get(f"{path}?limit=3&cursor={first['next']}").json()
    paged = first["results"] + second["results"]
    assert (len(paged), second["next"]) == (5, None)
    assert {one["status"] for one in paged} == {"queued"}
    for accept in ("*/*", "application/json", "application/x-ndjson"):
        headers = {"Authorization": f"Bearer {caller.key}", "Accept": accept}
        stream = caller.http.get(f"/api/v1/{path}/stream", headers=headers)
        assert stream["Content-Type"] == "application/x-ndjson"
        assert [json.loads(line) for line in stream.getvalue().splitlines()] == paged
    exports = AuditEvent.objects.filter(act="campaign.exported", subject_id=campaign.pk)
    assert {one.detail["client"] for one in exports} == {caller.client.name} and len(exports) == 3


def test_a_test_client_neither_sees_nor_starts_a_live_campaign(make_caller):
    campaign = make_approved_campaign(make_connection(kind="bulk360"), [make_contact(name="Mei")])
    caller = make_caller(live=False)
    assert caller.get("campaigns").json()["results"] == []
    for path in ("", "/plan", "/recipients", "/recipients/stream"):
        assert caller.get(f"campaigns/{campaign.public_id}{path}").status_code == 404
    for act in ("submit", "launch", "pause", "resume", "cancel"):
        assert caller.post(f"campaigns/{campaign.public_id}/{act}").status_code == 404
