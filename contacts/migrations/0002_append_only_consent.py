from django.db import migrations

FORBID = """
CREATE FUNCTION contacts_consent_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the consent ledger is append-only' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER consent_is_append_only BEFORE UPDATE OR DELETE ON contacts_consentevent
    FOR EACH ROW EXECUTE FUNCTION contacts_consent_is_append_only();

CREATE FUNCTION contacts_consent_is_never_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('switchboard.allow_truncate', true) IS DISTINCT FROM 'on' THEN  -- tests set it
        RAISE EXCEPTION 'the consent ledger is never emptied' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER consent_is_never_emptied BEFORE TRUNCATE ON contacts_consentevent
    FOR EACH STATEMENT EXECUTE FUNCTION contacts_consent_is_never_emptied();
"""
ALLOW = """
DROP TRIGGER consent_is_never_emptied ON contacts_consentevent;
DROP FUNCTION contacts_consent_is_never_emptied();
DROP TRIGGER consent_is_append_only ON contacts_consentevent;
DROP FUNCTION contacts_consent_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("contacts", "0001_initial")]
    operations = [migrations.RunSQL(FORBID, ALLOW)]
