"""A campaign's people as a CSV file: of the plan before the start, of what happened afterwards."""

import csv
import io
from datetime import timedelta

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from contacts.imports.cells import TRIGGERS, unguard
from messaging import campaigns
from messaging.audit import history
from messaging.clock import db_now
from messaging.web.campaigns import export
from tests.factories import (
    make_approved_campaign,
    make_contact,
    make_draft,
    make_list,
    make_request,
    make_running_campaign,
    make_user,
)

pytestmark = pytest.mark.django_db
RUN = tuple(TRIGGERS.replace("\\", ""))


@pytest.fixture
def people():
    return [make_contact(name=name, fields={}) for name in ("Aminah", "陈伟玲", "=1+1", "")]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(export, "CHUNK", 2)


def fetched(client, campaign, query=""):
    return client.post(reverse("campaign_export", args=[campaign.public_id]) + query)


def table(client, campaign, query=""):
    """The file's rows as a spreadsheet has them, by their titles."""
    text = b"".join(fetched(client, campaign, query).streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_plan_of_a_draft_has_everyone_with_lane_reason_and_text(people, connection, sign_in):
    rows = table(sign_in("composer"), make_draft(connection, [make_list(people)]))
    assert [row["Name"] for row in rows] == ["Aminah", "陈伟玲", "'=1+1", ""]
    assert [row["Number"] for row in rows] == [person.msisdn for person in people]
    assert rows[0] | {"Why": ""} == {
        "Name": "Aminah", "Number": people[0].msisdn, "Way of sending": "Template", "Why": "",
        "Text": "Dear Aminah", "SMS parts": "",
    }  # fmt: skip
    assert rows[3]["Way of sending"] == "Skipped"
    assert all(row["Why"] for row in rows)


def test_the_approved_plan_says_the_same_as_its_draft_did(people, connection, sign_in):
    audience = [make_list(people)]
    client = sign_in("approver")
    draft = make_draft(connection, audience)
    assert table(client, make_approved_campaign(connection, people)) == table(client, draft)


def test_after_the_start_each_row_says_what_became_of_it(people, connection, sign_in):
    rows = table(sign_in("composer"), make_running_campaign(connection, people))
    assert [row["Outcome"] for row in rows] == [*["Waiting to be sent"] * 3, "Skipped"]
    assert rows[0]["Last event (Asia/Kuala_Lumpur)"]
    assert rows[0]["Planned way"] == "Template"


def test_what_left_and_what_went_wrong_stand_in_the_row(people, connection, sign_in):
    campaign = make_running_campaign(connection, people)
    left = campaign.messages.filter(send_state="queued")
    left.update(lane="template")
    make_request(list(left), ref="r1", text="Dear you")
    campaign.messages.filter(contact=people[0]).update(delivery_state="delivered", error_code="0")
    campaign.messages.filter(contact=people[1]).update(delivery_state="undelivered", error_code="501")
    rows = table(sign_in("composer"), campaign)
    assert [row["Text"] for row in rows] == [*["Dear you"] * 3, ""]
    assert [row["Outcome"] for row in rows[:2]] == ["Delivered", "Not delivered"]
    assert [row["Error"] for row in rows[:2]] == ["", "The phone is switched off or out of reach."]


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?outcome=skipped", [""]),
        ("?lane=template", []),
        ("?q=amin", ["Aminah"]),
        ("?outcome=to_send&q=陈", ["陈伟玲"]),
    ],
)
def test_the_file_has_the_rows_that_the_page_shows(query, names, people, connection, sign_in):
    rows = table(sign_in("composer"), make_running_campaign(connection, people), query)
    assert [row["Name"] for row in rows] == names


def make_scheduled(connection, people):
    campaign = make_approved_campaign(connection, people, send_at=db_now() + timedelta(days=1))
    return campaigns.launch_campaign(campaign=campaign, user=make_user(), now=db_now())


def make_draft_for(connection, people):
    return make_draft(connection, [make_list(people)])


@pytest.mark.parametrize("make", [make_draft_for, make_approved_campaign, make_scheduled])
def test_the_plan_is_narrowed_to_a_lane(make, people, connection, sign_in):
    campaign = make(connection, people)
    assert [row["Name"] for row in table(sign_in("composer"), campaign, "?lane=skipped")] == [""]


def test_the_file_opens_in_excel_and_is_named_like_the_campaign(people, connection, sign_in):
    campaign = make_draft(connection, [make_list(people)])
    answer = fetched(sign_in("composer"), campaign)
    assert answer.streaming
    assert b"".join(answer.streaming_content).startswith(b"\xef\xbb\xbfName,Number")
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == f'attachment; filename="{campaign.name.lower().replace(" ", "-")}.csv"'


@given(
    st.lists(
        st.text(st.characters(codec="utf-8") | st.sampled_from("'\",;" + "".join(RUN)), max_size=20),
        min_size=1,
        max_size=4,
    )
)
def test_no_cell_runs_as_a_formula_and_each_can_be_read_back(cells):
    text = "".join(export.written([cells])).removeprefix(export.BOM)
    [read] = csv.reader(io.StringIO(text, newline=""))
    assert not any(cell.startswith(RUN) for cell in read)
    assert [unguard(cell) for cell in read] == cells


def test_who_exported_what_is_kept_without_what_was_searched(people, connection, sign_in, users):
    campaign = make_running_campaign(connection, people)
    fetched(sign_in("composer"), campaign, "?outcome=skipped&q=0123")
    event = history(campaign).last()
    assert (event.actor, event.act, event.detail) == (
        users["composer"], "campaign.exported", {"filters": "outcome=skipped"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("role", "may"), [("viewer", False), ("agent", False), ("composer", True), ("approver", True), ("admin", True)]
)
def test_only_some_roles_may_take_people_out_of_the_house(role, may, people, connection, sign_in):
    campaign, client = make_running_campaign(connection, people), sign_in(role)
    shown = client.get(reverse("campaign_detail", args=[campaign.public_id])).content.decode()
    assert ("Export as CSV" in shown) is may
    assert (fetched(client, campaign).status_code == 200) is may


def test_the_number_of_questions_grows_by_chunk_and_not_by_person(
    connection, sign_in, django_assert_num_queries, monkeypatch
):
    monkeypatch.setattr(export, "CHUNK", 100)
    client, campaign = (
        sign_in("composer"),
        make_running_campaign(connection, [make_contact(name="x") for _ in range(40)]),
    )
    answer = fetched(client, campaign)
    with django_assert_num_queries(3):  # the people, what left to them, and that nobody is left
        b"".join(answer.streaming_content)
