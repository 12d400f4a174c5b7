from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('contacts', '0008_title_above_the_headings'),
    ]

    operations = [
        migrations.AddField(
            model_name='contactimport',
            name='opted_out',
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name='contactimport',
            name='nameless',
            field=models.PositiveIntegerField(default=0),
        ),
    ]
