import django.db.models.deletion
import django.utils.timezone
import linkadmin.operations.models
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('integrations', '0001_initial'),
        ('links', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Operation',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=linkadmin.operations.models.kind_choices, max_length=20, verbose_name='kind')),
                ('state', models.CharField(choices=[('prepared', 'Prepared'), ('canceled', 'Withdrawn'), ('sending', 'Contacting the bank'), ('not_sent', 'Not sent'), ('succeeded', 'Done'), ('rejected', 'Refused'), ('needs_code', 'Code needed'), ('code_entered', 'Code asked for and given'), ('expired', 'Code came too late'), ('unknown', 'Unknown'), ('confirmed_done', "Done, as the provider's records show"), ('confirmed_not_done', "Not done, as the provider's records show"), ('needs_decision', 'Unknown: a person must decide')], default='prepared', max_length=20, verbose_name='state')),
                ('version', models.PositiveIntegerField(default=1)),
                ('operation_key', models.UUIDField()),
                ('fingerprint', models.CharField(max_length=64)),
                ('parameters', models.JSONField(blank=True, default=dict)),
                ('natural_key', models.CharField(blank=True, max_length=120)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='prepared')),
                ('sent_at', models.DateTimeField(blank=True, null=True, verbose_name='sent')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='ended')),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('check_at', models.DateTimeField(blank=True, null=True)),
                ('good_data_before', models.DateTimeField(blank=True, null=True)),
                ('http_status', models.PositiveSmallIntegerField(default=0, verbose_name='HTTP status')),
                ('code', models.CharField(blank=True, max_length=80, verbose_name="provider's code")),
                ('words', models.CharField(blank=True, max_length=500, verbose_name="provider's words")),
                ('request_id', models.CharField(blank=True, max_length=80, verbose_name="provider's request id")),
                ('outcome', models.CharField(blank=True, max_length=40, verbose_name='outcome')),
                ('cause', models.CharField(blank=True, max_length=40)),
                ('field_errors', models.JSONField(blank=True, default=dict)),
                ('errors', models.JSONField(blank=True, default=list)),
                ('answer_body', models.CharField(blank=True, max_length=12)),
                ('result', models.JSONField(blank=True, default=dict)),
                ('retry_at', models.DateTimeField(blank=True, null=True)),
                ('duration_ms', models.PositiveIntegerField(blank=True, null=True, verbose_name='duration')),
                ('counts_as_attempt', models.BooleanField(default=False)),
                ('asked', models.JSONField(blank=True, default=dict)),
                ('asked_again', models.CharField(blank=True, choices=[('further_step', 'the bank asked for one more thing'), ('not_approved', 'not approved yet'), ('wrong_code', 'the code was wrong or expired'), ('cant_tell', 'the code was wrong, or the bank wants one more')], max_length=20)),
                ('note', models.CharField(blank=True, max_length=820, verbose_name='note')),
                ('actor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='operations', to=settings.AUTH_USER_MODEL)),
                ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='decisions', to=settings.AUTH_USER_MODEL)),
                ('end_user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='operations', to='links.enduser')),
                ('institution', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, to='links.institution')),
                ('integration', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='operations', to='integrations.integration')),
                ('link', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='operations', to='links.link')),
                ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='operations.operation')),
            ],
            options={
                'verbose_name': 'operation',
                'verbose_name_plural': 'operations',
            },
        ),
        migrations.CreateModel(
            name='AttemptAllowance',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('allowed_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='time')),
                ('reason', models.CharField(max_length=300, verbose_name='reason')),
                ('allowed_by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, to=settings.AUTH_USER_MODEL, verbose_name='allowed by')),
                ('link', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='allowances', to='links.link')),
                ('operation', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='allowances', to='operations.operation')),
            ],
            options={
                'verbose_name': 'allowed attempt',
                'verbose_name_plural': 'allowed attempts',
            },
        ),
        migrations.CreateModel(
            name='PendingChallenge',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('encrypted_session', models.BinaryField()),
                ('encrypted_shown', models.BinaryField(default=b'')),
                ('remote_link_id', models.CharField(max_length=120)),
                ('kind', models.CharField(choices=[('code', 'code'), ('numeric', 'numeric'), ('qr', 'qr'), ('text', 'text'), ('approve', 'approve')], max_length=10)),
                ('expects_input', models.BooleanField(default=True)),
                ('received_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField()),
                ('operation', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='challenge', to='operations.operation')),
            ],
        ),
        migrations.CreateModel(
            name='RepairUrl',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('encrypted', models.BinaryField()),
                ('expires_at', models.DateTimeField()),
                ('operation', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='repair_url', to='operations.operation')),
            ],
        ),
        migrations.AddIndex(
            model_name='operation',
            index=models.Index(fields=['link', '-created_at'], name='operation_of_link'),
        ),
        migrations.AddIndex(
            model_name='operation',
            index=models.Index(condition=models.Q(('state__in', ('prepared', 'sending', 'needs_code', 'unknown', 'needs_decision'))), fields=['state', 'lease_until'], name='operation_open'),
        ),
        migrations.AddConstraint(
            model_name='operation',
            constraint=models.UniqueConstraint(fields=('actor', 'operation_key'), name='one_operation_per_form'),
        ),
        migrations.AddConstraint(
            model_name='operation',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ('prepared', 'sending', 'needs_code', 'unknown', 'needs_decision'))), fields=('link',), name='one_open_operation_per_link'),
        ),
        migrations.AddConstraint(
            model_name='operation',
            constraint=models.UniqueConstraint(condition=models.Q(('kind', 'create_link'), ('state__in', ('prepared', 'sending', 'needs_code', 'unknown', 'needs_decision')), models.Q(('natural_key', ''), _negated=True)), fields=('integration', 'natural_key'), name='one_open_create_per_remote_id'),
        ),
        migrations.AddConstraint(
            model_name='operation',
            constraint=models.UniqueConstraint(condition=models.Q(('institution__isnull', False), ('kind', 'create_link'), ('state__in', ('prepared', 'sending', 'needs_code', 'unknown', 'needs_decision'))), fields=('end_user', 'institution'), name='one_open_create_per_customer_and_bank'),
        ),
    ]
