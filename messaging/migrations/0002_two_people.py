"""Who writes a text cannot approve it, whatever door they come through: plain SQL included."""

from django.db import migrations

VERSION_CHECKS = """
ALTER TABLE messaging_templateversion
    ADD CONSTRAINT template_version_not_approved_by_editor CHECK (approved_by_id <> ALL (editor_ids)),
    ADD CONSTRAINT template_version_submitter_is_editor
        CHECK (submitted_by_id = ANY (editor_ids) AND array_position(editor_ids, NULL) IS NULL);
"""
VERSION_CHECKS_REVERSE = """
ALTER TABLE messaging_templateversion
    DROP CONSTRAINT template_version_not_approved_by_editor,
    DROP CONSTRAINT template_version_submitter_is_editor;
"""

CAMPAIGN_CHECKS = """
ALTER TABLE messaging_campaign
    ADD CONSTRAINT campaign_not_approved_by_editor CHECK (approved_by_id <> ALL (editor_ids)),
    ADD CONSTRAINT campaign_submitter_is_editor
        CHECK ((submitted_by_id IS NULL OR submitted_by_id = ANY (editor_ids))
               AND array_position(editor_ids, NULL) IS NULL);
"""
CAMPAIGN_CHECKS_REVERSE = """
ALTER TABLE messaging_campaign
    DROP CONSTRAINT campaign_not_approved_by_editor,
    DROP CONSTRAINT campaign_submitter_is_editor;
"""

VERSION_TRIGGER = """
CREATE FUNCTION messaging_template_version_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'in_review' OR NEW.approved_by_id IS NOT NULL THEN
            RAISE EXCEPTION 'a template version begins in review' USING ERRCODE = 'check_violation';
        END IF;
        IF NOT NEW.editor_ids @> (SELECT editor_ids FROM messaging_template WHERE id = NEW.template_id) THEN
            RAISE EXCEPTION 'a template version names everyone who wrote the draft' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF (NEW.id, NEW.template_id, NEW.number, NEW.language, NEW.purpose, NEW.body, NEW.samples, NEW.sha256,
        NEW.editor_ids, NEW.submitted_by_id, NEW.submitted_at)
       IS DISTINCT FROM
       (OLD.id, OLD.template_id, OLD.number, OLD.language, OLD.purpose, OLD.body, OLD.samples, OLD.sha256,
        OLD.editor_ids, OLD.submitted_by_id, OLD.submitted_at) THEN
        RAISE EXCEPTION 'a submitted template version never changes' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state || ' ' || NEW.state) <> ALL (
        ARRAY['in_review approved', 'in_review returned', 'approved retired']) THEN
        RAISE EXCEPTION 'a template version cannot go from % to %', OLD.state, NEW.state
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.approved_by_id IS DISTINCT FROM OLD.approved_by_id
       AND NOT (OLD.state = 'in_review' AND NEW.state = 'approved') THEN
        RAISE EXCEPTION 'only approving a version names its approver' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER template_version_guard BEFORE INSERT OR UPDATE ON messaging_templateversion
    FOR EACH ROW EXECUTE FUNCTION messaging_template_version_guard();
"""
VERSION_TRIGGER_REVERSE = """
DROP TRIGGER template_version_guard ON messaging_templateversion;
DROP FUNCTION messaging_template_version_guard();
"""

TEMPLATE_TRIGGER = """
CREATE FUNCTION messaging_template_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.id <> OLD.id THEN
        RAISE EXCEPTION 'a template keeps its id' USING ERRCODE = 'check_violation';
    END IF;
    IF NOT NEW.editor_ids @> OLD.editor_ids THEN
        RAISE EXCEPTION 'the writers of a draft are never taken away' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER template_guard BEFORE UPDATE ON messaging_template
    FOR EACH ROW EXECUTE FUNCTION messaging_template_guard();
"""
TEMPLATE_TRIGGER_REVERSE = """
DROP TRIGGER template_guard ON messaging_template;
DROP FUNCTION messaging_template_guard();
"""

CAMPAIGN_TRIGGER = """
CREATE FUNCTION messaging_campaign_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'draft' THEN
            RAISE EXCEPTION 'a campaign begins as a draft' USING ERRCODE = 'check_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF NEW.id <> OLD.id THEN
        RAISE EXCEPTION 'a campaign keeps its id' USING ERRCODE = 'check_violation';
    END IF;
    IF NOT NEW.editor_ids @> OLD.editor_ids THEN
        RAISE EXCEPTION 'the writers of a campaign are never taken away' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.state <> OLD.state AND (OLD.state || ' ' || NEW.state) <> ALL (ARRAY[
        'draft in_review', 'in_review draft', 'approved draft', 'scheduled draft',
        'in_review approved', 'approved scheduled', 'approved preparing', 'scheduled preparing',
        'preparing running', 'preparing paused', 'running paused', 'paused running', 'paused preparing',
        'running finished', 'paused finished', 'finished running',
        'draft cancelled', 'in_review cancelled', 'approved cancelled', 'scheduled cancelled',
        'preparing cancelled', 'running cancelled', 'paused cancelled']) THEN
        RAISE EXCEPTION 'a campaign cannot go from % to %', OLD.state, NEW.state USING ERRCODE = 'check_violation';
    END IF;
    IF OLD.state <> 'draft' AND NEW.state <> 'draft' AND
       (NEW.connection_id, NEW.purpose, NEW.session_text, NEW.template_version_id, NEW.sms_text, NEW.texts_sha256,
        NEW.send_at, NEW.not_after, NEW.until_reply, NEW.quiet_from, NEW.quiet_to, NEW.time_zone,
        NEW.editor_ids, NEW.submitted_by_id, NEW.submitted_at)
       IS DISTINCT FROM
       (OLD.connection_id, OLD.purpose, OLD.session_text, OLD.template_version_id, OLD.sms_text, OLD.texts_sha256,
        OLD.send_at, OLD.not_after, OLD.until_reply, OLD.quiet_from, OLD.quiet_to, OLD.time_zone,
        OLD.editor_ids, OLD.submitted_by_id, OLD.submitted_at) THEN
        RAISE EXCEPTION 'a campaign changes only as a draft' USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.approved_by_id IS DISTINCT FROM OLD.approved_by_id
       AND NOT (OLD.state = 'in_review' AND NEW.state = 'approved')
       AND NOT (NEW.state = 'draft' AND NEW.approved_by_id IS NULL) THEN
        RAISE EXCEPTION 'only approving a campaign names its approver' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER campaign_guard BEFORE INSERT OR UPDATE ON messaging_campaign
    FOR EACH ROW EXECUTE FUNCTION messaging_campaign_guard();

CREATE FUNCTION messaging_campaign_audience_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM messaging_campaign
               WHERE id IN (NEW.campaign_id, OLD.campaign_id) AND state <> 'draft') THEN
        RAISE EXCEPTION 'a campaign''s audience changes only as a draft' USING ERRCODE = 'check_violation';
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$;
CREATE TRIGGER campaign_audience_guard BEFORE INSERT OR UPDATE OR DELETE ON messaging_campaignaudience
    FOR EACH ROW EXECUTE FUNCTION messaging_campaign_audience_guard();
"""
CAMPAIGN_TRIGGER_REVERSE = """
DROP TRIGGER campaign_audience_guard ON messaging_campaignaudience;
DROP FUNCTION messaging_campaign_audience_guard();
DROP TRIGGER campaign_guard ON messaging_campaign;
DROP FUNCTION messaging_campaign_guard();
"""

MESSAGE_TRIGGER = """
CREATE FUNCTION messaging_message_guard() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM written w JOIN messaging_campaign k ON k.id = w.campaign_id
        WHERE (k.state <> 'in_review' OR k.plan_sealed_at IS NOT NULL) AND NOT EXISTS (
            SELECT 1 FROM messaging_message first WHERE first.id = w.fallback_of_id
               AND first.campaign_id = w.campaign_id AND first.contact_id = w.contact_id)) THEN
        RAISE EXCEPTION 'a campaign takes nobody in once its plan is sealed' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER message_guard AFTER INSERT ON messaging_message REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION messaging_message_guard();

CREATE FUNCTION messaging_message_keeps_its_campaign() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a message keeps its campaign' USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER message_keeps_its_campaign BEFORE UPDATE OF id, campaign_id, fallback_of_id ON messaging_message
    FOR EACH ROW WHEN (
        (NEW.id, NEW.campaign_id, NEW.fallback_of_id) IS DISTINCT FROM (OLD.id, OLD.campaign_id, OLD.fallback_of_id))
    EXECUTE FUNCTION messaging_message_keeps_its_campaign();
"""
MESSAGE_TRIGGER_REVERSE = """
DROP TRIGGER message_keeps_its_campaign ON messaging_message;
DROP FUNCTION messaging_message_keeps_its_campaign();
DROP TRIGGER message_guard ON messaging_message;
DROP FUNCTION messaging_message_guard();
"""


class Migration(migrations.Migration):
    dependencies = [("messaging", "0001_initial")]

    operations = [
        migrations.RunSQL(VERSION_CHECKS, VERSION_CHECKS_REVERSE),
        migrations.RunSQL(CAMPAIGN_CHECKS, CAMPAIGN_CHECKS_REVERSE),
        migrations.RunSQL(VERSION_TRIGGER, VERSION_TRIGGER_REVERSE),
        migrations.RunSQL(TEMPLATE_TRIGGER, TEMPLATE_TRIGGER_REVERSE),
        migrations.RunSQL(CAMPAIGN_TRIGGER, CAMPAIGN_TRIGGER_REVERSE),
        migrations.RunSQL(MESSAGE_TRIGGER, MESSAGE_TRIGGER_REVERSE),
    ]
