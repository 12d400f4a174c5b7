from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # CREATE INDEX CONCURRENTLY: the inbox goes on meanwhile

    dependencies = [("messaging", "0010_export_right")]

    operations = [
        AddIndexConcurrently(
            "conversation",
            models.Index(
                "last_mo_at", "id", condition=models.Q(channel="whatsapp"), name="conversation_time_left"
            ),
        ),
        AddIndexConcurrently(
            "conversation",
            models.Index("last_mo_at", "id", condition=models.Q(unread__gt=0), name="conversation_waiting"),
        ),
    ]
