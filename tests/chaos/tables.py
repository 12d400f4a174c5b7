"""How many rows each table has, and what keeps a growing one from growing for ever."""

from __future__ import annotations

from django.db import connection as database

RETENTION = {  # table → what deletes its old rows, or why it has few
    "messaging_outboxevent": "webhooks.tidy, 30 days",
    "messaging_webhookdelivery": "webhooks.tidy, 30 days",
    "messaging_webhookattempt": "webhooks.tidy, 30 days",
    "messaging_idempotencykey": "clients.forget_answers, 7 days",
    "messaging_apiquota": "one row a client",
    "messaging_heartbeat": "one row a kind of work",
    "messaging_inboundraw": "ingest.forget_raw, 30 days",
}
RECORD = {  # what the house did and with whom; it grows with the work and is meant to stay
    "auth_user", "auth_user_groups",
    "contacts_consentevent", "contacts_contact", "contacts_contactlist", "contacts_listmembership",
    "contacts_suppression",
    "messaging_auditevent", "messaging_campaign", "messaging_campaignaudience", "messaging_conversation",
    "messaging_conversationevent", "messaging_deliverynotice", "messaging_incident", "messaging_message",
    "messaging_providerapproval", "messaging_providerrequest", "messaging_requestrecipient", "messaging_template",
    "messaging_templateversion",
}  # fmt: skip


def rows() -> dict[str, int]:
    with database.cursor() as cursor:
        found = {}
        for table in sorted(database.introspection.table_names(cursor)):
            cursor.execute(f"SELECT count(*) FROM {database.ops.quote_name(table)}")
            found[table] = cursor.fetchone()[0]
    return found


def grown(before: dict[str, int], after: dict[str, int]) -> dict[str, dict[str, int]]:
    """By what keeps them: table → rows more."""
    more = {table: after[table] - count for table, count in before.items() if after[table] > count}
    return {
        "with_retention": {table: n for table, n in more.items() if table in RETENTION},
        "records": {table: n for table, n in more.items() if table in RECORD},
        "without_retention": {table: n for table, n in more.items() if table not in RETENTION and table not in RECORD},
    }
