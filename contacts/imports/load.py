"""People of a file → contacts: COPY into a staging table, then short transactions of upserts in order of number.

Of several rows with one number the first counts; the others are only counted, as duplicates.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

from django.db import OperationalError, connection, transaction
from django.db.models import F
from psycopg import Copy, errors

from contacts.imports.bad_rows import BadRowsFile
from contacts.imports.people import BadRow, Columns, read_person
from contacts.imports.reader import Row
from contacts.models import ContactImport
from contacts.numbers import BadNumber

COPY_ROWS = 20_000  # between two reports of progress
BATCH_ROWS = 5_000  # in one transaction: people who write to us meanwhile wait no longer than that
DEADLOCKS = 5  # retries of one batch

STAGE = """
CREATE TEMPORARY TABLE import_row (
    row integer, msisdn varchar(15), address_hmac bytea, name text, language text, fields jsonb
)"""
COPY = "COPY import_row (row, msisdn, address_hmac, name, language, fields) FROM STDIN"
INDEX = "CREATE INDEX ON import_row (msisdn, row)"
DUPLICATES = "SELECT count(*) - count(DISTINCT msisdn) FROM import_row"
UPTO = """
SELECT max(msisdn), count(*)
FROM (SELECT DISTINCT msisdn FROM import_row WHERE msisdn > %(after)s ORDER BY msisdn LIMIT %(limit)s) batch"""
LOCK = """
SELECT contact.id FROM contacts_contact contact
WHERE contact.msisdn IN (SELECT msisdn FROM import_row WHERE msisdn > %(after)s AND msisdn <= %(upto)s)
ORDER BY contact.id FOR NO KEY UPDATE"""
UPSERT = """
WITH stored AS (
    INSERT INTO contacts_contact AS contact
        (public_id, msisdn, address_hmac, name, language, fields, created_at, updated_at)
    SELECT DISTINCT ON (msisdn) gen_random_uuid(), msisdn, address_hmac, name, language, fields, now(), now()
    FROM import_row WHERE msisdn > %(after)s AND msisdn <= %(upto)s
    ORDER BY msisdn, row
    ON CONFLICT (msisdn) DO UPDATE SET
        name = coalesce(nullif(excluded.name, ''), contact.name),
        language = coalesce(nullif(excluded.language, ''), contact.language),
        fields = contact.fields || excluded.fields,
        updated_at = now()
    WHERE excluded.name NOT IN ('', contact.name)
        OR excluded.language NOT IN ('', contact.language)
        OR NOT contact.fields @> excluded.fields
    RETURNING xmax = 0 AS is_new
)
SELECT count(*) FILTER (WHERE is_new) FROM stored"""
ENROL = """
INSERT INTO contacts_listmembership (contact_list_id, contact_id, added_at)
SELECT %(contact_list)s, contact.id, now() FROM contacts_contact contact
WHERE contact.msisdn IN (SELECT msisdn FROM import_row WHERE msisdn > %(after)s AND msisdn <= %(upto)s)
ORDER BY contact.id
ON CONFLICT (contact_list_id, contact_id) DO NOTHING"""


@dataclass
class Staged:
    """What the file came to before anybody went in."""

    bad: int
    duplicate: int


@contextmanager
def staging(
    rows: Iterator[Row], columns: Columns, bad_rows: BadRowsFile, contact_import: ContactImport
) -> Iterator[Staged]:
    """The good rows in a temporary table of this connection, the others in the file of bad rows."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS import_row")
        cursor.execute(STAGE)
        try:
            while chunk := list(islice(rows, COPY_ROWS)):
                with cursor.copy(COPY) as copy:
                    for row in chunk:
                        _stage(row, columns, bad_rows, copy)
                _report(contact_import, bad=bad_rows.count)
            cursor.execute(INDEX)
            cursor.execute("ANALYZE import_row")
            cursor.execute(DUPLICATES)
            yield Staged(bad=bad_rows.count, duplicate=cursor.fetchone()[0])
        finally:
            if not connection.needs_rollback and connection.is_usable():
                cursor.execute("DROP TABLE IF EXISTS import_row")


def store(contact_import: ContactImport) -> None:
    """Everybody who is staged and not in yet, batch by batch; what a killed run stored is not stored again."""
    while _store_batch_despite_deadlocks(contact_import):
        pass


def _store_batch_despite_deadlocks(contact_import: ContactImport) -> bool:
    for chance in range(DEADLOCKS + 1):
        try:
            with transaction.atomic():
                return _store_batch(contact_import)
        except OperationalError as error:
            if not isinstance(error.__cause__, errors.DeadlockDetected) or chance == DEADLOCKS:
                raise
    raise AssertionError("unreachable")


def _store_batch(contact_import: ContactImport) -> bool:
    """Contacts, memberships and the import's own position move together or not at all."""
    after = ContactImport.objects.values_list("position", flat=True).get(pk=contact_import.pk)
    with connection.cursor() as cursor:
        cursor.execute(UPTO, {"after": after, "limit": BATCH_ROWS})
        upto, people = cursor.fetchone()
        if not people:
            return False
        scope = {"after": after, "upto": upto, "contact_list": contact_import.contact_list_id}
        cursor.execute(LOCK, scope)
        cursor.execute(UPSERT, scope)
        created = cursor.fetchone()[0]
        if contact_import.contact_list_id:
            cursor.execute(ENROL, scope)
    _report(contact_import, position=upto, created=F("created") + created, updated=F("updated") + people - created)
    return True


def _report(contact_import: ContactImport, **progress: object) -> None:
    ContactImport.objects.filter(pk=contact_import.pk).update(**progress)


def _stage(row: Row, columns: Columns, bad_rows: BadRowsFile, copy: Copy) -> None:
    try:
        person = read_person(row, columns)
    except (BadRow, BadNumber) as wrong:
        bad_rows.add(row, str(wrong))
    else:
        copy.write_row(person)
