"""What was received and what was done stays: raw calls keep their bytes, audit events and reviews never change.

Tables of such rows cannot be emptied either, so that `manage.py flush` stops at them. Who runs SQL as their owner can
lift this with `SET switchboard.allow_truncate = on`, as the tests do: a guard against mistakes, like the triggers.
"""

from django.db import migrations

APPEND_ONLY = """
CREATE FUNCTION messaging_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON messaging_auditevent
    FOR EACH ROW EXECUTE FUNCTION messaging_append_only();
CREATE TRIGGER review_append_only BEFORE UPDATE OR DELETE ON messaging_templatereview
    FOR EACH ROW EXECUTE FUNCTION messaging_append_only();
CREATE TRIGGER inbound_keeps_its_bytes BEFORE UPDATE OF body, query, received_at, kind, connection_id
    ON messaging_inboundraw FOR EACH ROW EXECUTE FUNCTION messaging_append_only();

CREATE FUNCTION messaging_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('switchboard.allow_truncate', true) IS DISTINCT FROM 'on' THEN
        RAISE EXCEPTION '% is never emptied', TG_TABLE_NAME USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER audit_never_emptied BEFORE TRUNCATE ON messaging_auditevent
    FOR EACH STATEMENT EXECUTE FUNCTION messaging_never_emptied();
CREATE TRIGGER review_never_emptied BEFORE TRUNCATE ON messaging_templatereview
    FOR EACH STATEMENT EXECUTE FUNCTION messaging_never_emptied();
"""
APPEND_ONLY_REVERSE = """
DROP TRIGGER review_never_emptied ON messaging_templatereview;
DROP TRIGGER audit_never_emptied ON messaging_auditevent;
DROP FUNCTION messaging_never_emptied();
DROP TRIGGER inbound_keeps_its_bytes ON messaging_inboundraw;
DROP TRIGGER review_append_only ON messaging_templatereview;
DROP TRIGGER audit_append_only ON messaging_auditevent;
DROP FUNCTION messaging_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("messaging", "0002_two_people")]

    operations = [migrations.RunSQL(APPEND_ONLY, APPEND_ONLY_REVERSE)]
