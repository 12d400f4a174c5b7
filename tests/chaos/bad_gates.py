"""The gate as it would be without its lock on the person: an opt-out can slip in between the facts and the intent."""

from __future__ import annotations

from django.core.management import call_command

from messaging.sending import gate

UNLOCKED_SQL = """
SELECT c.id FROM contacts_contact c
WHERE c.id IN (SELECT contact_id FROM messaging_message WHERE id = ANY (%s)) ORDER BY c.id
"""


def drain_unlocked() -> None:
    """A worker whose gate reads who they are and holds nobody. Ends when it is killed."""
    assert "FOR {strength}" in gate.LOCK_CONTACTS_SQL
    gate.LOCK_CONTACTS_SQL = UNLOCKED_SQL
    call_command("drain", forever=True)
