"""The outbox: triggers write what subscribers are told, in the very statement that changes the row.

So no path can forget it, plain SQL included, and a change and its event commit together. Messages change by the
thousand, so theirs is one trigger a statement; it ends after one look at the endpoints while nobody is subscribed.
"""

from django.db import migrations

OUTBOX = """
-- The one word for the pair of states: messaging/statuses.py, status().
CREATE FUNCTION messaging_status(send_state text, delivery_state text) RETURNS text LANGUAGE sql IMMUTABLE
RETURN CASE WHEN send_state IN ('accepted', 'unknown') AND delivery_state <> 'none' THEN delivery_state
            WHEN send_state = 'claimed' THEN 'queued' ELSE send_state END;

CREATE FUNCTION messaging_is_subscribed(what text) RETURNS boolean LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM messaging_webhookendpoint WHERE state <> 'disabled' AND what = ANY (event_types));

-- Another system's endpoint hears of the messages that its client may see: a test client's of sandboxes alone.
CREATE FUNCTION messaging_may_hear(client bigint, connection bigint) RETURNS boolean LANGUAGE sql STABLE
RETURN client IS NULL OR (SELECT live FROM messaging_apiclient WHERE id = client)
    OR (SELECT kind = 'sandbox' FROM messaging_connection WHERE id = connection);

-- Waiting and sending are steps on the way; only where a message got to is worth an event.
CREATE FUNCTION messaging_tell_statuses() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT messaging_is_subscribed('message.status') THEN
        RETURN NULL;
    END IF;
    WITH changed AS MATERIALIZED (
        SELECT n.*, messaging_status(n.send_state, n.delivery_state) AS status
        FROM after_change n JOIN before_change o USING (id)
        WHERE n.direction = 'mt'
          AND messaging_status(n.send_state, n.delivery_state) <> messaging_status(o.send_state, o.delivery_state)
          AND messaging_status(n.send_state, n.delivery_state) NOT IN ('planned', 'queued', 'sending')
    ), interested AS MATERIALIZED (
        SELECT c.id, e.id AS endpoint_id
        FROM changed c JOIN messaging_webhookendpoint e ON e.state <> 'disabled' AND 'message.status' = ANY (e.event_types)
        WHERE CASE e.format
            WHEN 'standard' THEN messaging_may_hear(e.client_id, c.connection_id)
            WHEN 'door_dn' THEN
                c.status IN ('sent', 'delivered', 'undelivered', 'refused', 'skipped', 'expired', 'cancelled')
                AND EXISTS (SELECT FROM messaging_doorrecipient r JOIN messaging_doorcall l ON l.id = r.call_id
                            WHERE r.message_id = c.id AND l.client_id = e.door_client_id)
            ELSE false END
    ), event AS (
        INSERT INTO messaging_outboxevent (public_id, type, message_id, contact_id, seq, data, at)
        SELECT gen_random_uuid(), 'message.status', c.id, c.contact_id,
               1 + coalesce((SELECT max(seq) FROM messaging_outboxevent p WHERE p.message_id = c.id), 0),
               jsonb_build_object(
                   'status', c.status, 'send_state', c.send_state, 'delivery_state', c.delivery_state,
                   'channel', c.channel, 'lane', c.lane, 'reason', c.reason, 'error_code', c.error_code),
               clock_timestamp()
        FROM changed c WHERE c.id IN (SELECT id FROM interested) ORDER BY c.id
        RETURNING id, message_id
    )
    INSERT INTO messaging_webhookdelivery (public_id, endpoint_id, event_id, state, tries, next_at)
    SELECT gen_random_uuid(), i.endpoint_id, event.id, 'waiting', 0, clock_timestamp()
    FROM event JOIN interested i ON i.id = event.message_id ORDER BY event.id, i.endpoint_id;
    RETURN NULL;
END $$;
CREATE TRIGGER outbox_statuses AFTER UPDATE ON messaging_message
    REFERENCING OLD TABLE AS before_change NEW TABLE AS after_change
    FOR EACH STATEMENT EXECUTE FUNCTION messaging_tell_statuses();

-- An MO that looks like its predecessor is told once.
CREATE FUNCTION messaging_tell_received() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH interested AS MATERIALIZED (
        SELECT e.id FROM messaging_webhookendpoint e
        WHERE e.state <> 'disabled' AND 'message.received' = ANY (e.event_types)
          AND CASE e.format
            WHEN 'standard' THEN messaging_may_hear(e.client_id, NEW.connection_id)
            WHEN 'door_mo' THEN EXISTS (SELECT FROM messaging_doorclient d WHERE d.id = e.door_client_id
                                        AND d.connection_id = NEW.connection_id AND d.disabled_at IS NULL)
            ELSE false END
    ), event AS (
        INSERT INTO messaging_outboxevent (public_id, type, message_id, contact_id, seq, data, at)
        SELECT gen_random_uuid(), 'message.received', NEW.id, NEW.contact_id, 1,
               jsonb_build_object('channel', NEW.channel, 'received_at', NEW.timeline_at), clock_timestamp()
        WHERE EXISTS (SELECT FROM interested)
        RETURNING id
    )
    INSERT INTO messaging_webhookdelivery (public_id, endpoint_id, event_id, state, tries, next_at)
    SELECT gen_random_uuid(), interested.id, event.id, 'waiting', 0, clock_timestamp() FROM event, interested;
    RETURN NULL;
END $$;
CREATE TRIGGER outbox_received AFTER INSERT ON messaging_message
    FOR EACH ROW WHEN (NEW.direction = 'mo' AND NOT NEW.repeated) EXECUTE FUNCTION messaging_tell_received();

-- What concerns no single message.
CREATE FUNCTION messaging_tell(what text, whom bigint, said jsonb) RETURNS void LANGUAGE sql
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

CREATE FUNCTION messaging_tell_consent() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    was contacts_suppression := CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
BEGIN
    PERFORM messaging_tell(
        'consent.changed',
        (SELECT contact_id FROM contacts_consentevent WHERE id = was.event_id),
        jsonb_build_object('state', CASE TG_OP WHEN 'DELETE' THEN 'opted_in' ELSE 'opted_out' END,
                           'channel', was.channel, 'purpose', was.purpose));
    RETURN NULL;
END $$;
CREATE TRIGGER outbox_consent AFTER INSERT OR DELETE ON contacts_suppression
    FOR EACH ROW EXECUTE FUNCTION messaging_tell_consent();

CREATE FUNCTION messaging_tell_campaign() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM messaging_tell('campaign.state', NULL, jsonb_build_object(
        'id', NEW.public_id, 'name', NEW.name, 'state', NEW.state, 'previous', OLD.state));
    RETURN NULL;
END $$;
CREATE TRIGGER outbox_campaign AFTER UPDATE OF state ON messaging_campaign
    FOR EACH ROW WHEN (NEW.state <> OLD.state) EXECUTE FUNCTION messaging_tell_campaign();

CREATE FUNCTION messaging_tell_review() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM messaging_tell('template.reviewed', NULL, (
        SELECT jsonb_build_object('id', public_id, 'name', name, 'language', NEW.language, 'version', NEW.number,
                                  'state', NEW.state)
        FROM messaging_template WHERE id = NEW.template_id));
    RETURN NULL;
END $$;
CREATE TRIGGER outbox_review AFTER UPDATE OF state ON messaging_templateversion
    FOR EACH ROW WHEN (NEW.state <> OLD.state AND NEW.state IN ('approved', 'returned'))
    EXECUTE FUNCTION messaging_tell_review();

CREATE FUNCTION messaging_tell_connection() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM messaging_tell('connection.state', NULL, jsonb_build_object(
        'id', NEW.public_id, 'name', NEW.name, 'state', NEW.state, 'previous', OLD.state));
    RETURN NULL;
END $$;
CREATE TRIGGER outbox_connection AFTER UPDATE OF state ON messaging_connection
    FOR EACH ROW WHEN (NEW.state <> OLD.state) EXECUTE FUNCTION messaging_tell_connection();
"""
OUTBOX_REVERSE = """
DROP TRIGGER outbox_connection ON messaging_connection;
DROP TRIGGER outbox_review ON messaging_templateversion;
DROP TRIGGER outbox_campaign ON messaging_campaign;
DROP TRIGGER outbox_consent ON contacts_suppression;
DROP TRIGGER outbox_received ON messaging_message;
DROP TRIGGER outbox_statuses ON messaging_message;
DROP FUNCTION messaging_tell_connection, messaging_tell_review, messaging_tell_campaign, messaging_tell_consent,
    messaging_tell, messaging_tell_received, messaging_tell_statuses, messaging_may_hear, messaging_is_subscribed,
    messaging_status;
"""


class Migration(migrations.Migration):
    dependencies = [("contacts", "0002_append_only_consent"), ("messaging", "0005_webhook_rest_and_contact")]

    operations = [migrations.RunSQL(OUTBOX, OUTBOX_REVERSE)]
