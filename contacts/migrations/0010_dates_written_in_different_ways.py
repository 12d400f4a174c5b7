from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('contacts', '0009_opted_out_or_without_a_name'),
    ]

    operations = [
        migrations.AddField(
            model_name='contactimport',
            name='mixed_dates',
            field=models.JSONField(blank=True, default=list),
        ),
    ]
