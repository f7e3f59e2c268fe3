import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('bulk', '0002_before_and_after'),
    ]

    operations = [
        migrations.RenameField(model_name='bulkpart', old_name='tries', new_name='attempts'),
        migrations.AlterField(model_name='bulkpart', name='attempts', field=models.PositiveIntegerField(default=0)),
        migrations.AddField(model_name='bulkpart', name='claim_token', field=models.UUIDField(blank=True, null=True)),
        migrations.AlterField(
            model_name='bulkpart',
            name='due_at',
            field=models.DateTimeField(blank=True, default=django.utils.timezone.now, null=True),
        ),
    ]
