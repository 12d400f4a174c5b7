"""Three senders that are wrong in the ways most are. A checker that finds nothing in them is blind.

Each works off the same rows by the same claim as a worker would, and posts to the same sandbox.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import requests
from django.db import Error, close_old_connections, transaction
from django.db import connection as database

from tests.chaos.sandbox import KEY, SECRET

BATCH, TRIES, TIMEOUT_S = 10, 3, 2.0
LANE = "lane = 'template', claim_token = NULL, lease_until = NULL"
TAKE_SQL = """
UPDATE messaging_message m SET {changes} FROM (
    SELECT id FROM messaging_message WHERE send_state = 'queued' ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED) due
JOIN messaging_message same ON same.id = due.id JOIN contacts_contact c ON c.id = same.contact_id
WHERE m.id = due.id RETURNING m.id, c.msisdn
"""
CLAIM = "send_state = 'claimed', claim_token = gen_random_uuid(), lease_until = clock_timestamp() + interval '2 s'"
MARK = f"send_state = 'accepted', {LANE}"
DONE_SQL = f"UPDATE messaging_message SET {MARK} WHERE id = %s"
LOST_SQL = """
UPDATE messaging_message SET send_state = 'queued', claim_token = NULL, lease_until = NULL
WHERE send_state = 'claimed' AND lease_until < clock_timestamp()
"""


class Desk:
    """The sandbox as a sender sees it."""

    def __init__(self, url: str, text: str) -> None:
        self._url, self._text = f"{url}/gw/bulk360/v3_0/send.php", text
        self._http = requests.Session()
        self._http.trust_env = False

    def post(self, msisdn: str) -> None:
        """Raises whatever went wrong."""
        form = {"user": KEY, "pass": SECRET, "to": f"whatsapp:{msisdn}", "text": self._text}
        answer = self._http.post(self._url, data=form, timeout=TIMEOUT_S)
        answer.raise_for_status()
        if answer.json()["code"] != 200:
            raise OSError("refused")


def retry_on_error(desk: Desk) -> None:
    """A task queue with acks_late: what failed, or whose worker died, is sent again."""
    _run("synchronous_commit = on", CLAIM, lambda id_, msisdn: _insist(desk, id_, msisdn))


def mark_first(desk: Desk) -> None:
    """Never twice, at the price of never knowing: it is marked as sent, then it is tried."""

    def send(_id: int, msisdn: str) -> None:
        try:
            desk.post(msisdn)
        except (requests.RequestException, OSError):
            return

    _run("synchronous_commit = on", MARK, send)


def lazy_commit(desk: Desk) -> None:
    """The right order of steps, but commits that are not on the disk when they return."""
    _run("synchronous_commit = off", MARK, lambda _id, msisdn: desk.post(msisdn))


SENDERS: dict[str, Callable[[Desk], None]] = {
    "retry on error": retry_on_error,
    "mark first": mark_first,
    "synchronous_commit=off": lazy_commit,
}


def _insist(desk: Desk, id_: int, msisdn: str) -> None:
    for _ in range(TRIES):
        try:
            desk.post(msisdn)
            break
        except (requests.RequestException, OSError):
            continue
    with database.cursor() as cursor:
        cursor.execute(DONE_SQL, [id_])


def _run(setting: str, changes: str, send: Callable[[int, str], None]) -> None:
    """Until it is killed. A database that is away is waited for."""
    while True:
        try:
            with database.cursor() as cursor:
                cursor.execute(f"SET {setting}")
            if not _wave(changes, send):
                time.sleep(0.1)
        except Error:
            close_old_connections()
            time.sleep(0.1)


def _wave(changes: str, send: Callable[[int, str], None]) -> int:
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute(LOST_SQL)
        cursor.execute(TAKE_SQL.format(changes=changes), [BATCH])
        rows = cursor.fetchall()
    for id_, msisdn in rows:
        send(id_, msisdn)
    return len(rows)
