"""People of a file → contacts: COPY into a staging table, then short transactions of upserts in order of number.

Of several rows with one number the first counts; of the others the report says which row went before them. What a batch
changes of known people is written down with it, for the first few (`ImportChange`).
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
DATED_ROWS = 10_000  # in which dates that are written in different ways are looked for
SHOWN = 100  # people of whom an import keeps what it changed, of either kind; and rows that were there before

STAGE = """
CREATE TEMPORARY TABLE import_row (
    row integer, msisdn varchar(15), address_hmac bytea, name text, language text, fields jsonb
)"""
COPY = "COPY import_row (row, msisdn, address_hmac, name, language, fields) FROM STDIN"
INDEX = "CREATE INDEX ON import_row (msisdn, row)"
DUPLICATES = "SELECT count(*) - count(DISTINCT msisdn) FROM import_row"
DUPLICATE_ROWS = """
SELECT row, counted FROM (SELECT row, min(row) OVER (PARTITION BY msisdn) AS counted FROM import_row) every
WHERE row > counted ORDER BY row LIMIT %(shown)s"""
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
CHANGES = """
WITH row AS (
    SELECT DISTINCT ON (msisdn) row, msisdn, name, language, fields
    FROM import_row WHERE msisdn > %(after)s AND msisdn <= %(upto)s
    ORDER BY msisdn, row
), change AS (
    SELECT contact.id, row.row, row.name <> '' AND contact.name NOT IN ('', row.name) AS renamed,
        contact.name AS old_name, row.name AS new_name,
        CASE WHEN row.name <> '' AND contact.name = '' THEN '["name"]'::jsonb ELSE '[]' END
        || CASE WHEN row.language NOT IN ('', contact.language) THEN '["language"]'::jsonb ELSE '[]' END
        || (SELECT coalesce(jsonb_agg(key ORDER BY key), '[]') FROM jsonb_each(row.fields)
            WHERE contact.fields -> key IS DISTINCT FROM value) AS keys
    FROM row JOIN contacts_contact contact USING (msisdn)
), counted AS (
    SELECT *, row_number() OVER (PARTITION BY renamed ORDER BY row) AS place
    FROM change WHERE renamed OR keys <> '[]'
), kept AS (
    INSERT INTO contacts_importchange (contact_import_id, contact_id, row, old_name, new_name, keys)
    SELECT %(contact_import)s, id, row, CASE WHEN renamed THEN old_name ELSE '' END,
        CASE WHEN renamed THEN new_name ELSE '' END, keys
    FROM counted
    WHERE place <= CASE WHEN renamed THEN %(renamed_room)s ELSE %(changed_room)s END
    ORDER BY row
)
SELECT count(*) FILTER (WHERE renamed), count(*) FILTER (WHERE NOT renamed) FROM counted"""
ENROL = """
INSERT INTO contacts_listmembership (contact_list_id, contact_id, added_at)
SELECT %(contact_list)s, contact.id, now() FROM contacts_contact contact
WHERE contact.msisdn IN (SELECT msisdn FROM import_row WHERE msisdn > %(after)s AND msisdn <= %(upto)s)
ORDER BY contact.id
ON CONFLICT (contact_list_id, contact_id) DO NOTHING"""

OPTED_OUT = """
SELECT count(DISTINCT address_hmac) FROM import_row JOIN contacts_suppression USING (address_hmac)"""
NAMELESS = """
SELECT count(*) FROM contacts_contact contact
WHERE contact.name = '' AND contact.msisdn IN (SELECT msisdn FROM import_row WHERE name = '')"""
MIXED_DATES = """
WITH spelt AS (
    SELECT row, key, regexp_replace(regexp_replace(value, '[0-9]{4}', 'Y'), '[0-9]+', 'N', 'g') AS spelling
    FROM import_row, jsonb_each_text(fields)
    WHERE row <= %(looked_at)s
        AND value ~ '^([0-9]{1,2}[./-][0-9]{1,2}[./-]([0-9]{4}|[0-9]{2})|[0-9]{4}[./-][0-9]{1,2}[./-][0-9]{1,2})$'
), way AS (SELECT key, min(row) AS row FROM spelt GROUP BY key, spelling)
SELECT key, array_agg(row ORDER BY row) FROM way GROUP BY key HAVING count(*) > 1 ORDER BY key"""


@dataclass
class Staged:
    """What the file came to before anybody went in."""

    bad: int
    duplicate: int
    duplicate_rows: list[tuple[int, int]]
    mixed_dates: list[tuple[str, list[int]]]


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
            duplicate = cursor.fetchone()[0]
            cursor.execute(DUPLICATE_ROWS, {"shown": SHOWN if duplicate else 0})
            duplicate_rows = cursor.fetchall()
            cursor.execute(MIXED_DATES, {"looked_at": DATED_ROWS})
            yield Staged(bad_rows.count, duplicate, duplicate_rows, mixed_dates=cursor.fetchall())
        finally:
            if not connection.needs_rollback and connection.is_usable():
                cursor.execute("DROP TABLE IF EXISTS import_row")


def store(contact_import: ContactImport) -> None:
    """Everybody who is staged and not in yet, batch by batch; what a killed run stored is not stored again."""
    while _store_batch_despite_deadlocks(contact_import):
        pass


def standing() -> dict[str, int]:
    """Of the people who are staged: how many have opted out of anything, and how many have no name."""
    with connection.cursor() as cursor:
        cursor.execute(OPTED_OUT)
        opted_out = cursor.fetchone()[0]
        cursor.execute(NAMELESS)
        return {"opted_out": opted_out, "nameless": cursor.fetchone()[0]}


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
    so_far = ContactImport.objects.filter(pk=contact_import.pk).values_list("position", "renamed", "changed")
    after, renamed_before, changed_before = so_far.get()
    with connection.cursor() as cursor:
        cursor.execute(UPTO, {"after": after, "limit": BATCH_ROWS})
        upto, people = cursor.fetchone()
        if not people:
            return False
        scope = {"after": after, "upto": upto, "contact_list": contact_import.contact_list_id}
        cursor.execute(LOCK, scope)
        room = {"renamed_room": SHOWN - renamed_before, "changed_room": SHOWN - changed_before}
        cursor.execute(CHANGES, {**scope, **room, "contact_import": contact_import.pk})
        renamed, changed = cursor.fetchone()
        cursor.execute(UPSERT, scope)
        created = cursor.fetchone()[0]
        if contact_import.contact_list_id:
            cursor.execute(ENROL, scope)
    _report(
        contact_import,
        position=upto,
        created=F("created") + created,
        updated=F("updated") + people - created,
        renamed=F("renamed") + renamed,
        changed=F("changed") + changed,
    )
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
