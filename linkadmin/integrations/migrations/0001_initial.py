import django.db.models.deletion
import django.utils.timezone
import linkadmin.fields
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Integration',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('provider', models.CharField(max_length=20, verbose_name='provider')),
                ('name', linkadmin.fields.NameField(max_length=80, unique=True, verbose_name='name')),
                ('base_url', models.CharField(max_length=200, verbose_name='base address')),
                ('options', models.JSONField(blank=True, default=dict, verbose_name='options')),
                ('is_active', models.BooleanField(default=True, verbose_name='in use')),
                ('key_state', models.CharField(choices=[('untested', 'Not tried yet'), ('valid', 'Keys are good'), ('rejected', 'Keys are refused'), ('unreachable', 'No good answer')], default='untested', max_length=12, verbose_name='keys')),
                ('keys_rejected_at', models.DateTimeField(blank=True, null=True, verbose_name='keys refused since')),
                ('keys_retry_at', models.DateTimeField(blank=True, null=True, verbose_name='refused keys are tried again')),
                ('tested_at', models.DateTimeField(blank=True, null=True, verbose_name='last tested')),
                ('test_detail', models.CharField(blank=True, max_length=500, verbose_name='answer of the last test')),
                ('institutions_read_at', models.DateTimeField(blank=True, null=True, verbose_name='institutions read')),
                ('last_full_check_at', models.DateTimeField(blank=True, null=True, verbose_name='all links read')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='created')),
            ],
            options={
                'verbose_name': 'integration',
                'verbose_name_plural': 'integrations',
            },
        ),
        migrations.CreateModel(
            name='CircuitBreaker',
            fields=[
                ('integration', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='circuit_breaker', serialize=False, to='integrations.integration')),
                ('failures', models.PositiveSmallIntegerField(default=0)),
                ('recent', models.CharField(blank=True, max_length=20)),
                ('open_until', models.DateTimeField(blank=True, null=True)),
                ('open_reason', models.CharField(blank=True, max_length=80)),
                ('probe_until', models.DateTimeField(blank=True, null=True)),
            ],
        ),
        migrations.CreateModel(
            name='CallSlot',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('call', models.CharField(max_length=60)),
                ('taken_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('lease_until', models.DateTimeField()),
                ('person', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('integration', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='slots', to='integrations.integration')),
            ],
            options={
                'indexes': [models.Index(fields=['integration', 'lease_until'], name='call_slots')],
            },
        ),
        migrations.CreateModel(
            name='CallQuota',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('scope', models.CharField(blank=True, max_length=60)),
                ('calls', models.PositiveIntegerField()),
                ('used', models.PositiveIntegerField(default=0)),
                ('window_ends_at', models.DateTimeField()),
                ('reported', models.BooleanField(default=False)),
                ('guesses', models.PositiveSmallIntegerField(default=0)),
                ('integration', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='quotas', to='integrations.integration')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('integration', 'scope'), name='one_quota_per_scope')],
            },
        ),
        migrations.CreateModel(
            name='IntegrationSecret',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=40)),
                ('encrypted', models.BinaryField()),
                ('fingerprint', models.CharField(max_length=8)),
                ('version', models.PositiveIntegerField(default=1)),
                ('changed_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('integration', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='secrets', to='integrations.integration')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('integration', 'name'), name='one_secret_per_name')],
            },
        ),
    ]
