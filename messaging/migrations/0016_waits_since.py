from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Coalesce


class Migration(migrations.Migration):
    atomic = False  # CREATE INDEX CONCURRENTLY: the inbox goes on meanwhile

    dependencies = [("messaging", "0015_ended_clients_hear_nothing")]

    operations = [
        AddIndexConcurrently(
            "conversation",
            models.Index(
                Coalesce("last_mo_at", "last_message_at"),
                "id",
                condition=models.Q(unread__gt=0),
                name="conversation_waits",
            ),
        ),
        RemoveIndexConcurrently("conversation", "conversation_waiting"),
    ]
