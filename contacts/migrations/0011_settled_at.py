from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('contacts', '0010_dates_written_in_different_ways'),
    ]

    operations = [
        migrations.AddField(
            model_name='contactimport',
            name='settled_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
