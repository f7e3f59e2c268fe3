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
            name='BulkJob',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('check_status', 'Refresh'), ('assign', 'Assign an owner'), ('note', 'Add a note')], max_length=12, verbose_name='kind')),
                ('state', models.CharField(choices=[('draft', 'Not confirmed yet'), ('running', 'Running'), ('paused', 'Stopped'), ('done', 'Done')], default='draft', max_length=8, verbose_name='state')),
                ('text', models.TextField(blank=True, max_length=2000, verbose_name='note')),
                ('total', models.PositiveIntegerField(default=0, verbose_name='links')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='planned')),
                ('started_at', models.DateTimeField(blank=True, null=True, verbose_name='began')),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='ended')),
                ('done', models.PositiveIntegerField(default=0, verbose_name='done')),
                ('failed', models.PositiveIntegerField(default=0, verbose_name='failed')),
                ('changed', models.PositiveIntegerField(blank=True, null=True)),
                ('skipped', models.PositiveIntegerField(default=0, verbose_name='skipped')),
                ('actor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='bulk_jobs', to=settings.AUTH_USER_MODEL, verbose_name='asked for by')),
                ('assignee', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='owner')),
                ('paused_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='stopped by')),
            ],
            options={
                'verbose_name': 'bulk job',
                'verbose_name_plural': 'bulk jobs',
            },
        ),
        migrations.CreateModel(
            name='BulkPart',
            fields=[
                ('due_at', models.DateTimeField(blank=True, default=django.utils.timezone.now, null=True)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('claim_token', models.UUIDField(blank=True, null=True)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('links', models.PositiveIntegerField()),
                ('done_at', models.DateTimeField(blank=True, null=True)),
                ('integration', models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='integrations.integration')),
                ('job', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='parts', to='bulk.bulkjob')),
            ],
        ),
        migrations.CreateModel(
            name='BulkItem',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('done', 'Done'), ('failed', 'Failed'), ('skipped', 'Skipped')], default='waiting', max_length=8, verbose_name='state')),
                ('why', models.CharField(blank=True, max_length=80, verbose_name='why')),
                ('before', models.CharField(blank=True, max_length=20)),
                ('after', models.CharField(blank=True, max_length=20)),
                ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='ended')),
                ('link', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='bulk_items', to='links.link')),
                ('job', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='items', to='bulk.bulkjob')),
                ('part', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='items', to='bulk.bulkpart')),
            ],
            options={
                'verbose_name': 'link of a bulk job',
                'verbose_name_plural': 'links of bulk jobs',
            },
        ),
        migrations.AddIndex(
            model_name='bulkjob',
            index=models.Index(fields=['actor', '-created_at'], name='bulk_job_of_actor'),
        ),
        migrations.AddIndex(
            model_name='bulkjob',
            index=models.Index(fields=['-created_at'], name='bulk_job_by_time'),
        ),
        migrations.AddIndex(
            model_name='bulkjob',
            index=models.Index(condition=models.Q(('state', 'done'), _negated=True), fields=['state'], name='bulk_job_open'),
        ),
        migrations.AddIndex(
            model_name='bulkpart',
            index=models.Index(condition=models.Q(('done_at__isnull', True)), fields=['job', 'id'], name='bulk_parts_open'),
        ),
        migrations.AddIndex(
            model_name='bulkpart',
            index=models.Index(fields=['job', 'done_at'], name='bulk_parts_done'),
        ),
        migrations.AddIndex(
            model_name='bulkitem',
            index=models.Index(fields=['job', 'state', 'id'], name='bulk_items_of_job'),
        ),
        migrations.AddConstraint(
            model_name='bulkitem',
            constraint=models.UniqueConstraint(fields=('job', 'link'), name='one_item_per_link_and_job'),
        ),
    ]
