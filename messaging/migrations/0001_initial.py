
import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import messaging.fields
import messaging.statuses
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('contacts', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Connection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('name', models.CharField(max_length=80, unique=True, verbose_name='name')),
                ('kind', models.CharField(choices=[('bulk360', 'Bulk360'), ('sandbox', 'Sandbox')], default='bulk360', max_length=8)),
                ('base_url', models.CharField(default='https://sms.360.my', max_length=200, validators=[django.core.validators.URLValidator(['http', 'https'])], verbose_name='base URL')),
                ('send_path', models.CharField(default='/gw/bulk360/v3_0/send.php', max_length=120, verbose_name='send path')),
                ('balance_path', models.CharField(default='/api/balance/v3_0/getBalance', max_length=120, verbose_name='balance path')),
                ('app_key', models.CharField(max_length=80, verbose_name='APP_KEY')),
                ('app_secret', messaging.fields.EncryptedTextField(verbose_name='APP_SECRET')),
                ('sender_id', models.CharField(blank=True, max_length=11, verbose_name='SMS sender ID')),
                ('state', models.CharField(choices=[('ok', 'Sending'), ('no_credit', 'Stopped: no credit'), ('credentials', 'Stopped: refused by the provider'), ('suspended', 'Stopped: account suspended'), ('paused', 'Paused'), ('frozen', 'Frozen after a restore')], default='ok', max_length=11)),
                ('state_since', models.DateTimeField(auto_now_add=True)),
                ('rate_per_s', models.PositiveIntegerField(default=50, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(10000)], verbose_name='recipients a second')),
                ('max_in_flight', models.PositiveSmallIntegerField(default=16, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(256)], verbose_name='requests in flight a worker')),
                ('recipients_per_request', models.PositiveSmallIntegerField(default=12, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(12)], verbose_name='recipients a request, at most')),
                ('window_margin_s', models.PositiveIntegerField(default=60, verbose_name='safety margin before a window ends (s)')),
                ('daily_cap', models.PositiveSmallIntegerField(blank=True, null=True, verbose_name='messages a person a day, at most')),
                ('marketing_in_templates', models.BooleanField(default=False, verbose_name='marketing may use templates')),
                ('marketing_needs_opt_in', models.BooleanField(default=False, verbose_name='marketing needs an opt-in')),
                ('literal_last_dn', models.BooleanField(default=False, verbose_name='a late SENT reopens a final status')),
                ('time_zone', models.CharField(default='Asia/Kuala_Lumpur', max_length=64, verbose_name='zone of times without one')),
                ('mo_fields', models.JSONField(blank=True, default=dict, verbose_name="names of an MO's fields")),
                ('allowed_peers', models.JSONField(blank=True, default=list, verbose_name='addresses that may call the hooks')),
                ('balance', models.DecimalField(blank=True, decimal_places=4, max_digits=14, null=True)),
                ('balance_currency', models.CharField(blank=True, max_length=3)),
                ('balance_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'verbose_name': 'connection',
                'ordering': ['name'],
                'permissions': [('resume_connection', 'Can stop and resume a connection')],
            },
        ),
        migrations.CreateModel(
            name='Template',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('name', models.CharField(max_length=120, unique=True, verbose_name='name')),
                ('language', models.CharField(default='en', max_length=16, verbose_name='language')),
                ('purpose', models.CharField(choices=[('service', 'Service'), ('marketing', 'Marketing'), ('authentication', 'Authentication'), ('opt_out_confirmation', 'Opt-out confirmation')], default='service', max_length=24, verbose_name='purpose')),
                ('body', models.TextField(blank=True, max_length=4096, verbose_name='text')),
                ('samples', models.JSONField(blank=True, default=dict)),
                ('editor_ids', django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), default=list, size=None)),
                ('retired_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'verbose_name': 'template',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='Campaign',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('name', models.CharField(max_length=120, verbose_name='name')),
                ('purpose', models.CharField(choices=[('service', 'Service'), ('marketing', 'Marketing'), ('authentication', 'Authentication'), ('opt_out_confirmation', 'Opt-out confirmation')], default='service', max_length=24, verbose_name='purpose')),
                ('session_text', models.TextField(blank=True, max_length=4096, verbose_name='session text')),
                ('sms_text', models.TextField(blank=True, max_length=960, verbose_name='SMS text')),
                ('texts_sha256', models.BinaryField(max_length=32, null=True)),
                ('send_at', models.DateTimeField(blank=True, null=True, verbose_name='send at')),
                ('not_after', models.DateTimeField(blank=True, null=True, verbose_name='not after')),
                ('until_reply', models.BooleanField(default=False, verbose_name='hold session texts until they write')),
                ('quiet_from', models.TimeField(blank=True, null=True, verbose_name='quiet from')),
                ('quiet_to', models.TimeField(blank=True, null=True, verbose_name='quiet to')),
                ('time_zone', models.CharField(default='Asia/Kuala_Lumpur', max_length=64, verbose_name='time zone')),
                ('state', models.CharField(choices=[('draft', 'Draft'), ('in_review', 'In review'), ('approved', 'Approved'), ('scheduled', 'Scheduled'), ('preparing', 'Preparing'), ('running', 'Running'), ('paused', 'Paused'), ('finished', 'Finished'), ('cancelled', 'Cancelled')], default='draft', max_length=9)),
                ('editor_ids', django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), default=list, size=None)),
                ('submitted_at', models.DateTimeField(blank=True, null=True)),
                ('approved_at', models.DateTimeField(blank=True, null=True)),
                ('plan_cursor', models.BigIntegerField(default=0)),
                ('plan_sealed_at', models.DateTimeField(blank=True, null=True)),
                ('plan_hash', models.CharField(blank=True, max_length=64)),
                ('start_cursor', models.BigIntegerField(default=0)),
                ('launched_at', models.DateTimeField(blank=True, null=True)),
                ('finished_at', models.DateTimeField(blank=True, null=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('version', models.PositiveIntegerField(default=0)),
                ('approved_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('launched_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('submitted_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='campaigns', to='messaging.connection')),
            ],
            options={
                'verbose_name': 'campaign',
                'ordering': ['-pk'],
                'permissions': [('approve_campaign', 'Can approve or return campaigns'), ('launch_campaign', 'Can launch, pause, resume and cancel campaigns')],
            },
        ),
        migrations.CreateModel(
            name='ConnectionPace',
            fields=[
                ('connection', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='pace', serialize=False, to='messaging.connection')),
                ('next_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Conversation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('channel', models.CharField(choices=[('whatsapp', 'whatsapp'), ('sms', 'sms')], max_length=8)),
                ('last_mo_at', models.DateTimeField(blank=True, null=True)),
                ('last_message_at', models.DateTimeField()),
                ('unread', models.PositiveIntegerField(default=0)),
                ('asks_to_stop', models.BooleanField(default=False)),
                ('version', models.PositiveIntegerField(default=0)),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='conversations', to='messaging.connection')),
                ('contact', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='conversations', to='contacts.contact')),
                ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'conversation',
                'permissions': [('reply_conversation', 'Can answer people')],
            },
        ),
        migrations.CreateModel(
            name='ConversationEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('note', 'Note'), ('assigned', 'Assigned'), ('opted_out', 'Opted out'), ('opted_in', 'Opted in'), ('number_bad', 'Number marked bad'), ('number_ok', 'Number works again')], max_length=10)),
                ('text', models.TextField(blank=True)),
                ('at', models.DateTimeField()),
                ('actor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('contact', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='conversation_events', to='contacts.contact')),
                ('conversation', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='messaging.conversation')),
            ],
            options={
                'verbose_name': 'conversation event',
            },
        ),
        migrations.CreateModel(
            name='HookToken',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.BinaryField(max_length=32, unique=True)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('revoked_at', models.DateTimeField(blank=True, null=True)),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='hook_tokens', to='messaging.connection')),
            ],
        ),
        migrations.CreateModel(
            name='InboundRaw',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('dn', 'Delivery notification'), ('mo', 'Incoming message')], max_length=2)),
                ('method', models.CharField(max_length=4)),
                ('query', models.BinaryField(default=b'')),
                ('content_type', models.CharField(blank=True, max_length=200)),
                ('body', models.BinaryField(default=b'')),
                ('truncated', models.BooleanField(default=False)),
                ('peer', models.GenericIPAddressField(null=True)),
                ('received_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('digested_at', models.DateTimeField(blank=True, null=True)),
                ('problem', models.CharField(blank=True, max_length=200)),
                ('connection', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='inbound', to='messaging.connection')),
            ],
            options={
                'verbose_name': 'received call',
            },
        ),
        migrations.CreateModel(
            name='Incident',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('no_credit', 'The account has no credit'), ('credentials', 'The provider refuses our key or address'), ('suspended', 'The provider suspended the account'), ('frozen', 'A backup was restored'), ('misdirected', "What answers there is not the provider's send script"), ('text_changed', 'A text is not the approved one'), ('stuck', 'Messages keep breaking their worker')], max_length=12)),
                ('code', models.CharField(blank=True, max_length=16)),
                ('detail', models.TextField(blank=True)),
                ('opened_at', models.DateTimeField()),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('campaign', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='incidents', to='messaging.campaign')),
                ('closed_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='incidents', to='messaging.connection')),
            ],
            options={
                'verbose_name': 'incident',
                'ordering': ['-opened_at'],
            },
        ),
        migrations.CreateModel(
            name='Message',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('direction', models.CharField(choices=[('mt', 'to a person'), ('mo', 'from a person')], default='mt', max_length=2)),
                ('purpose', models.CharField(choices=[('service', 'Service'), ('marketing', 'Marketing'), ('authentication', 'Authentication'), ('opt_out_confirmation', 'Opt-out confirmation')], default='service', max_length=24)),
                ('body', models.TextField(blank=True)),
                ('variables', models.JSONField(blank=True, default=dict)),
                ('reference', models.CharField(blank=True, max_length=120)),
                ('channel', models.CharField(blank=True, choices=[('whatsapp', 'whatsapp'), ('sms', 'sms')], max_length=8)),
                ('planned_lane', models.CharField(blank=True, choices=[('session', 'session'), ('template', 'template'), ('sms', 'sms'), ('held', 'held'), ('skipped', 'skipped'), ('expired', 'expired')], max_length=8)),
                ('planned_reason', models.CharField(blank=True, max_length=64)),
                ('lane', models.CharField(blank=True, choices=[('session', 'session'), ('template', 'template'), ('sms', 'sms'), ('held', 'held'), ('skipped', 'skipped'), ('expired', 'expired')], max_length=8)),
                ('reason', models.CharField(blank=True, max_length=64)),
                ('facts', models.JSONField(blank=True, null=True)),
                ('parts', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('send_state', models.CharField(choices=[('planned', 'planned'), ('queued', 'queued'), ('claimed', 'claimed'), ('sending', 'sending'), ('accepted', 'accepted'), ('refused', 'refused'), ('unknown', 'unknown'), ('held', 'held'), ('skipped', 'skipped'), ('cancelled', 'cancelled'), ('expired', 'expired'), ('stuck', 'stuck')], default=messaging.statuses.SendState['PLANNED'], max_length=9)),
                ('delivery_state', models.CharField(choices=[('none', 'none'), ('sent', 'sent'), ('delivered', 'delivered'), ('undelivered', 'undelivered')], default=messaging.statuses.DeliveryState['NONE'], max_length=11)),
                ('due_at', models.DateTimeField(blank=True, null=True)),
                ('not_after', models.DateTimeField(blank=True, null=True)),
                ('until_reply', models.BooleanField(default=False)),
                ('held_for', models.CharField(blank=True, choices=[('quiet_hours', 'quiet hours'), ('until_reply', 'until they write')], max_length=11)),
                ('held_until', models.DateTimeField(blank=True, null=True)),
                ('claim_token', models.UUIDField(editable=False, null=True)),
                ('lease_until', models.DateTimeField(editable=False, null=True)),
                ('claims_lost', models.PositiveSmallIntegerField(default=0)),
                ('tries', models.PositiveSmallIntegerField(default=0)),
                ('alone', models.BooleanField(default=False)),
                ('final_received_at', models.DateTimeField(editable=False, null=True)),
                ('final_notice', models.BigIntegerField(editable=False, null=True)),
                ('error_code', models.CharField(blank=True, max_length=16)),
                ('provider_id', models.CharField(blank=True, max_length=80)),
                ('provider_at', models.DateTimeField(blank=True, null=True)),
                ('media', models.JSONField(blank=True, null=True)),
                ('repeated', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('timeline_at', models.DateTimeField()),
                ('accepted_at', models.DateTimeField(blank=True, null=True)),
                ('final_at', models.DateTimeField(blank=True, null=True)),
                ('answers', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='messaging.message')),
                ('author', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('campaign', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='messages', to='messaging.campaign')),
                ('connection', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='messages', to='messaging.connection')),
                ('contact', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='messages', to='contacts.contact')),
                ('fallback_of', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='messaging.message')),
                ('raw', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='messaging.inboundraw')),
                ('test_of', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='test_sends', to='messaging.campaign')),
            ],
            options={
                'verbose_name': 'message',
                'permissions': [('judge_message', 'Can decide what became of an unknown message')],
            },
        ),
        migrations.CreateModel(
            name='ProviderRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('token', models.UUIDField()),
                ('channel', models.CharField(max_length=8)),
                ('lane', models.CharField(max_length=8)),
                ('text', models.TextField()),
                ('started_at', models.DateTimeField()),
                ('deadline', models.DateTimeField()),
                ('outcome', models.CharField(choices=[('in_flight', 'waiting for the answer'), ('accepted', 'accepted by the provider'), ('refused', 'refused by the provider'), ('not_sent', 'certainly not sent'), ('unknown', 'nobody knows')], default='in_flight', max_length=9)),
                ('resolved_by', models.CharField(blank=True, choices=[('response', "the provider's answer"), ('lease', 'its time ran out'), ('dn', 'a delivery notification'), ('person', 'a person')], max_length=8)),
                ('answered_at', models.DateTimeField(blank=True, null=True)),
                ('http_status', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('code', models.CharField(blank=True, max_length=16)),
                ('desc', models.CharField(blank=True, max_length=300)),
                ('error', models.CharField(blank=True, max_length=200)),
                ('ref', models.CharField(blank=True, max_length=64)),
                ('connection', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='requests', to='messaging.connection')),
            ],
            options={
                'verbose_name': 'request to the provider',
                'verbose_name_plural': 'requests to the provider',
            },
        ),
        migrations.CreateModel(
            name='RequestRecipient',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('position', models.PositiveSmallIntegerField()),
                ('address_hmac', models.BinaryField(max_length=32)),
                ('outcome', models.CharField(choices=[('in_flight', 'waiting for the answer'), ('accepted', 'accepted by the provider'), ('refused', 'refused by the provider'), ('not_sent', 'certainly not sent'), ('unknown', 'nobody knows')], default='in_flight', max_length=9)),
                ('resolved_by', models.CharField(blank=True, choices=[('response', "the provider's answer"), ('lease', 'its time ran out'), ('dn', 'a delivery notification'), ('person', 'a person')], max_length=8)),
                ('resolved_at', models.DateTimeField(blank=True, null=True)),
                ('superseded_at', models.DateTimeField(blank=True, null=True)),
                ('judge', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('message', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='attempts', to='messaging.message')),
                ('request', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='recipients', to='messaging.providerrequest')),
            ],
            options={
                'verbose_name': 'recipient of a request',
            },
        ),
        migrations.CreateModel(
            name='DeliveryNotice',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('received_at', models.DateTimeField()),
                ('status', models.CharField(max_length=32)),
                ('error_code', models.CharField(blank=True, max_length=16)),
                ('msisdn', models.CharField(blank=True, max_length=32)),
                ('address_hmac', models.BinaryField(max_length=32, null=True)),
                ('msgid', models.CharField(blank=True, max_length=120)),
                ('state', models.CharField(choices=[('parked', 'Waiting for its request'), ('applied', 'Applied'), ('history', 'Kept as history')], default='parked', max_length=7)),
                ('flag', models.CharField(blank=True, max_length=64)),
                ('connection', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='notices', to='messaging.connection')),
                ('raw', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='notices', to='messaging.inboundraw')),
                ('recipient', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='notices', to='messaging.requestrecipient')),
            ],
            options={
                'verbose_name': 'delivery notification',
            },
        ),
        migrations.CreateModel(
            name='TemplateVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('number', models.PositiveIntegerField()),
                ('language', models.CharField(max_length=16)),
                ('purpose', models.CharField(choices=[('service', 'Service'), ('marketing', 'Marketing'), ('authentication', 'Authentication'), ('opt_out_confirmation', 'Opt-out confirmation')], max_length=24)),
                ('body', models.TextField()),
                ('samples', models.JSONField(default=dict)),
                ('sha256', models.BinaryField(max_length=32)),
                ('state', models.CharField(choices=[('in_review', 'In review'), ('approved', 'Approved'), ('returned', 'Returned'), ('retired', 'Retired')], default='in_review', max_length=9)),
                ('editor_ids', django.contrib.postgres.fields.ArrayField(base_field=models.IntegerField(), size=None)),
                ('submitted_at', models.DateTimeField()),
                ('decided_at', models.DateTimeField(blank=True, null=True)),
                ('approved_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('submitted_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('template', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='versions', to='messaging.template')),
            ],
            options={
                'verbose_name': 'template version',
                'ordering': ['template', '-number'],
                'permissions': [('approve_templateversion', 'Can approve or return template versions')],
            },
        ),
        migrations.CreateModel(
            name='TemplateReview',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('decision', models.CharField(choices=[('approved', 'Approved'), ('returned', 'Returned')], max_length=8)),
                ('reason', models.TextField(blank=True)),
                ('at', models.DateTimeField()),
                ('reviewer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reviews', to='messaging.templateversion')),
            ],
            options={
                'ordering': ['at'],
            },
        ),
        migrations.CreateModel(
            name='ProviderApproval',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('pending', 'Not confirmed yet'), ('approved', 'Approved'), ('doubted', 'Doubted: the provider refused it')], default='pending', max_length=8)),
                ('evidence', models.TextField(blank=True)),
                ('at', models.DateTimeField()),
                ('connection', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='template_approvals', to='messaging.connection')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='provider_approvals', to='messaging.templateversion')),
            ],
        ),
        migrations.AddField(
            model_name='message',
            name='template_version',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='messages', to='messaging.templateversion'),
        ),
        migrations.AddField(
            model_name='campaign',
            name='template_version',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='campaigns', to='messaging.templateversion'),
        ),
        migrations.CreateModel(
            name='AuditEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('act', models.CharField(max_length=64)),
                ('subject_type', models.CharField(max_length=32)),
                ('subject_id', models.BigIntegerField()),
                ('detail', models.JSONField(default=dict)),
                ('at', models.DateTimeField()),
                ('actor', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'audit event',
                'indexes': [models.Index(models.F('subject_type'), models.F('subject_id'), models.F('at'), name='audit_by_subject')],
            },
        ),
        migrations.CreateModel(
            name='AudienceRemoval',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(choices=[('duplicate', 'Already in another list'), ('excluded', 'In an excluded list')], max_length=12)),
                ('because_of', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='contacts.contactlist')),
                ('contact', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='contacts.contact')),
                ('contact_list', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='contacts.contactlist')),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='removals', to='messaging.campaign')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('campaign', 'contact', 'contact_list'), name='audience_removal_once')],
            },
        ),
        migrations.CreateModel(
            name='CampaignAudience',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('excluded', models.BooleanField(default=False)),
                ('campaign', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='audience', to='messaging.campaign')),
                ('contact_list', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='contacts.contactlist')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('campaign', 'contact_list'), name='campaign_audience_once')],
            },
        ),
        migrations.AddIndex(
            model_name='conversation',
            index=models.Index(models.OrderBy(models.F('last_message_at'), descending=True), models.OrderBy(models.F('id'), descending=True), name='conversation_newest'),
        ),
        migrations.AddIndex(
            model_name='conversation',
            index=models.Index(models.F('connection'), models.F('channel'), models.F('last_mo_at'), name='conversation_window'),
        ),
        migrations.AddIndex(
            model_name='conversation',
            index=models.Index(models.OrderBy(models.F('last_message_at'), descending=True), models.OrderBy(models.F('id'), descending=True), condition=models.Q(('unread__gt', 0)), name='conversation_unread'),
        ),
        migrations.AddIndex(
            model_name='conversation',
            index=models.Index(models.OrderBy(models.F('last_message_at'), descending=True), models.OrderBy(models.F('id'), descending=True), condition=models.Q(('asks_to_stop', True)), name='conversation_asking'),
        ),
        migrations.AddConstraint(
            model_name='conversation',
            constraint=models.UniqueConstraint(fields=('contact', 'connection', 'channel'), name='conversation_once'),
        ),
        migrations.AddIndex(
            model_name='conversationevent',
            index=models.Index(models.F('contact'), models.OrderBy(models.F('at'), descending=True), name='conversation_event_timeline'),
        ),
        migrations.AddIndex(
            model_name='inboundraw',
            index=models.Index(models.F('connection'), models.F('kind'), models.F('received_at'), models.F('id'), condition=models.Q(('digested_at', None)), name='inbound_waiting'),
        ),
        migrations.AddConstraint(
            model_name='incident',
            constraint=models.UniqueConstraint(condition=models.Q(('closed_at', None)), fields=('connection', 'campaign', 'kind'), name='incident_open_once', nulls_distinct=False),
        ),
        migrations.AddIndex(
            model_name='providerrequest',
            index=models.Index(models.F('connection'), models.F('ref'), condition=models.Q(('ref', ''), _negated=True), name='request_by_ref'),
        ),
        migrations.AddIndex(
            model_name='providerrequest',
            index=models.Index(models.F('deadline'), condition=models.Q(('outcome', 'in_flight')), name='request_in_flight'),
        ),
        migrations.AddIndex(
            model_name='requestrecipient',
            index=models.Index(models.F('address_hmac'), condition=models.Q(('outcome', 'unknown')), name='recipient_unknown'),
        ),
        migrations.AddIndex(
            model_name='requestrecipient',
            index=models.Index(models.F('resolved_by'), condition=models.Q(('resolved_by', 'dn')), name='recipient_settled'),
        ),
        migrations.AddConstraint(
            model_name='requestrecipient',
            constraint=models.UniqueConstraint(condition=models.Q(('outcome__in', ['in_flight', 'accepted', 'unknown']), ('superseded_at__isnull', True)), fields=('message',), name='recipient_one_live_request'),
        ),
        migrations.AddConstraint(
            model_name='requestrecipient',
            constraint=models.UniqueConstraint(fields=('request', 'position'), name='recipient_position_once'),
        ),
        migrations.AddConstraint(
            model_name='requestrecipient',
            constraint=models.UniqueConstraint(fields=('request', 'address_hmac'), name='recipient_address_once'),
        ),
        migrations.AddIndex(
            model_name='deliverynotice',
            index=models.Index(models.F('connection'), models.F('received_at'), condition=models.Q(('state', 'parked')), name='notice_parked'),
        ),
        migrations.AddIndex(
            model_name='deliverynotice',
            index=models.Index(models.F('connection'), models.F('received_at'), condition=models.Q(('error_code', '553')), name='notice_no_credit'),
        ),
        migrations.AddConstraint(
            model_name='templateversion',
            constraint=models.UniqueConstraint(fields=('template', 'number'), name='template_version_number_once'),
        ),
        migrations.AddConstraint(
            model_name='templateversion',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'in_review')), fields=('template',), name='template_one_version_in_review'),
        ),
        migrations.AddConstraint(
            model_name='templateversion',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['approved', 'retired']), _negated=True), ('approved_by__isnull', False), _connector='OR'), name='template_version_approved_by_somebody'),
        ),
        migrations.AddConstraint(
            model_name='templateversion',
            constraint=models.CheckConstraint(condition=models.Q(('approved_by__isnull', True), models.Q(('approved_by', models.F('submitted_by')), _negated=True), _connector='OR'), name='template_version_not_approved_by_submitter'),
        ),
        migrations.AddConstraint(
            model_name='templatereview',
            constraint=models.CheckConstraint(condition=models.Q(('decision', 'approved'), models.Q(('reason', ''), _negated=True), _connector='OR'), name='template_review_return_has_a_reason'),
        ),
        migrations.AddConstraint(
            model_name='providerapproval',
            constraint=models.UniqueConstraint(fields=('version', 'connection'), name='provider_approval_once'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(models.F('connection'), models.F('campaign'), models.F('id'), condition=models.Q(('send_state', 'queued')), name='message_queued'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(models.F('contact'), models.OrderBy(models.F('timeline_at'), descending=True), models.OrderBy(models.F('id'), descending=True), name='message_timeline'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(models.F('lease_until'), condition=models.Q(('send_state__in', ['claimed', 'sending'])), name='message_leased'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(models.F('held_for'), models.F('held_until'), condition=models.Q(('send_state', 'held')), name='message_held'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(models.F('contact'), condition=models.Q(('send_state', 'held')), name='message_held_by_contact'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(models.F('not_after'), condition=models.Q(('send_state__in', ['queued', 'held'])), name='message_expiring'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(models.F('connection'), models.F('id'), condition=models.Q(('send_state__in', ['unknown', 'stuck'])), name='message_undecided'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(models.F('campaign'), models.F('send_state'), models.F('delivery_state'), models.F('planned_lane'), models.F('lane'), models.F('planned_reason'), models.F('fallback_of'), models.F('test_of'), condition=models.Q(('campaign__isnull', False)), name='message_sums'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(models.F('campaign'), models.F('accepted_at'), condition=models.Q(('accepted_at__isnull', False), ('campaign__isnull', False)), name='message_pace'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(models.F('reference'), condition=models.Q(('reference', ''), _negated=True), name='message_reference'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(models.F('timeline_at'), condition=models.Q(('author__isnull', False), models.Q(('send_state__in', ['refused', 'skipped', 'expired', 'stuck', 'unknown']), ('delivery_state', messaging.statuses.DeliveryState['UNDELIVERED']), _connector='OR')), name='message_failed_reply'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(models.F('answers'), condition=models.Q(('answers__isnull', False)), name='message_answers'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(models.F('raw'), condition=models.Q(('raw__isnull', False)), name='message_raw'),
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.UniqueConstraint(condition=models.Q(('campaign__isnull', False), ('fallback_of__isnull', True)), fields=('campaign', 'contact'), name='message_once_per_campaign'),
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.UniqueConstraint(condition=models.Q(('fallback_of__isnull', False)), fields=('fallback_of',), name='message_one_fallback'),
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('send_state__in', ['claimed', 'sending']), _negated=True), models.Q(('claim_token__isnull', False), ('lease_until__isnull', False)), _connector='OR'), name='message_claim_has_token_and_lease'),
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('send_state', 'held'), _negated=True), models.Q(('held_for', ''), _negated=True), _connector='OR'), name='message_held_says_what_for'),
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('send_state', 'skipped'), _negated=True), models.Q(('reason', ''), _negated=True), _connector='OR'), name='message_skipped_says_why'),
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('send_state__in', ['sending', 'accepted', 'unknown']), _negated=True), ('direction', 'mo'), ('lane__in', ['session', 'template', 'sms']), _connector='OR'), name='message_sent_has_lane'),
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('direction', 'mo'), _negated=True), models.Q(('campaign__isnull', True), ('lane', ''), ('send_state', 'accepted')), _connector='OR'), name='message_mo_is_no_mt'),
        ),
        migrations.AddIndex(
            model_name='campaign',
            index=models.Index(fields=['connection', 'state'], name='campaign_by_connection'),
        ),
        migrations.AddConstraint(
            model_name='campaign',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'cancelled']), models.Q(('submitted_at__isnull', False), ('submitted_by__isnull', False), ('texts_sha256__isnull', False)), _connector='OR'), name='campaign_submitted_by_somebody'),
        ),
        migrations.AddConstraint(
            model_name='campaign',
            constraint=models.CheckConstraint(condition=models.Q(('state__in', ['draft', 'in_review', 'cancelled']), ('approved_by__isnull', False), _connector='OR'), name='campaign_approved_by_somebody'),
        ),
        migrations.AddConstraint(
            model_name='campaign',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('state__in', ['draft', 'in_review']), _negated=True), ('approved_by__isnull', True), _connector='OR'), name='campaign_approval_ends_with_draft'),
        ),
        migrations.AddConstraint(
            model_name='campaign',
            constraint=models.CheckConstraint(condition=models.Q(('approved_by__isnull', True), models.Q(('submitted_by__isnull', False), models.Q(('approved_by', models.F('submitted_by')), _negated=True)), _connector='OR'), name='campaign_not_approved_by_submitter'),
        ),
        migrations.AddConstraint(
            model_name='campaign',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('quiet_from__isnull', True), ('quiet_to__isnull', True)), models.Q(('quiet_from__isnull', False), ('quiet_to__isnull', False)), _connector='OR'), name='campaign_quiet_hours_come_in_pairs'),
        ),
    ]
