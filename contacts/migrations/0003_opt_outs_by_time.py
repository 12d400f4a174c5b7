from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # CREATE INDEX CONCURRENTLY: the ledger goes on meanwhile

    dependencies = [("contacts", "0002_append_only_consent")]

    operations = [
        AddIndexConcurrently(
            "consentevent",
            models.Index("at", "contact", condition=models.Q(direction="out"), name="consent_out"),
        ),
    ]
