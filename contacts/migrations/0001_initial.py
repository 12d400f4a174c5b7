
import contacts.models.contact
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.db.models.functions.text
import uuid
from django.conf import settings
from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        TrigramExtension(),
        migrations.CreateModel(
            name='ContactList',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('name', models.CharField(max_length=120, unique=True, verbose_name='name')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'verbose_name': 'list',
                'verbose_name_plural': 'lists',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='Contact',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('msisdn', models.CharField(blank=True, max_length=15, null=True, unique=True, verbose_name='number')),
                ('wa_id', models.CharField(blank=True, max_length=64, null=True, unique=True, verbose_name='WhatsApp user id')),
                ('address_hmac', contacts.models.contact.AddressHmacField(max_length=32, null=True, unique=True)),
                ('name', models.CharField(blank=True, max_length=200, verbose_name='name')),
                ('language', models.CharField(blank=True, max_length=16, verbose_name='language')),
                ('fields', models.JSONField(blank=True, default=dict)),
                ('whatsapp_bad_at', models.DateTimeField(blank=True, null=True)),
                ('whatsapp_bad_notice', models.BigIntegerField(blank=True, null=True)),
                ('sms_bad_at', models.DateTimeField(blank=True, null=True)),
                ('sms_bad_notice', models.BigIntegerField(blank=True, null=True)),
                ('erased_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'verbose_name': 'person',
                'verbose_name_plural': 'people',
                'permissions': [('opt_out_contact', 'Can opt people out and in')],
                'indexes': [django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.indexes.OpClass(django.db.models.functions.text.Upper('name'), 'gin_trgm_ops'), name='contact_name_trgm'), django.contrib.postgres.indexes.GinIndex(django.contrib.postgres.indexes.OpClass('msisdn', 'gin_trgm_ops'), name='contact_msisdn_trgm'), models.Index(models.F('id'), condition=models.Q(('whatsapp_bad_at__isnull', False), ('sms_bad_at__isnull', False), _connector='OR'), name='contact_number_bad')],
                'constraints': [models.CheckConstraint(condition=models.Q(('msisdn__isnull', False), ('wa_id__isnull', False), ('erased_at__isnull', False), _connector='OR'), name='contact_has_an_address'), models.CheckConstraint(condition=models.Q(('erased_at__isnull', False), ('address_hmac__isnull', False), _connector='OR'), name='contact_address_has_its_hmac'), models.CheckConstraint(condition=models.Q(('msisdn__isnull', True), ('msisdn__regex', '^[1-9][0-9]{6,14}$'), _connector='OR'), name='contact_msisdn_is_e164_digits')],
            },
        ),
        migrations.CreateModel(
            name='ConsentEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address_hmac', models.BinaryField(max_length=32)),
                ('channel', models.CharField(max_length=10)),
                ('purpose', models.CharField(max_length=24)),
                ('direction', models.CharField(choices=[('in', 'Agreed'), ('out', 'Opted out')], max_length=3)),
                ('source', models.CharField(choices=[('person', "The person's own message"), ('notice', 'A delivery notification'), ('staff', 'A member of staff'), ('import', 'An import'), ('api', 'Another system')], max_length=8)),
                ('words', models.TextField(blank=True)),
                ('at', models.DateTimeField()),
                ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('contact', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='consent_events', to='contacts.contact')),
            ],
            options={
                'verbose_name': 'consent event',
                'ordering': ['at', 'pk'],
            },
        ),
        migrations.CreateModel(
            name='ContactField',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=32, unique=True)),
                ('label', models.CharField(max_length=200)),
                ('type', models.CharField(choices=[('text', 'Text'), ('number', 'Number'), ('date', 'Date')], default='text', max_length=8)),
            ],
            options={
                'verbose_name': 'field',
                'verbose_name_plural': 'fields',
                'ordering': ['key'],
                'constraints': [models.CheckConstraint(condition=models.Q(('key__regex', '^[a-z][a-z0-9_]{0,31}$'), models.Q(('key__in', ['name', 'msisdn']), _negated=True)), name='contact_field_key_is_a_placeholder')],
            },
        ),
        migrations.CreateModel(
            name='ContactImport',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('file', models.FileField(upload_to='imports/')),
                ('file_name', models.CharField(max_length=200)),
                ('state', models.CharField(choices=[('uploaded', 'Waiting'), ('running', 'Running'), ('done', 'Done'), ('failed', 'Failed')], default='uploaded', max_length=8)),
                ('mapping', models.JSONField(blank=True, default=dict)),
                ('encoding', models.CharField(blank=True, max_length=16)),
                ('rows', models.PositiveIntegerField(default=0)),
                ('created', models.PositiveIntegerField(default=0)),
                ('updated', models.PositiveIntegerField(default=0)),
                ('duplicate', models.PositiveIntegerField(default=0)),
                ('bad', models.PositiveIntegerField(default=0)),
                ('bad_rows', models.FileField(blank=True, upload_to='imports/')),
                ('position', models.CharField(blank=True, max_length=15)),
                ('error', models.TextField(blank=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('started_at', models.DateTimeField(blank=True, null=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('contact_list', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to='contacts.contactlist')),
            ],
            options={
                'verbose_name': 'import',
                'ordering': ['-pk'],
            },
        ),
        migrations.CreateModel(
            name='ListMembership',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('added_at', models.DateTimeField(auto_now_add=True)),
                ('contact', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='contacts.contact')),
                ('contact_list', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, to='contacts.contactlist')),
            ],
        ),
        migrations.AddField(
            model_name='contactlist',
            name='members',
            field=models.ManyToManyField(related_name='lists', through='contacts.ListMembership', to='contacts.contact'),
        ),
        migrations.CreateModel(
            name='Suppression',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('address_hmac', models.BinaryField(max_length=32)),
                ('channel', models.CharField(default='all', max_length=10)),
                ('purpose', models.CharField(default='all', max_length=24)),
                ('source', models.CharField(choices=[('person', "The person's own message"), ('notice', 'A delivery notification'), ('staff', 'A member of staff'), ('import', 'An import'), ('api', 'Another system')], max_length=8)),
                ('since', models.DateTimeField()),
                ('event', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='contacts.consentevent')),
            ],
            options={
                'verbose_name': 'suppression',
            },
        ),
        migrations.AddIndex(
            model_name='consentevent',
            index=models.Index(fields=['contact', 'at'], name='consent_by_contact'),
        ),
        migrations.AddConstraint(
            model_name='listmembership',
            constraint=models.UniqueConstraint(fields=('contact_list', 'contact'), name='list_membership_once'),
        ),
        migrations.AddConstraint(
            model_name='suppression',
            constraint=models.UniqueConstraint(fields=('address_hmac', 'channel', 'purpose'), name='suppression_once_per_scope'),
        ),
    ]
