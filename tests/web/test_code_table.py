"""The table that staff see says what sending does: both read the same code tables."""

import pytest
from django.urls import reverse

from messaging.clock import db_now
from messaging.connections import stop_connection
from messaging.providers.codes import ANSWER_CODES, DN_CODES
from messaging.sending.record import BACKOFF
from messaging.web.connections.code_table import answer_rows, dn_rows
from tests.factories import make_connection


def rows():
    return {str(row.code): row for row in answer_rows()}


def test_every_code_of_the_provider_is_in_the_table():
    assert {str(code) for code in ANSWER_CODES} <= rows().keys()
    assert len(dn_rows()) == len(DN_CODES)


SETTLED = "never by itself; a delivery notification or a person settles it"


@pytest.mark.parametrize(
    ("code", "fate", "again"),
    [
        ("200", "accepted", "never"),
        ("402", "stays queued; the connection says “Stopped: no credit”", "when somebody resumes the connection"),
        ("406", "refused", "one of several in a request: once more, alone; otherwise never by itself"),
        (
            "500",
            "unknown: it may or may not have left",
            SETTLED,
        ),
        (
            "another code",
            "unknown: it may or may not have left",
            SETTLED,
        ),
        ("HTTP 3xx 404 405 429", "stays queued; the connection says “Paused”", "when somebody resumes the connection"),
    ],
)
def test_a_code_says_what_becomes_of_the_message_and_whether_it_is_tried_again(code, fate, again):
    row = rows()[code]
    assert (str(row.fate), str(row.again)) == (fate, again)


def test_only_what_certainly_did_not_leave_is_tried_again_by_itself_with_the_waits_of_sending():
    by_itself = [row for row in answer_rows() if str(row.again).startswith("by itself")]
    assert [str(row.code) for row in by_itself] == ["no connection"]
    assert str(by_itself[0].again) == "by itself after 1 s, 5 s, 30 s, 2 min, 10 min"
    assert len(BACKOFF) == 5


@pytest.mark.django_db
def test_the_page_is_reached_from_the_connections(sign_in):
    client = sign_in("viewer")
    assert reverse("connection_codes") in client.get(reverse("connection_list")).content.decode()
    shown = client.get(reverse("connection_codes")).content.decode()
    assert "571" in shown
    assert "opted out" in shown
    assert shown.count('<th scope="col">Tried again</th>') == 1  # no DN makes a machine send again


@pytest.mark.django_db
def test_what_stopped_a_connection_leads_to_the_meaning_of_its_code(sign_in):
    connection = make_connection()
    stop_connection(connection_id=connection.pk, state="no_credit", code=402, detail="", now=db_now())
    client = sign_in("admin")
    meaning = f"{reverse('connection_codes')}#answers-402"
    page = reverse("connection_detail", args=[connection.public_id])
    assert f'href="{meaning}"' in client.get(page).text
    assert 'id="answers-402"' in client.get(meaning).text
    client.post(reverse("connection_resume", args=[connection.public_id]))
    assert f'href="{meaning}"' in client.get(page).text  # among the past incidents
