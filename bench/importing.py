"""Importing a CSV of people with its report, beside the least that PostgreSQL can do with the same file.

The baseline COPYs the file as it is into a staging table and upserts it into the same table in one statement: no
spellings, no duplicates, no bad rows, no resuming after a kill. Both begin with no people and the same indexes.
"""

from __future__ import annotations

import csv
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.db import connection as database

from bench.crowd import hmac_keys, hmac_sql
from bench.figures import Pair
from contacts.imports import import_file
from contacts.models import Contact, ContactField, ContactList
from contacts.models.contact_import import ContactImport

PEOPLE = 200_000
BAD_SHARE = 50  # one row in so many is bad: a land-line
BLOCK = 1 << 20

STAGE = "CREATE TEMPORARY TABLE plain (msisdn text, name text, language text, clinic text, amount text)"
UPSERT = f"""
INSERT INTO contacts_contact (public_id, msisdn, address_hmac, name, language, fields, created_at, updated_at)
SELECT gen_random_uuid(), msisdn, {hmac_sql("msisdn")}, name, language,
       jsonb_build_object('clinic', clinic, 'amount', amount), now(), now()
FROM plain WHERE msisdn LIKE '601%%'
ON CONFLICT (msisdn) DO UPDATE SET name = excluded.name, language = excluded.language, fields = excluded.fields
"""


def run(*, runs: int, people: int) -> None:
    """Print rows a second, and the process's peak of memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_csv(Path(folder) / "people.csv", people)
        settings.MEDIA_ROOT = folder
        pair = Pair("import of people", "rows/s")
        before = _peak_mb()
        for _ in range(runs):
            pair.baseline.append(_rate(people, lambda: _plain(path)))
            pair.ours.append(_rate(people, lambda: _ours(path, people)))
        pair.show()
    print(f"memory: {before:.0f} MB before, {_peak_mb():.0f} MB at its peak")


def write_csv(path: Path, people: int) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["msisdn", "name", "language", "clinic", "amount"])
        for n in range(people):
            number = (
                f"03{3_000_000 + n % 1_000_000}" if n % BAD_SHARE == 0 else f"6012{(n * 61) % 9_000_000 + 1_000_000}"
            )
            writer.writerow([number, f"Aminah binti Ahmad {n}", "ms", f"Klinik {n % 40}", n % 900])
    return path


def _rate(people: int, work: Callable[[], None]) -> float:
    _empty()
    began = time.monotonic()
    work()
    return people / (time.monotonic() - began)


def _plain(path: Path) -> None:
    with database.cursor() as cursor, path.open("rb") as file:
        cursor.execute(STAGE)
        with cursor.copy("COPY plain FROM STDIN (FORMAT csv, HEADER)") as copy:
            while block := file.read(BLOCK):
                copy.write(block)
        cursor.execute(UPSERT, hmac_keys())
        cursor.execute("DROP TABLE plain")


def _ours(path: Path, people: int) -> None:
    done = import_file(path)
    assert done.created + done.duplicate + done.bad == people, done.error
    assert done.bad == -(-people // BAD_SHARE), done.bad


def _empty() -> None:
    with database.cursor() as cursor:
        cursor.execute("SET switchboard.allow_truncate = on")
        models = (Contact, ContactList, ContactField, ContactImport)
        cursor.execute(f"TRUNCATE {', '.join(model._meta.db_table for model in models)} CASCADE")
        cursor.execute("VACUUM contacts_contact")


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
