from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('contacts', '0006_columns_chosen_by_hand'),
    ]

    operations = [
        migrations.AddField(
            model_name='contactimport',
            name='files_forgotten_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
