import django.db.models.deletion
import django.utils.timezone
import linkadmin.fields
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('integrations', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Link',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('remote_id', models.CharField(max_length=120, verbose_name='id at the provider')),
                ('data_source_id', models.CharField(blank=True, max_length=80, verbose_name='data source id')),
                ('remote_kind', models.CharField(blank=True, max_length=40, verbose_name='kind at the provider')),
                ('access_mode', models.CharField(blank=True, max_length=20, verbose_name='access mode')),
                ('refresh_rate', models.CharField(blank=True, max_length=8, verbose_name='refresh rate')),
                ('storage', models.CharField(blank=True, max_length=10, verbose_name='how long the login is kept')),
                ('stale_in', models.CharField(blank=True, max_length=8, verbose_name='data removed after')),
                ('resources', models.JSONField(blank=True, default=list, verbose_name='what is fetched')),
                ('remote_created_at', models.DateTimeField(blank=True, null=True, verbose_name='created at the provider')),
                ('remote_created_by', models.CharField(blank=True, db_default='', max_length=120, verbose_name='created at the provider by')),
                ('remote_updated_at', models.DateTimeField(blank=True, null=True, verbose_name='changed at the provider')),
                ('remote_end_user_id', models.CharField(blank=True, db_default='', max_length=140, verbose_name='customer ID at the provider')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
                ('disconnected_at', models.DateTimeField(blank=True, null=True, verbose_name='ended')),
                ('health', models.CharField(choices=[('healthy', 'healthy'), ('setting_up', 'setting_up'), ('customer_login', 'customer_login'), ('customer_code', 'customer_code'), ('customer_consent', 'customer_consent'), ('customer_bank', 'customer_bank'), ('waiting', 'waiting'), ('our_setup', 'our_setup'), ('stale', 'stale'), ('disconnected', 'disconnected'), ('unknown', 'unknown')], default='unknown', max_length=20, verbose_name='state')),
                ('cause', models.CharField(choices=[('working', 'working'), ('working_with_error', 'working_with_error'), ('syncing', 'syncing'), ('data_arrived', 'data_arrived'), ('repaired_elsewhere', 'repaired_elsewhere'), ('renew_soon', 'renew_soon'), ('account_withdrawn', 'account_withdrawn'), ('account_added', 'account_added'), ('consent_changed', 'consent_changed'), ('pending', 'pending'), ('first_sync', 'first_sync'), ('data_preparing', 'data_preparing'), ('unconfirmed', 'unconfirmed'), ('login_required', 'login_required'), ('login_refused', 'login_refused'), ('login_unclear', 'login_unclear'), ('password_wrong', 'password_wrong'), ('sign_in_failed', 'sign_in_failed'), ('username_changed', 'username_changed'), ('sign_in_too_slow', 'sign_in_too_slow'), ('code_needed', 'code_needed'), ('code_waiting', 'code_waiting'), ('code_wrong', 'code_wrong'), ('code_too_late', 'code_too_late'), ('code_tries_used', 'code_tries_used'), ('phone_code_wrong', 'phone_code_wrong'), ('phone_number_wrong', 'phone_number_wrong'), ('widget_expired', 'widget_expired'), ('never_confirmed', 'never_confirmed'), ('consent_expired', 'consent_expired'), ('consent_withdrawn', 'consent_withdrawn'), ('consent_ended_by_bank', 'consent_ended_by_bank'), ('consent_left_early', 'consent_left_early'), ('consent_missing', 'consent_missing'), ('consent_unfinished', 'consent_unfinished'), ('consent_without_accounts', 'consent_without_accounts'), ('consent_accounts_lost', 'consent_accounts_lost'), ('portal_consent_expired', 'portal_consent_expired'), ('access_partial', 'access_partial'), ('no_accounts', 'no_accounts'), ('no_payment_accounts', 'no_payment_accounts'), ('manual_step_open', 'manual_step_open'), ('account_locked', 'account_locked'), ('item_locked', 'item_locked'), ('access_forbidden', 'access_forbidden'), ('not_activated', 'not_activated'), ('activation_failed', 'activation_failed'), ('bank_setup_open', 'bank_setup_open'), ('password_reset', 'password_reset'), ('device_not_remembered', 'device_not_remembered'), ('bank_down', 'bank_down'), ('bank_failing', 'bank_failing'), ('bank_trouble', 'bank_trouble'), ('bank_no_data', 'bank_no_data'), ('bank_unreadable', 'bank_unreadable'), ('data_poor', 'data_poor'), ('data_moved', 'data_moved'), ('session_open', 'session_open'), ('code_not_sent', 'code_not_sent'), ('provider_down', 'provider_down'), ('provider_outage', 'provider_outage'), ('provider_trouble', 'provider_trouble'), ('report_failed', 'report_failed'), ('too_many_calls', 'too_many_calls'), ('keys_wrong', 'keys_wrong'), ('upstream_keys_wrong', 'upstream_keys_wrong'), ('feature_missing', 'feature_missing'), ('rights_missing', 'rights_missing'), ('plan_used_up', 'plan_used_up'), ('not_registered', 'not_registered'), ('wrong_id', 'wrong_id'), ('field_missing', 'field_missing'), ('token_outdated', 'token_outdated'), ('product_missing', 'product_missing'), ('product_misfit', 'product_misfit'), ('request_wrong', 'request_wrong'), ('stale', 'stale'), ('switched_off', 'switched_off'), ('gone', 'gone'), ('missing', 'missing'), ('not_found', 'not_found'), ('removed', 'removed'), ('storage_ended', 'storage_ended'), ('permission_revoked', 'permission_revoked'), ('consent_rejected', 'consent_rejected'), ('account_unsupported', 'account_unsupported'), ('bank_dropped', 'bank_dropped'), ('code_unsupported', 'code_unsupported'), ('unrecognized', 'unrecognized'), ('error_unrecognized', 'error_unrecognized'), ('error_unnamed', 'error_unnamed'), ('source_unknown', 'source_unknown'), ('detail_hidden', 'detail_hidden'), ('never_synced', 'never_synced')], default='unrecognized', max_length=40, verbose_name='cause')),
                ('health_since', models.DateTimeField(default=django.utils.timezone.now, verbose_name='since')),
                ('urgency', models.PositiveSmallIntegerField(default=99)),
                ('conflict', models.BooleanField(default=False, verbose_name='provider contradicts itself')),
                ('code_since', models.DateTimeField(blank=True, null=True)),
                ('code_cause', models.CharField(blank=True, db_default='', default='', max_length=40)),
                ('raw_status', models.CharField(blank=True, max_length=60, verbose_name="provider's status")),
                ('raw_code', models.CharField(blank=True, max_length=80, verbose_name="provider's code")),
                ('raw_words', models.CharField(blank=True, max_length=500, verbose_name="provider's words")),
                ('request_id', models.CharField(blank=True, max_length=80, verbose_name="provider's request id")),
                ('renew_by', models.DateField(blank=True, null=True, verbose_name='renew by')),
                ('last_good_at', models.DateTimeField(blank=True, null=True, verbose_name='last good data')),
                ('stale_at', models.DateTimeField(blank=True, null=True)),
                ('last_attempt_at', models.DateTimeField(blank=True, null=True, verbose_name='last attempt')),
                ('refused_at', models.DateTimeField(blank=True, null=True)),
                ('observed_at', models.DateTimeField(blank=True, null=True)),
                ('observed_from', models.CharField(blank=True, db_default='', max_length=8)),
                ('fingerprint', models.BigIntegerField(blank=True, null=True)),
                ('checked_at', models.DateTimeField(blank=True, null=True, verbose_name='last asked')),
                ('checking_since', models.DateTimeField(blank=True, null=True)),
                ('missing_since', models.DateTimeField(blank=True, null=True, verbose_name='missing since')),
                ('check_failed', models.CharField(blank=True, max_length=80, verbose_name='why it could not be asked')),
                ('verifying_since', models.DateTimeField(blank=True, null=True, verbose_name='fixed, proving since')),
            ],
            options={
                'verbose_name': 'link',
                'verbose_name_plural': 'links',
            },
        ),
        migrations.CreateModel(
            name='NoteText',
            fields=[
                ('id', models.UUIDField(primary_key=True, serialize=False)),
                ('text', models.TextField(max_length=2000, verbose_name='note')),
            ],
        ),
        migrations.CreateModel(
            name='EndUser',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('external_id', models.CharField(max_length=140, unique=True, verbose_name='customer id')),
                ('name', linkadmin.fields.NameField(blank=True, max_length=128, verbose_name='name')),
                ('search', linkadmin.fields.FoldedField(blank=True, db_default='', default='', editable=False, of=('name', 'external_id'))),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
            ],
            options={
                'verbose_name': 'end user',
                'verbose_name_plural': 'end users',
                'indexes': [models.Index(fields=['name', 'id'], name='end_user_by_name')],
            },
        ),
        migrations.CreateModel(
            name='Institution',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('remote_id', models.CharField(blank=True, max_length=80)),
                ('name', models.CharField(max_length=120, verbose_name='name at the provider')),
                ('display_name', linkadmin.fields.NameField(max_length=160, verbose_name='name')),
                ('search', linkadmin.fields.FoldedField(blank=True, db_default='', default='', editable=False, of=('display_name', 'name'))),
                ('kind', models.CharField(blank=True, max_length=20, verbose_name='kind')),
                ('country', models.CharField(blank=True, max_length=2, verbose_name='country')),
                ('status', models.CharField(blank=True, max_length=20, verbose_name='status')),
                ('integration_type', models.CharField(blank=True, max_length=20, verbose_name='kind of access')),
                ('logo_url', models.CharField(blank=True, max_length=300, verbose_name='logo')),
                ('website', models.CharField(blank=True, max_length=300, verbose_name='website')),
                ('features', models.JSONField(blank=True, default=list)),
                ('resources', models.JSONField(blank=True, default=list)),
                ('form_fields', models.JSONField(blank=True, default=list)),
                ('read_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='read')),
                ('integration', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='institutions', to='integrations.integration')),
            ],
            options={
                'verbose_name': 'institution',
                'verbose_name_plural': 'institutions',
            },
        ),
        migrations.CreateModel(
            name='DailyCount',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('day', models.DateField(verbose_name='day')),
                ('state', models.CharField(max_length=20, verbose_name='state')),
                ('entered', models.PositiveIntegerField(default=0, verbose_name='came in')),
                ('left', models.PositiveIntegerField(default=0, verbose_name='left')),
                ('institution', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='links.institution')),
                ('integration', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='integrations.integration')),
            ],
            options={
                'verbose_name': 'daily count',
                'verbose_name_plural': 'daily counts',
            },
        ),
        migrations.CreateModel(
            name='CountMove',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('day', models.DateField()),
                ('old', models.CharField(blank=True, max_length=20)),
                ('new', models.CharField(max_length=20)),
                ('links', models.PositiveIntegerField(default=1)),
                ('institution', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='links.institution')),
                ('integration', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='integrations.integration')),
            ],
            options={
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='LinkSearch',
            fields=[
                ('link', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='search', serialize=False, to='links.link')),
                ('text', models.TextField()),
            ],
        ),
        migrations.AddField(
            model_name='link',
            name='end_user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='links', to='links.enduser'),
        ),
        migrations.AddField(
            model_name='link',
            name='institution',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='links', to='links.institution'),
        ),
        migrations.AddField(
            model_name='link',
            name='integration',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='links', to='integrations.integration'),
        ),
        migrations.AddField(
            model_name='link',
            name='assignee',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='assigned_links', to=settings.AUTH_USER_MODEL),
        ),
        migrations.CreateModel(
            name='InstitutionChange',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('at', models.DateTimeField(verbose_name='time')),
                ('new', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='links.institution')),
                ('old', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='links.institution')),
                ('link', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='institution_changes', to='links.link')),
            ],
            options={
                'verbose_name': 'change of institution',
                'verbose_name_plural': 'changes of institution',
            },
        ),
        migrations.CreateModel(
            name='HealthChange',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('at', models.DateTimeField(verbose_name='time')),
                ('source', models.CharField(choices=[('call', 'answer to a call of ours'), ('webhook', 'message of the provider'), ('list', "reading the provider's records"), ('clock', 'time that passed')], max_length=8, verbose_name='source')),
                ('old', models.CharField(blank=True, choices=[('healthy', 'healthy'), ('setting_up', 'setting_up'), ('customer_login', 'customer_login'), ('customer_code', 'customer_code'), ('customer_consent', 'customer_consent'), ('customer_bank', 'customer_bank'), ('waiting', 'waiting'), ('our_setup', 'our_setup'), ('stale', 'stale'), ('disconnected', 'disconnected'), ('unknown', 'unknown')], max_length=20, verbose_name='was')),
                ('new', models.CharField(choices=[('healthy', 'healthy'), ('setting_up', 'setting_up'), ('customer_login', 'customer_login'), ('customer_code', 'customer_code'), ('customer_consent', 'customer_consent'), ('customer_bank', 'customer_bank'), ('waiting', 'waiting'), ('our_setup', 'our_setup'), ('stale', 'stale'), ('disconnected', 'disconnected'), ('unknown', 'unknown')], max_length=20, verbose_name='became')),
                ('cause', models.CharField(choices=[('working', 'working'), ('working_with_error', 'working_with_error'), ('syncing', 'syncing'), ('data_arrived', 'data_arrived'), ('repaired_elsewhere', 'repaired_elsewhere'), ('renew_soon', 'renew_soon'), ('account_withdrawn', 'account_withdrawn'), ('account_added', 'account_added'), ('consent_changed', 'consent_changed'), ('pending', 'pending'), ('first_sync', 'first_sync'), ('data_preparing', 'data_preparing'), ('unconfirmed', 'unconfirmed'), ('login_required', 'login_required'), ('login_refused', 'login_refused'), ('login_unclear', 'login_unclear'), ('password_wrong', 'password_wrong'), ('sign_in_failed', 'sign_in_failed'), ('username_changed', 'username_changed'), ('sign_in_too_slow', 'sign_in_too_slow'), ('code_needed', 'code_needed'), ('code_waiting', 'code_waiting'), ('code_wrong', 'code_wrong'), ('code_too_late', 'code_too_late'), ('code_tries_used', 'code_tries_used'), ('phone_code_wrong', 'phone_code_wrong'), ('phone_number_wrong', 'phone_number_wrong'), ('widget_expired', 'widget_expired'), ('never_confirmed', 'never_confirmed'), ('consent_expired', 'consent_expired'), ('consent_withdrawn', 'consent_withdrawn'), ('consent_ended_by_bank', 'consent_ended_by_bank'), ('consent_left_early', 'consent_left_early'), ('consent_missing', 'consent_missing'), ('consent_unfinished', 'consent_unfinished'), ('consent_without_accounts', 'consent_without_accounts'), ('consent_accounts_lost', 'consent_accounts_lost'), ('portal_consent_expired', 'portal_consent_expired'), ('access_partial', 'access_partial'), ('no_accounts', 'no_accounts'), ('no_payment_accounts', 'no_payment_accounts'), ('manual_step_open', 'manual_step_open'), ('account_locked', 'account_locked'), ('item_locked', 'item_locked'), ('access_forbidden', 'access_forbidden'), ('not_activated', 'not_activated'), ('activation_failed', 'activation_failed'), ('bank_setup_open', 'bank_setup_open'), ('password_reset', 'password_reset'), ('device_not_remembered', 'device_not_remembered'), ('bank_down', 'bank_down'), ('bank_failing', 'bank_failing'), ('bank_trouble', 'bank_trouble'), ('bank_no_data', 'bank_no_data'), ('bank_unreadable', 'bank_unreadable'), ('data_poor', 'data_poor'), ('data_moved', 'data_moved'), ('session_open', 'session_open'), ('code_not_sent', 'code_not_sent'), ('provider_down', 'provider_down'), ('provider_outage', 'provider_outage'), ('provider_trouble', 'provider_trouble'), ('report_failed', 'report_failed'), ('too_many_calls', 'too_many_calls'), ('keys_wrong', 'keys_wrong'), ('upstream_keys_wrong', 'upstream_keys_wrong'), ('feature_missing', 'feature_missing'), ('rights_missing', 'rights_missing'), ('plan_used_up', 'plan_used_up'), ('not_registered', 'not_registered'), ('wrong_id', 'wrong_id'), ('field_missing', 'field_missing'), ('token_outdated', 'token_outdated'), ('product_missing', 'product_missing'), ('product_misfit', 'product_misfit'), ('request_wrong', 'request_wrong'), ('stale', 'stale'), ('switched_off', 'switched_off'), ('gone', 'gone'), ('missing', 'missing'), ('not_found', 'not_found'), ('removed', 'removed'), ('storage_ended', 'storage_ended'), ('permission_revoked', 'permission_revoked'), ('consent_rejected', 'consent_rejected'), ('account_unsupported', 'account_unsupported'), ('bank_dropped', 'bank_dropped'), ('code_unsupported', 'code_unsupported'), ('unrecognized', 'unrecognized'), ('error_unrecognized', 'error_unrecognized'), ('error_unnamed', 'error_unnamed'), ('source_unknown', 'source_unknown'), ('detail_hidden', 'detail_hidden'), ('never_synced', 'never_synced')], max_length=40, verbose_name='cause')),
                ('raw_status', models.CharField(blank=True, max_length=60)),
                ('raw_code', models.CharField(blank=True, max_length=80)),
                ('raw_words', models.CharField(blank=True, max_length=500)),
                ('operation_id', models.UUIDField(blank=True, null=True)),
                ('link', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='changes', to='links.link')),
            ],
            options={
                'verbose_name': 'health change',
                'verbose_name_plural': 'health changes',
            },
        ),
        migrations.CreateModel(
            name='LinkCount',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('state', models.CharField(max_length=20, verbose_name='state')),
                ('links', models.IntegerField(default=0, verbose_name='links')),
                ('institution', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='links.institution')),
                ('integration', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='integrations.integration')),
            ],
            options={
                'verbose_name': 'count of links',
                'verbose_name_plural': 'counts of links',
            },
        ),
        migrations.CreateModel(
            name='Note',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='time')),
                ('text', models.TextField(blank=True, max_length=2000, verbose_name='note')),
                ('job_id', models.UUIDField(blank=True, null=True)),
                ('author', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='notes', to=settings.AUTH_USER_MODEL)),
                ('link', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='notes', to='links.link')),
                ('shared', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='notes', to='links.notetext')),
            ],
            options={
                'verbose_name': 'note',
                'verbose_name_plural': 'notes',
            },
        ),
        migrations.CreateModel(
            name='AssigneeChange',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='time')),
                ('job_id', models.UUIDField(blank=True, null=True)),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('link', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='assignee_changes', to='links.link')),
                ('new', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('old', models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'change of owner',
                'verbose_name_plural': 'changes of owner',
            },
        ),
        migrations.CreateModel(
            name='UnrecognizedValue',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('provider', models.CharField(max_length=20, verbose_name='provider')),
                ('place', models.CharField(choices=[('status', 'Status of a link'), ('code', 'Code of an error'), ('words', 'Words of an error')], max_length=8, verbose_name='where it was')),
                ('value', models.CharField(max_length=200, verbose_name='word')),
                ('seen', models.PositiveIntegerField(default=0, verbose_name='times seen')),
                ('first_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='first seen')),
                ('last_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='last seen')),
                ('last_link', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='links.link')),
            ],
            options={
                'verbose_name': 'unknown value',
                'verbose_name_plural': 'unknown values',
            },
        ),
        migrations.AddConstraint(
            model_name='institution',
            constraint=models.UniqueConstraint(fields=('integration', 'name'), name='one_institution_per_name'),
        ),
        migrations.AddIndex(
            model_name='dailycount',
            index=models.Index(fields=['day', 'integration', 'institution', 'state'], name='daily_count_of'),
        ),
        migrations.AddIndex(
            model_name='link',
            index=models.Index(fields=['urgency', 'health_since', 'id'], name='link_work_list'),
        ),
        migrations.AddIndex(
            model_name='link',
            index=models.Index(fields=['remote_id'], name='link_by_remote_id'),
        ),
        migrations.AddIndex(
            model_name='link',
            index=models.Index(condition=models.Q(('verifying_since__isnull', False)), fields=['verifying_since'], name='link_verifying'),
        ),
        migrations.AddIndex(
            model_name='link',
            index=models.Index(condition=models.Q(('missing_since__isnull', False)), fields=['missing_since'], name='link_missing'),
        ),
        migrations.AddIndex(
            model_name='link',
            index=models.Index(condition=models.Q(('health', 'healthy')), fields=['stale_at'], name='link_going_stale'),
        ),
        migrations.AddConstraint(
            model_name='link',
            constraint=models.UniqueConstraint(condition=models.Q(('disconnected_at', None)), fields=('integration', 'remote_id'), name='one_live_link_per_remote_id'),
        ),
        migrations.AddIndex(
            model_name='institutionchange',
            index=models.Index(fields=['link', '-at'], name='institution_change_of_link'),
        ),
        migrations.AddIndex(
            model_name='healthchange',
            index=models.Index(fields=['link', '-at'], name='health_change_of_link'),
        ),
        migrations.AddIndex(
            model_name='linkcount',
            index=models.Index(fields=['integration', 'institution', 'state'], name='link_count_of'),
        ),
        migrations.AddIndex(
            model_name='note',
            index=models.Index(fields=['link', '-at'], name='note_of_link'),
        ),
        migrations.AddIndex(
            model_name='assigneechange',
            index=models.Index(fields=['link', '-at'], name='assignee_change_of_link'),
        ),
        migrations.AddConstraint(
            model_name='unrecognizedvalue',
            constraint=models.UniqueConstraint(fields=('provider', 'place', 'value'), name='one_row_per_unrecognized_value'),
        ),
        migrations.CreateModel(
            name='LinkRead',
            fields=[
                ('due_at', models.DateTimeField(blank=True, default=django.utils.timezone.now, null=True)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('claim_token', models.UUIDField(blank=True, null=True)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('wanted_at', models.DateTimeField(blank=True, null=True)),
                ('wanted_since', models.DateTimeField(blank=True, null=True)),
                ('read_at', models.DateTimeField(blank=True, null=True)),
                ('answered_at', models.DateTimeField(blank=True, null=True)),
                ('link', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='next_read', serialize=False, to='links.link')),
                ('reason', models.CharField(choices=[('webhook', 'a message of the provider'), ('repair', 'proof that a repair works'), ('missing', "it was not in the provider's list"), ('changed', 'the list says that something changed'), ('age', 'its data grows old')], default='age', max_length=8)),
                ('urgency', models.PositiveSmallIntegerField(default=4)),
                ('found_change', models.BooleanField(default=False)),
                ('integration', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='integrations.integration')),
            ],
        ),
        migrations.AddIndex(
            model_name='linkread',
            index=models.Index(condition=models.Q(('due_at__isnull', False)), fields=['integration', 'urgency', 'due_at'], name='link_read_due'),
        ),
    ]
