import django.db.models.deletion
from django.db import migrations, models

RETRY_TRIGGER = """
CREATE FUNCTION messaging_campaign_retry_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        RAISE EXCEPTION 'a campaign keeps what it tries again' USING ERRCODE = 'check_violation';
    END IF;
    IF EXISTS (SELECT 1 FROM messaging_campaign WHERE id = NEW.retry_of_id AND retry_of_id IS NOT NULL) THEN
        RAISE EXCEPTION 'a campaign tries the first one again, not a retry' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER campaign_retry_guard BEFORE INSERT ON messaging_campaign
    FOR EACH ROW WHEN (NEW.retry_of_id IS NOT NULL) EXECUTE FUNCTION messaging_campaign_retry_guard();
CREATE TRIGGER campaign_keeps_its_first_try BEFORE UPDATE OF retry_of_id ON messaging_campaign
    FOR EACH ROW WHEN (NEW.retry_of_id IS DISTINCT FROM OLD.retry_of_id)
    EXECUTE FUNCTION messaging_campaign_retry_guard();
"""
RETRY_TRIGGER_REVERSE = """
DROP TRIGGER campaign_keeps_its_first_try ON messaging_campaign;
DROP TRIGGER campaign_retry_guard ON messaging_campaign;
DROP FUNCTION messaging_campaign_retry_guard();
"""


class Migration(migrations.Migration):
    dependencies = [("messaging", "0017_names_of_rows")]

    operations = [
        migrations.AddField(
            model_name="campaign",
            name="retry_of",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="retries",
                to="messaging.campaign",
            ),
        ),
        migrations.RunSQL(RETRY_TRIGGER, RETRY_TRIGGER_REVERSE),
    ]
