import django.db.models.deletion
import django.utils.timezone
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
            name='FullCheck',
            fields=[
                ('due_at', models.DateTimeField(blank=True, default=django.utils.timezone.now, null=True)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('claim_token', models.UUIDField(blank=True, null=True)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('state', models.CharField(choices=[('running', 'Running'), ('done', 'Done'), ('stopped', 'Stopped'), ('failed', 'Failed')], default='running', max_length=8, verbose_name='state')),
                ('started_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='began')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='ended')),
                ('listed_at', models.DateTimeField(blank=True, null=True)),
                ('seen', models.PositiveIntegerField(default=0, verbose_name='links read')),
                ('written', models.PositiveIntegerField(default=0, verbose_name='links written')),
                ('changed', models.PositiveIntegerField(default=0, verbose_name='links in another state')),
                ('found', models.PositiveIntegerField(default=0, verbose_name='links found')),
                ('missing', models.PositiveIntegerField(default=0, verbose_name='links missing')),
                ('skipped', models.PositiveIntegerField(default=0, verbose_name='customers passed over')),
                ('unread', models.PositiveIntegerField(default=0, verbose_name='customers not read')),
                ('note', models.CharField(blank=True, max_length=300, verbose_name='note')),
                ('started_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('integration', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='full_checks', to='integrations.integration')),
                ('stopped_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'sweep',
                'verbose_name_plural': 'sweeps',
            },
        ),
        migrations.CreateModel(
            name='FullCheckBatch',
            fields=[
                ('due_at', models.DateTimeField(blank=True, default=django.utils.timezone.now, null=True)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('claim_token', models.UUIDField(blank=True, null=True)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('page', 'Page'), ('end', 'First or last page, once more'), ('customer', 'Customer')], max_length=8)),
                ('key', models.CharField(max_length=140)),
                ('fingerprint', models.BigIntegerField(blank=True, null=True)),
                ('done_at', models.DateTimeField(blank=True, null=True)),
                ('gave_up', models.BooleanField(default=False)),
                ('requested_at', models.DateTimeField(blank=True, null=True)),
                ('total', models.PositiveIntegerField(blank=True, null=True)),
                ('ids', models.BinaryField(blank=True, default=bytes)),
                ('full_check', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='sync.fullcheck')),
            ],
        ),
        migrations.CreateModel(
            name='SkippedRecord',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('institution', 'Institution'), ('customer', 'Customer'), ('link', 'Link')], max_length=12, verbose_name='kind')),
                ('name', models.CharField(blank=True, max_length=140, verbose_name='name')),
                ('why', models.CharField(choices=[('no_object', 'The record is not an object.'), ('no_id', 'The record has no ID.'), ('id_unusable', "Its ID is too long, or has characters that an ID can't have here."), ('incomplete', 'The record lacks something that every other one has.'), ('unread', 'Its links could not be read, and keep their state.')], max_length=12, verbose_name='why')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='time')),
                ('full_check', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='left_out', to='sync.fullcheck')),
                ('integration', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='left_out', to='integrations.integration')),
            ],
            options={
                'verbose_name': 'record left out',
                'verbose_name_plural': 'records left out',
            },
        ),
        migrations.CreateModel(
            name='UnknownLinkRead',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('due_at', models.DateTimeField(blank=True, default=django.utils.timezone.now, null=True)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('claim_token', models.UUIDField(blank=True, null=True)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('wanted_at', models.DateTimeField(blank=True, null=True)),
                ('wanted_since', models.DateTimeField(blank=True, null=True)),
                ('read_at', models.DateTimeField(blank=True, null=True)),
                ('answered_at', models.DateTimeField(blank=True, null=True)),
                ('remote_id', models.CharField(blank=True, max_length=120)),
                ('end_user_id', models.CharField(blank=True, max_length=140)),
                ('integration', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='integrations.integration')),
            ],
        ),
        migrations.CreateModel(
            name='CustomerFingerprint',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('end_user_id', models.CharField(max_length=140)),
                ('fingerprint', models.BigIntegerField()),
                ('integration', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='integrations.integration')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('integration', 'end_user_id'), name='one_fingerprint_per_customer')],
            },
        ),
        migrations.AddIndex(
            model_name='fullcheck',
            index=models.Index(fields=['integration', '-started_at'], name='full_check_of_integration'),
        ),
        migrations.AddConstraint(
            model_name='fullcheck',
            constraint=models.UniqueConstraint(condition=models.Q(('state', 'running')), fields=('integration',), name='one_running_full_check_per_integration'),
        ),
        migrations.AddIndex(
            model_name='fullcheckbatch',
            index=models.Index(condition=models.Q(('done_at__isnull', True)), fields=['full_check', '-kind', 'id'], name='full_check_undone'),
        ),
        migrations.AddConstraint(
            model_name='fullcheckbatch',
            constraint=models.UniqueConstraint(fields=('full_check', 'kind', 'key'), name='one_batch_per_call'),
        ),
        migrations.AddIndex(
            model_name='unknownlinkread',
            index=models.Index(condition=models.Q(('due_at__isnull', False)), fields=['integration', 'due_at'], name='unknown_link_read_due'),
        ),
        migrations.AddConstraint(
            model_name='unknownlinkread',
            constraint=models.UniqueConstraint(fields=('integration', 'remote_id', 'end_user_id'), name='one_read_per_unknown_link'),
        ),
    ]
