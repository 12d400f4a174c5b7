from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('contacts', '0007_files_forgotten_at'),
    ]

    operations = [
        migrations.AddField(
            model_name='contactimport',
            name='title',
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name='contactimport',
            name='title_lines',
            field=models.PositiveIntegerField(default=0),
        ),
    ]
