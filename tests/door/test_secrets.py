"""A secret that came in a GET is in no log, however much is logged and whatever goes wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection as database

from messaging.doorkeeping.keys import digest
from messaging.models import DoorKey
from messaging.providers.bulk360 import BALANCE_PATH, SEND_PATH
from tests.door.serving import ask, serving
from tests.twin import AMINAH

CANARY = "CanaryOfTheDoor4711"
END = "Host: localhost\r\nConnection: close\r\n\r\n"


@pytest.fixture
def query(account) -> str:
    DoorKey.objects.filter(app_key=account.app_key).update(digest=digest(CANARY))
    return f"user={account.app_key}&pass={CANARY}&to={AMINAH}&text=CanaryOfTheText"


def broken_answers(port: int, query: str) -> bytes:
    """What a call is told while the table that it would be written to is away."""
    with database.cursor() as cursor:
        cursor.execute("ALTER TABLE messaging_doorcall RENAME TO messaging_doorcall_away")
        try:
            return ask(port, f"GET {SEND_PATH}?{query} HTTP/1.1\r\n{END}".encode())
        finally:
            cursor.execute("ALTER TABLE messaging_doorcall_away RENAME TO messaging_doorcall")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("debug", ["0", "1"])
def test_no_log_holds_a_secret_of_the_door(query, tmp_path, debug, twin_process):
    log = tmp_path / "log"
    options = ("--log-level", "debug", "--access-logfile", "-")
    with serving(log, *options, LOG_LEVEL="DEBUG", DEBUG=debug, SWITCHBOARD_HOME=str(tmp_path)) as port:
        assert b'"code":200' in ask(port, f"GET {SEND_PATH}?{query} HTTP/1.1\r\n{END}".encode())
        assert b'"code":401' in ask(port, f"GET {SEND_PATH}?{query}&pass=x{CANARY} HTTP/1.1\r\n{END}".encode())
        assert b'"success"' in ask(port, f"GET {BALANCE_PATH}?{query} HTTP/1.1\r\n{END}".encode())
        assert b'"code":500' in broken_answers(port, query)
        for line in (
            f"GET {SEND_PATH}/?{query} HTTP/1.1",
            f"GET /gw/other/send.php?{query} HTTP/1.1",
            f"GET /elsewhere?{query} and blanks HTTP/1.1",
            f"GET {SEND_PATH}?{query} HTTP/9.9",
            f"G=T {SEND_PATH}?{query} HTTP/1.1",
            f"GET {SEND_PATH}?{query}\x00\xff HTTP/1.1",
            f"GET {SEND_PATH}?{query}{'x' * 9000} HTTP/1.1",
        ):
            ask(port, f"{line}\r\n{END}".encode("latin-1"))
        body = f"POST {SEND_PATH} HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: "
        ask(port, f"{body}{len(query)}\r\n{END}{query}".encode())
    said = log.read_text(errors="replace")
    assert "door.failed" in said, "what went wrong is logged"
    assert said.count("door.answered") >= 5
    assert CANARY not in said
    assert "CanaryOfTheText" not in said or debug == "1", "the SQL that Django shows while debugging has values in it"
    assert [path for path in Path(tmp_path).rglob("*") if path.is_file() and CANARY in path.read_text("latin-1")] == []
