"""What another system is told it could also read: not once it is disabled, its owner has left, or `read` was taken away.

A test client hears of nobody's consent while there are phones: consent went through no sandbox.
"""

from django.db import migrations

FUNCTIONS = """
CREATE FUNCTION messaging_client_hears(client bigint, what text) RETURNS boolean LANGUAGE sql STABLE
RETURN client IS NULL OR EXISTS (
    SELECT FROM messaging_apiclient a JOIN auth_user u ON u.id = a.owner_id
    WHERE a.id = client AND a.disabled_at IS NULL AND u.is_active
      AND (what NOT IN ('message.status', 'message.received', 'consent.changed') OR 'read' = ANY (a.scopes))
      AND (a.live OR what <> 'consent.changed'
           OR NOT EXISTS (SELECT FROM messaging_connection WHERE kind <> 'sandbox')));

-- Of a message through this connection: a test client's of sandboxes alone.
CREATE OR REPLACE FUNCTION messaging_may_hear(client bigint, connection bigint) RETURNS boolean LANGUAGE sql STABLE
RETURN client IS NULL OR (messaging_client_hears(client, 'message.status') AND (
    (SELECT live FROM messaging_apiclient WHERE id = client)
    OR (SELECT kind = 'sandbox' FROM messaging_connection WHERE id = connection)));

CREATE OR REPLACE FUNCTION messaging_tell(what text, whom bigint, said jsonb) RETURNS void LANGUAGE sql
BEGIN ATOMIC
    WITH interested AS MATERIALIZED (
        SELECT id FROM messaging_webhookendpoint
        WHERE state <> 'disabled' AND format = 'standard' AND what = ANY (event_types)
          AND messaging_client_hears(client_id, what)
    ), event AS (
        INSERT INTO messaging_outboxevent (public_id, type, contact_id, data, at)
        SELECT gen_random_uuid(), what, whom, said, clock_timestamp() WHERE EXISTS (SELECT FROM interested)
        RETURNING id
    )
    INSERT INTO messaging_webhookdelivery (public_id, endpoint_id, event_id, state, tries, next_at)
    SELECT gen_random_uuid(), interested.id, event.id, 'waiting', 0, clock_timestamp() FROM event, interested;
END;
"""
REVERSE = """
CREATE OR REPLACE FUNCTION messaging_may_hear(client bigint, connection bigint) RETURNS boolean LANGUAGE sql STABLE
RETURN client IS NULL OR (SELECT live FROM messaging_apiclient WHERE id = client)
    OR (SELECT kind = 'sandbox' FROM messaging_connection WHERE id = connection);

CREATE OR REPLACE FUNCTION messaging_tell(what text, whom bigint, said jsonb) RETURNS void LANGUAGE sql
BEGIN ATOMIC
    WITH interested AS MATERIALIZED (
        SELECT id FROM messaging_webhookendpoint
        WHERE state <> 'disabled' AND format = 'standard' AND what = ANY (event_types)
    ), event AS (
        INSERT INTO messaging_outboxevent (public_id, type, contact_id, data, at)
        SELECT gen_random_uuid(), what, whom, said, clock_timestamp() WHERE EXISTS (SELECT FROM interested)
        RETURNING id
    )
    INSERT INTO messaging_webhookdelivery (public_id, endpoint_id, event_id, state, tries, next_at)
    SELECT gen_random_uuid(), interested.id, event.id, 'waiting', 0, clock_timestamp() FROM event, interested;
END;

DROP FUNCTION messaging_client_hears;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("messaging", "0014_doors_confirm_no_opt_outs"),
    ]

    operations = [migrations.RunSQL(FUNCTIONS, REVERSE)]
