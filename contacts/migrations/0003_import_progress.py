from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("contacts", "0002_append_only_consent")]
    operations = [
        migrations.AddField(
            "contactimport", "encoding", models.CharField(blank=True, default="", max_length=16), False
        ),
        migrations.AddField(
            "contactimport", "position", models.CharField(blank=True, default="", max_length=15), False
        ),
        migrations.AddField("contactimport", "rows", models.PositiveIntegerField(default=0)),
    ]
