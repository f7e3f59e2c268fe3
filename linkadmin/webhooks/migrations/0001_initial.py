import django.db.models.deletion
import django.utils.timezone
import linkadmin.webhooks.models
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
            name='WebhookEndpoint',
            fields=[
                ('integration', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='webhook_endpoint', serialize=False, to='integrations.integration')),
                ('path', models.CharField(default=linkadmin.webhooks.models.new_path, max_length=32, unique=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
        migrations.CreateModel(
            name='DeliveryLink',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('read_at', models.DateTimeField(blank=True, null=True)),
                ('outcome', models.CharField(blank=True, choices=[('changed', 'Changed a link'), ('no_change', 'Nothing new'), ('no_matching_link', 'No link of ours'), ('unrecognized_type', 'Unknown type'), ('invalid_payload', 'Unreadable'), ('waiting_to_retry', 'Could not be asked: waiting'), ('late', 'Late')], max_length=17)),
                ('link', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='delivery_links', to='links.link')),
            ],
        ),
        migrations.CreateModel(
            name='WebhookDelivery',
            fields=[
                ('due_at', models.DateTimeField(blank=True, default=django.utils.timezone.now, null=True)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('claim_token', models.UUIDField(blank=True, null=True)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('id', models.UUIDField(default=linkadmin.webhooks.models.new_delivery_id, editable=False, primary_key=True, serialize=False)),
                ('key', models.CharField(max_length=64)),
                ('received_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='received')),
                ('copies', models.PositiveIntegerField(default=1, verbose_name='times received')),
                ('size', models.PositiveIntegerField(default=0, verbose_name='size')),
                ('kind', models.CharField(default='unknown', max_length=24, verbose_name='kind')),
                ('topic', models.CharField(blank=True, max_length=250, verbose_name='topic')),
                ('remote_link_id', models.CharField(blank=True, max_length=120, verbose_name='link id')),
                ('end_user_id', models.CharField(blank=True, max_length=140, verbose_name='customer id')),
                ('consent_id', models.CharField(blank=True, max_length=120, verbose_name='consent id')),
                ('request_id', models.CharField(blank=True, max_length=120, verbose_name='request id')),
                ('remote_created_at', models.DateTimeField(blank=True, null=True, verbose_name='made at the provider')),
                ('payload', models.JSONField(default=dict, verbose_name='content')),
                ('state', models.CharField(choices=[('pending', 'to be worked'), ('processing', 'its links are to be read'), ('done', 'done')], default='pending', max_length=10, verbose_name='state')),
                ('outcome', models.CharField(blank=True, choices=[('changed', 'Changed a link'), ('no_change', 'Nothing new'), ('no_matching_link', 'No link of ours'), ('unrecognized_type', 'Unknown type'), ('invalid_payload', 'Unreadable'), ('waiting_to_retry', 'Could not be asked: waiting'), ('late', 'Late')], max_length=17, verbose_name='outcome')),
                ('first_outcome', models.CharField(blank=True, choices=[('changed', 'Changed a link'), ('no_change', 'Nothing new'), ('no_matching_link', 'No link of ours'), ('unrecognized_type', 'Unknown type'), ('invalid_payload', 'Unreadable'), ('waiting_to_retry', 'Could not be asked: waiting'), ('late', 'Late')], max_length=17)),
                ('wanted_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('processed_at', models.DateTimeField(blank=True, null=True, verbose_name='worked')),
                ('reprocess_count', models.PositiveIntegerField(default=0, verbose_name='times worked again')),
                ('integration', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='deliveries', to='integrations.integration')),
                ('links', models.ManyToManyField(related_name='deliveries', through='webhooks.DeliveryLink', to='links.link')),
                ('reprocessed_by', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'delivery',
                'verbose_name_plural': 'deliveries',
            },
        ),
        migrations.AddField(
            model_name='deliverylink',
            name='delivery',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='delivery_links', to='webhooks.webhookdelivery'),
        ),
        migrations.CreateModel(
            name='WebhookSecret',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('encrypted', models.BinaryField()),
                ('fingerprint', models.CharField(max_length=8)),
                ('version', models.PositiveIntegerField()),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('revoked_at', models.DateTimeField(blank=True, null=True)),
                ('integration', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='webhook_secrets', to='integrations.integration')),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.AddField(
            model_name='webhookdelivery',
            name='secret',
            field=models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='webhooks.webhooksecret'),
        ),
        migrations.CreateModel(
            name='RefusalCount',
            fields=[
                ('id', models.BigAutoField(primary_key=True, serialize=False)),
                ('minute', models.DateTimeField()),
                ('count', models.PositiveIntegerField(default=0)),
                ('integration', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='integrations.integration')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('integration', 'minute'), name='one_refusal_count_per_minute')],
            },
        ),
        migrations.AddConstraint(
            model_name='deliverylink',
            constraint=models.UniqueConstraint(fields=('link', 'delivery'), name='one_row_per_link_and_delivery'),
        ),
        migrations.AddConstraint(
            model_name='webhooksecret',
            constraint=models.UniqueConstraint(fields=('integration', 'version'), name='one_webhook_secret_per_version'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(fields=['integration', '-id'], name='delivery_of_integration'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(condition=models.Q(('state', 'done'), _negated=True), fields=['due_at'], name='delivery_due'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(condition=models.Q(('kind', 'unknown')), fields=['-id'], name='delivery_unknown'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(condition=models.Q(('remote_link_id', ''), _negated=True), fields=['remote_link_id'], name='delivery_by_link_id'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(condition=models.Q(('end_user_id', ''), _negated=True), fields=['end_user_id'], name='delivery_by_customer_id'),
        ),
        migrations.AddIndex(
            model_name='webhookdelivery',
            index=models.Index(condition=models.Q(('request_id', ''), _negated=True), fields=['request_id'], name='delivery_by_request_id'),
        ),
        migrations.AddConstraint(
            model_name='webhookdelivery',
            constraint=models.UniqueConstraint(fields=('integration', 'key'), name='one_delivery_per_message'),
        ),
    ]
