import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('inbox', '0004_states_without_claims'),
    ]

    operations = [
        migrations.RenameField(model_name='webhookdelivery', old_name='tries', new_name='attempts'),
        migrations.AddField(
            model_name='webhookdelivery',
            name='claim_token',
            field=models.UUIDField(blank=True, null=True),
        ),
        migrations.AlterField(
            model_name='webhookdelivery',
            name='due_at',
            field=models.DateTimeField(blank=True, default=django.utils.timezone.now, null=True),
        ),
    ]
