from django.db import migrations

FORBID = """
CREATE FUNCTION contacts_consent_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the consent ledger is append-only' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER consent_is_append_only BEFORE UPDATE OR DELETE ON contacts_consentevent
    FOR EACH ROW EXECUTE FUNCTION contacts_consent_is_append_only();
"""
ALLOW = """
DROP TRIGGER consent_is_append_only ON contacts_consentevent;
DROP FUNCTION contacts_consent_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("contacts", "0001_initial")]
    operations = [migrations.RunSQL(FORBID, ALLOW)]
