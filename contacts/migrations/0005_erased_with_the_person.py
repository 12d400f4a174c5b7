from django.db import migrations

FORGET = """
CREATE FUNCTION contacts_forget_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM contacts_importchange WHERE contact_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER changes_are_erased_with_the_person AFTER UPDATE OF erased_at ON contacts_contact
    FOR EACH ROW WHEN (NEW.erased_at IS NOT NULL) EXECUTE FUNCTION contacts_forget_changes();
"""
KEEP = """
DROP TRIGGER changes_are_erased_with_the_person ON contacts_contact;
DROP FUNCTION contacts_forget_changes();
"""


class Migration(migrations.Migration):
    dependencies = [("contacts", "0004_what_an_import_changed")]
    operations = [migrations.RunSQL(FORGET, KEEP)]
